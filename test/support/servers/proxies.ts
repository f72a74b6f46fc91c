import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { Certificate } from '../certificate.ts'
import { temporaryFolder } from '../sqlite.ts'
import { freePorts, launch } from './redis.ts'

interface Test {
  teardown(end: () => Promise<void> | void): void
}

/** The proxies that Debian has, and where it puts them. */
const PROGRAMS = {
  nginx: '/usr/sbin/nginx',
  haproxy: '/usr/sbin/haproxy',
  caddy: '/usr/bin/caddy',
  apache2: '/usr/sbin/apache2',
} as const

const START_ATTEMPTS = 500

/** The way in which a proxy passes requests on. */
export interface ProxyOptions {
  /** The port of the app on 127.0.0.1. */
  readonly app: number
  /** Lines beside `proxy_pass` in nginx's location, or lines in haproxy's frontend. */
  readonly rules: readonly string[]
  /** The certificate with which the proxy ends TLS. */
  readonly certificate?: Certificate
}

/** Starts an nginx in front of an app. Returns its port. */
export async function startNginx(t: Test, { app, rules, certificate }: ProxyOptions): Promise<number> {
  const home = temporaryFolder(t)
  if (certificate !== undefined) writeFileSync(join(home, 'cert.pem'), certificate.cert)
  if (certificate !== undefined) writeFileSync(join(home, 'key.pem'), certificate.key)
  const tls = certificate === undefined ? '' : 'ssl_certificate cert.pem; ssl_certificate_key key.pem;'
  return startOn(t, 'nginx', (port) => {
    const config = `
      daemon off; master_process off; pid nginx.pid; error_log stderr;
      events {}
      http {
        access_log off;
        client_body_temp_path body; fastcgi_temp_path fastcgi; proxy_temp_path proxy;
        scgi_temp_path scgi; uwsgi_temp_path uwsgi;
        server {
          listen 127.0.0.1:${port} ${certificate === undefined ? '' : 'ssl'};
          ${tls}
          location / { proxy_pass http://127.0.0.1:${app}; proxy_http_version 1.1; ${rules.join(';')}; }
        }
      }`
    writeFileSync(join(home, 'nginx.conf'), config)
    return ['-p', home, '-c', 'nginx.conf', '-e', 'stderr']
  })
}

/** Starts a haproxy in front of an app. Returns its port. */
export async function startHaproxy(t: Test, { app, rules, certificate }: ProxyOptions): Promise<number> {
  const home = temporaryFolder(t)
  const pem = join(home, 'both.pem')
  if (certificate !== undefined) writeFileSync(pem, certificate.cert + certificate.key)
  return startOn(t, 'haproxy', (port) => {
    const config = [
      ...[
        'defaults',
        'mode http',
        'timeout connect 30s',
        'timeout client 60s',
        'timeout server 60s',
        'timeout tunnel 60s',
      ],
      ...['frontend web', `bind 127.0.0.1:${port}${certificate === undefined ? '' : ` ssl crt ${pem}`}`],
      ...rules,
      ...['default_backend app', 'backend app', `server app 127.0.0.1:${app}`, ''],
    ]
    writeFileSync(join(home, 'haproxy.cfg'), config.join('\n'))
    return ['-db', '-q', '-f', join(home, 'haproxy.cfg')]
  })
}

/** Starts a Caddy in front of an app, over plain http. The rules stand in its `reverse_proxy`. Returns its port. */
export async function startCaddy(t: Test, { app, rules }: ProxyOptions): Promise<number> {
  const home = temporaryFolder(t)
  return startOn(t, 'caddy', (port) => {
    const config = [
      ...['{', 'admin off', `storage file_system ${home}`, '}'],
      ...[`http://:${port} {`, 'bind 127.0.0.1', `reverse_proxy 127.0.0.1:${app} {`, ...rules, '}', '}', ''],
    ]
    writeFileSync(join(home, 'Caddyfile'), config.join('\n'))
    return ['run', '--adapter', 'caddyfile', '--config', join(home, 'Caddyfile')]
  })
}

/** Modules of Apache that a proxy for WebSockets needs. */
const APACHE_MODULES = ['mpm_event', 'authz_core', 'proxy', 'proxy_http', 'proxy_wstunnel', 'headers']

/** Starts an Apache in front of an app, over plain http. The rules stand beside `ProxyPass`. Returns its port. */
export async function startApache(t: Test, { app, rules }: ProxyOptions): Promise<number> {
  const home = temporaryFolder(t)
  return startOn(t, 'apache2', (port) => {
    const config = [
      ...['ServerRoot /usr/lib/apache2', `DefaultRuntimeDir ${home}`, `PidFile ${join(home, 'pid')}`],
      ...APACHE_MODULES.map((name) => `LoadModule ${name}_module modules/mod_${name}.so`),
      ...[`ErrorLog ${join(home, 'log')}`, 'ServerName inner.local', `Listen 127.0.0.1:${port}`],
      ...rules,
      ...[`ProxyPass / http://127.0.0.1:${app}/ upgrade=websocket`, ''],
    ]
    writeFileSync(join(home, 'apache.conf'), config.join('\n'))
    return ['-DFOREGROUND', '-f', join(home, 'apache.conf')]
  })
}

async function startOn(t: Test, name: keyof typeof PROGRAMS, configure: (port: number) => string[]): Promise<number> {
  if (!existsSync(PROGRAMS[name])) {
    execFileSync(fileURLToPath(new URL('../services.sh', import.meta.url)), [name], { stdio: 'inherit' })
  }
  const [port = 0] = await freePorts(1)
  // Caddy writes its last configuration there.
  const child = launch(['env', `XDG_CONFIG_HOME=${temporaryFolder(t)}`, PROGRAMS[name], ...configure(port)])
  let log = ''
  child.stdout?.resume()
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text))
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGTERM')) await ended
  })
  for (let attempt = 0; attempt < START_ATTEMPTS; attempt += 1) {
    if (child.exitCode !== null) break
    if (await accepts(port)) return port
    await wait(20)
  }
  throw new Error(`${name} does not start:\n${log}`)
}

async function accepts(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1')
  try {
    await once(socket, 'connect')
    return true
  } catch {
    return false
  } finally {
    socket.destroy()
  }
}
