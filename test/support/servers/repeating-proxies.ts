import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

interface Test {
  teardown(end: () => Promise<void>): void
}

/** A reverse proxy that sends a GET again, to the next server, when the first one gives no answer. */
export type ProxyName = 'nginx' | 'haproxy'

interface Proxy {
  readonly program: string
  readonly config: string
  readonly flags: readonly string[]
}

const PROXIES: Record<ProxyName, Proxy> = {
  // The defaults of nginx: an idempotent request goes to the next server after an error or a time-out.
  nginx: {
    program: '/usr/sbin/nginx',
    flags: ['-e', 'stderr'],
    config: `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr;
events {}
http {
  access_log off;
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  upstream app {
    server unix:HOME/one.sock max_fails=0;
    server unix:HOME/two.sock max_fails=0;
  }
  server {
    listen unix:HOME/proxy.sock;
    location / {
      proxy_pass http://app;
      proxy_set_header Host $host;
    }
  }
}
`,
  },
  haproxy: {
    program: '/usr/sbin/haproxy',
    flags: ['-db'],
    config: `
defaults
  mode http
  timeout connect 60s
  timeout client 60s
  timeout server 60s
  retries 2
  option redispatch 1
  retry-on conn-failure empty-response response-timeout
frontend door
  bind unix@HOME/proxy.sock
  default_backend app
backend app
  balance roundrobin
  server one unix@HOME/one.sock
  server two unix@HOME/two.sock
`,
  },
}

/**
 * Starts a proxy at `proxy.sock` in this folder, before apps at `one.sock` and `two.sock`. It is gone when the test
 * ends.
 */
export async function startProxy(t: Test, name: ProxyName, home: string): Promise<void> {
  const { program, config, flags } = PROXIES[name]
  if (!existsSync(program)) {
    execFileSync(fileURLToPath(new URL('../services.sh', import.meta.url)), [name], { stdio: 'inherit' })
  }
  const file = join(home, `${name}.conf`)
  writeFileSync(file, config.replaceAll('HOME', home))
  const command = name === 'nginx' ? [program, '-p', home, '-c', file, ...flags] : [program, '-f', file, ...flags]
  // Dies with this process, however this process dies.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', 'ignore', 'inherit'] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
  })
  while (!(await isListening(join(home, 'proxy.sock')))) {
    if (child.exitCode !== null) throw new Error(`${name} does not start`)
    await wait(20)
  }
}

async function isListening(path: string): Promise<boolean> {
  const socket = connect(path)
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
