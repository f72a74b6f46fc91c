import { execFileSync, spawn } from 'node:child_process'
import type { ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { fileURLToPath } from 'node:url'

interface Test {
  teardown(end: () => Promise<void>): void
}

/** The path of nginx on Debian. */
const PROGRAM = '/usr/sbin/nginx'

/**
 * A shared cache as RFC 9111 has it: the responses say what to keep, and for whom. Without this configuration nginx
 * would not keep responses that set a cookie. The RFC does not ask for that (7.3), and other caches do keep them.
 */
const CONFIG = `
daemon off;
master_process off;
pid nginx.pid;
error_log stderr notice;
events {}
http {
  access_log off;
  client_body_temp_path body;
  fastcgi_temp_path fastcgi;
  proxy_temp_path proxy;
  scgi_temp_path scgi;
  uwsgi_temp_path uwsgi;
  proxy_cache_path cache keys_zone=pages:1m inactive=1h;
  server {
    listen unix:HOME/cache.sock;
    location / {
      proxy_pass http://unix:HOME/app.sock:;
      proxy_set_header Host $host;
      proxy_cache pages;
      proxy_cache_key $host$request_uri;
      proxy_ignore_headers Set-Cookie;
      add_header X-Cache $upstream_cache_status always;
    }
  }
}
`

/**
 * Starts a cache that listens at `cache.sock` in this folder, in front of an app at `app.sock`, and is gone when the
 * test ends. Its answers say `X-Cache: HIT` or `MISS`.
 */
export async function startCache(t: Test, home: string): Promise<void> {
  if (!existsSync(PROGRAM)) {
    execFileSync(fileURLToPath(new URL('../services.sh', import.meta.url)), ['nginx'], { stdio: 'inherit' })
  }
  writeFileSync(join(home, 'nginx.conf'), CONFIG.replaceAll('HOME', home))
  const command = [PROGRAM, '-p', home, '-c', 'nginx.conf', '-e', 'stderr']
  // Dies with this process, however this process dies.
  const child = spawn('setpriv', ['--pdeathsig', 'KILL', ...command], { stdio: ['ignore', 'ignore', 'pipe'] })
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGTERM')) await ended
  })
  await ready(child)
}

/** Waits until nginx logs its event method: the socket is open by then. */
async function ready(child: ChildProcess): Promise<void> {
  let log = ''
  if (child.stderr === null) throw new Error('no log to read')
  for await (const line of createInterface(child.stderr)) {
    if (line.includes('event method')) {
      child.stderr.resume()
      return
    }
    log += `${line}\n`
  }
  throw new Error(`nginx does not start:\n${log}`)
}
