import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { chownSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A PostgreSQL of one test file, on a free port of 127.0.0.1, its data in a temporary folder. */
export interface PostgresServer {
  readonly port: number
  /** `postgres://…`, with a password that nothing may print. */
  readonly url: string
  /** Ends it and everything it forked with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on the same port and data. */
  start(): Promise<void>
  /** Stops every process of it with SIGSTOP: connections stay open, nothing is answered. */
  pause(): void
  resume(): void
}

/** The only password of these servers, so that a test can look for it where it must not be. */
export const PASSWORD = 'hunter2-in-the-url'

const START_ATTEMPTS = 50

/** Starts a server that is gone, data and all, when the test ends. `settings` are lines of postgresql.conf. */
export async function startPostgres(
  t: { teardown(end: () => Promise<void>): void },
  settings: Record<string, string | number> = {},
): Promise<PostgresServer> {
  const bin = binaries()
  const home = mkdtempSync(join(tmpdir(), 'session-guard-postgres-'))
  ownerOf(home)
  const data = join(home, 'data')
  const initdb = [join(bin, 'initdb'), '-D', data, '-U', 'guard', '-A', 'trust', '-E', 'UTF8', '--locale=C', '-N']
  await finished(launchAsOwner(initdb), 'initdb')

  const port = await freePort()
  const lines = { listen_addresses: '127.0.0.1', unix_socket_directories: '', port, fsync: 'off', ...settings }
  const flags = Object.entries(lines).flatMap(([name, value]) => ['-c', `${name}=${value}`])
  const server = new Server([join(bin, 'postgres'), '-D', data, ...flags], port)
  t.teardown(async () => {
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  })
  await server.start()
  return server
}

class Server implements PostgresServer {
  readonly port: number
  readonly url: string
  readonly #command: string[]
  #process: ChildProcess | undefined

  constructor(command: string[], port: number) {
    this.#command = command
    this.port = port
    this.url = `postgres://guard:${PASSWORD}@127.0.0.1:${port}/postgres`
  }

  async start(): Promise<void> {
    for (let attempt = 1; ; attempt += 1) {
      const child = launchAsOwner(this.#command)
      this.#process = child
      const log = await ready(child)
      if (log === undefined) return
      // Processes that a killed server forked may hold on to its memory for a moment.
      if (attempt === START_ATTEMPTS) throw new Error(`postgres does not start:\n${log}`)
      await wait(100)
    }
  }

  async kill(): Promise<void> {
    await this.#end(() => {
      for (const pid of this.#pids()) signal(pid, 'SIGKILL')
    })
  }

  /** Stops the server in the way that leaves no processes behind for the machine to collect. */
  async stop(): Promise<void> {
    this.resume()
    await this.#end((pid) => signal(pid, 'SIGINT'))
  }

  pause(): void {
    for (const pid of this.#pids()) signal(pid, 'SIGSTOP')
  }

  resume(): void {
    for (const pid of this.#pids()) signal(pid, 'SIGCONT')
  }

  async #end(end: (pid: number) => void): Promise<void> {
    const child = this.#process
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    end(child.pid)
    await ended
  }

  /** Returns the ids of the processes. The postmaster comes first, so that it forks nothing meanwhile. */
  #pids(): number[] {
    const parent = this.#process?.pid
    if (parent === undefined) return []
    try {
      const children = readFileSync(`/proc/${parent}/task/${parent}/children`, 'utf8')
      return [parent, ...children.split(' ').filter(Boolean).map(Number)]
    } catch {
      return []
    }
  }
}

/** Sends a signal to a process, and ignores a process that is gone. */
function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error
  }
}

/** PostgreSQL refuses to run as root; whom it runs as then. */
const owner = process.getuid?.() === 0 ? { uid: idOf('-u', 'postgres'), gid: idOf('-g', 'postgres') } : undefined

/** Gives a file to the user that servers run as. */
export function ownerOf(path: string): void {
  if (owner !== undefined) chownSync(path, owner.uid, owner.gid)
}

function idOf(flag: string, user: string): number {
  return Number(execFileSync('id', [flag, user], { encoding: 'utf8' }))
}

/** Dies with this process, however this process dies. */
export function launchAsOwner(command: string[]): ChildProcess {
  const as = owner === undefined ? [] : [`--reuid=${owner.uid}`, `--regid=${owner.gid}`, '--clear-groups']
  const args = ['-u', 'NODE_OPTIONS', 'setpriv', '--pdeathsig', 'QUIT', ...as, ...command]
  return spawn('env', args, { stdio: ['ignore', 'ignore', 'pipe'], cwd: tmpdir(), env: { PATH: process.env['PATH'] } })
}

/** `undefined` once connections are accepted, the log of a server that ended instead. */
async function ready(child: ChildProcess): Promise<string | undefined> {
  let log = ''
  if (child.stderr === null) throw new Error('no log to read')
  for await (const line of createInterface(child.stderr)) {
    if (line.includes('ready to accept connections')) {
      child.stderr.resume()
      return undefined
    }
    log += `${line}\n`
  }
  return log
}

async function finished(child: ChildProcess, name: string): Promise<void> {
  let log = ''
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (log += text))
  const [code] = (await once(child, 'close')) as [number | null]
  if (code !== 0) throw new Error(`${name} failed:\n${log}`)
}

function binaries(): string {
  const debian = '/usr/lib/postgresql'
  const find = (): string | undefined => {
    const versions = existsSync(debian) ? readdirSync(debian).toSorted((a, b) => Number(b) - Number(a)) : []
    const folders = [
      ...versions.map((version) => join(debian, version, 'bin')),
      ...(process.env['PATH'] ?? '').split(delimiter),
    ]
    return folders.find((folder) => ['initdb', 'postgres'].every((name) => existsSync(join(folder, name))))
  }
  const found = find()
  if (found !== undefined) return found
  execFileSync(fileURLToPath(new URL('../services.sh', import.meta.url)), ['postgresql'], { stdio: 'inherit' })
  const installed = find()
  if (installed === undefined) throw new Error('no PostgreSQL on this machine; see test/support/services.sh')
  return installed
}

async function freePort(): Promise<number> {
  const probe = createServer().listen(0, '127.0.0.1')
  await once(probe, 'listening')
  const { port } = probe.address() as AddressInfo
  probe.close()
  await once(probe, 'close')
  return port
}
