import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import type { PostgresServer } from './postgres.ts'
import { launchAsOwner, ownerOf } from './postgres.ts'
import { freePorts } from './redis.ts'

/** Starts a PgBouncer before a server, and returns its URL. It is gone when the test ends. */
export async function startPgBouncer(
  t: { teardown(end: () => Promise<void>): void },
  server: PostgresServer,
  mode: 'transaction' | 'session',
): Promise<string> {
  const home = mkdtempSync(join(tmpdir(), 'session-guard-pgbouncer-'))
  const [port = 0] = await freePorts(1)
  const config = [
    '[databases]',
    // This user stands for every client because auth_type is "any".
    `* = host=127.0.0.1 port=${server.port} user=guard`,
    '[pgbouncer]',
    'listen_addr = 127.0.0.1',
    `listen_port = ${port}`,
    'unix_socket_dir =',
    'auth_type = any',
    `pool_mode = ${mode}`,
    'max_prepared_statements = 100',
  ]
  const file = join(home, 'pgbouncer.ini')
  writeFileSync(file, config.join('\n'))
  ownerOf(home)
  ownerOf(file)
  const child = launchAsOwner([binary(), '-q', file])
  child.stderr?.resume()
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
    rmSync(home, { recursive: true, force: true })
  })
  while (!(await isListening(port))) {
    if (child.exitCode !== null) throw new Error('pgbouncer does not start')
    await wait(20)
  }
  return server.url.replace(String(server.port), String(port))
}

async function isListening(port: number): Promise<boolean> {
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

function binary(): string {
  const find = (): string | undefined =>
    ['/usr/local/sbin', '/usr/sbin', '/usr/local/bin', '/usr/bin']
      .map((folder) => join(folder, 'pgbouncer'))
      .find((path) => existsSync(path))
  const found = find()
  if (found !== undefined) return found
  execFileSync(fileURLToPath(new URL('../services.sh', import.meta.url)), ['pgbouncer'], { stdio: 'inherit' })
  const installed = find()
  if (installed === undefined) throw new Error('no PgBouncer on this machine; see test/support/services.sh')
  return installed
}
