import type { ChildProcess } from 'node:child_process'
import { execFileSync, fork, spawn } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { connect } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'
import { freePorts } from '../../test/support/servers/redis.ts'
import type { Setting, Start } from './setting.ts'

/** The ways to run an app. */
export interface Runnable {
  /** Starts the app, in this process if it is in JavaScript. */
  readonly start: Start
  /** Starts the app in a process of its own, and resolves once it listens. */
  launch(setting: Setting): Promise<ChildProcess>
}

/** Temporary folders and processes, which end with the run. */
const folders: string[] = []
const children = new Set<ChildProcess>()

/** Services of test/support/services.sh that are on this machine. */
const installed = new Set<string>()

/** Returns what a new app is started with. */
export async function newSetting(redis?: string): Promise<Setting> {
  const [port = 0] = await freePorts(1)
  const folder = mkdtempSync(join(tmpdir(), 'gauntlet-app-'))
  folders.push(folder)
  return { port, secret: randomBytes(32).toString('base64url'), folder, ...(redis !== undefined && { redis }) }
}

/** Ends all processes of apps, and removes what they wrote. */
export async function endAll(): Promise<void> {
  await Promise.all([...children].map(kill))
  removeFolders()
}

function removeFolders(): void {
  for (const folder of folders.splice(0)) rmSync(folder, { recursive: true, force: true })
}

// A run that fails leaves nothing behind either.
process.once('exit', () => {
  for (const child of children) endGroup(child)
  removeFolders()
})

/** Returns an app in JavaScript, whose compiled module serves it by the name of its function. */
export function nodeApp(start: Start, module: URL): Runnable {
  return {
    start,
    async launch(setting) {
      // The module is compiled, so its process needs no loader of a test.
      const { NODE_OPTIONS: _loader, ...env } = process.env
      const child = fork(fileURLToPath(module), [start.name, JSON.stringify(setting)], {
        ...{ detached: true, env, execArgv: [] },
        stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
      })
      keep(child)
      await Promise.race([once(child, 'message'), failure(child, start.name)])
      return child
    },
  }
}

/** Returns an app in another language, which is given its port and what outlives it. */
export function foreignApp(service: string, commandOf: (setting: Setting) => readonly string[]): Runnable {
  const launch = async (setting: Setting, environment = {}): Promise<ChildProcess> => {
    if (!installed.has(service)) execFileSync(join(process.cwd(), 'test/support/services.sh'), [service])
    installed.add(service)
    const env = { ...process.env, GAUNTLET_SECRET: setting.secret, GAUNTLET_FOLDER: setting.folder, ...environment }
    const command = ['--pdeathsig', 'KILL', ...commandOf(setting)]
    const child = spawn('setpriv', command, { detached: true, stdio: 'ignore', env })
    keep(child)
    const failed = failure(child, service)
    failed.catch(() => undefined)
    while (!(await isListening(setting.port))) await Promise.race([wait(20), failed])
    return child
  }
  return {
    launch,
    async start(setting) {
      await launch(setting, { PHP_CLI_SERVER_WORKERS: '6' })
      return new URL(`http://127.0.0.1:${setting.port}/`)
    },
  }
}

/** An app in a process that can end at any time. Its port, its secret and its store outlive the process. */
export class AppProcess {
  readonly url: URL
  readonly #app: Runnable
  readonly #setting: Setting
  #child: ChildProcess

  private constructor(app: Runnable, setting: Setting, child: ChildProcess) {
    this.url = new URL(`http://127.0.0.1:${setting.port}/`)
    this.#app = app
    this.#setting = setting
    this.#child = child
  }

  /** Starts an app. Without a Redis server, sessions that would be in Redis are in the memory of the process. */
  static async start(app: Runnable, redis?: string): Promise<AppProcess> {
    const setting = await newSetting(redis)
    return new AppProcess(app, setting, await app.launch(setting))
  }

  /** Ends the process with SIGKILL, unless it has ended, and starts another one in its place. */
  async restart(): Promise<void> {
    await this.end()
    this.#child = await this.#app.launch(this.#setting)
  }

  end(): Promise<void> {
    return kill(this.#child)
  }
}

function keep(child: ChildProcess): void {
  children.add(child)
  child.once('exit', () => children.delete(child))
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return
  const ended = once(child, 'exit')
  endGroup(child)
  await ended
}

/** Ends a process and its workers. Each app leads a group of processes. */
function endGroup({ pid }: ChildProcess): void {
  try {
    if (pid !== undefined) process.kill(-pid, 'SIGKILL')
  } catch {
    // The process has ended, and the event is under way.
  }
}

/** Waits for the end of a process, which is a failure while the process starts. */
async function failure(child: ChildProcess, name: string): Promise<never> {
  const [code, signal] = (await once(child, 'exit')) as [number | null, string | null]
  throw new Error(`the process of ${name} ended with ${code ?? signal}`)
}

function isListening(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1')
    const end = (isOpen: boolean): void => {
      socket.destroy()
      resolve(isOpen)
    }
    socket.once('connect', () => end(true))
    socket.once('error', () => end(false))
  })
}
