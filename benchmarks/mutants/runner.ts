import type { ChildProcess } from 'node:child_process'
import { fork } from 'node:child_process'
import { chmodSync, mkdtempSync } from 'node:fs'
import { rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Load, Loaded, Outcome, Run } from './worker.ts'

/** Milliseconds in which a process has to start, or to load a file. */
const LOAD_TIME = 60_000

/** A process is replaced after so many tests, because the tap that it runs remembers each of them. */
const MAX_TESTS = 2_000

/** The result of an order: an answer, none in time, or the end of the process. */
type Answer<Message> = Message | 'late' | undefined

/** A process that loads test files when they are needed. */
class Process {
  done = 0
  readonly #child: ChildProcess
  readonly #folder: string
  readonly #started: Promise<unknown>
  readonly #loaded = new Set<string>()
  #resolve: ((message: unknown) => void) | undefined

  constructor(folder: string, atLoad: readonly number[]) {
    this.#folder = folder
    const { NODE_OPTIONS: _options, ...env } = process.env
    // A process that is ended in the middle of a test leaves behind what its servers wrote.
    const temporary = mkdtempSync(join(tmpdir(), 'mutants-'))
    // Servers may run as another user.
    chmodSync(temporary, 0o755)
    this.#child = fork(join(folder, 'mutants/worker.js'), {
      cwd: folder,
      execArgv: [],
      stdio: ['ignore', 'ignore', process.env['MUTANTS_SHOW'] === undefined ? 'ignore' : 'inherit', 'ipc'],
      env: { ...withoutTap(env), TMPDIR: temporary, MUTANTS: atLoad.join(','), TAP_TIMEOUT: '0' },
    })
    // Tap itself sends messages to its parent, too.
    this.#child.on('message', (message: object) => 'reached' in message && this.#resolve?.(message))
    this.#child.on('exit', () => this.#resolve?.(undefined))
    this.#child.on(
      'exit',
      () => void rm(temporary, { recursive: true, force: true, maxRetries: 5 }).catch(() => undefined),
    )
    this.#child.on('error', () => this.#resolve?.(undefined))
    this.#started = this.#wait(LOAD_TIME)
  }

  /** Loads a file of tests. `undefined` says that this ended the process. */
  async load(file: string): Promise<Loaded | undefined> {
    await this.#started
    const answer = await this.#send<Loaded>({ kind: 'load', url: this.#urlOf(file) }, LOAD_TIME)
    if (answer === 'late' || answer === undefined) return undefined
    this.#loaded.add(file)
    return answer
  }

  async run(file: string, order: Omit<Run, 'kind' | 'url'>, limit: number): Promise<Answer<Outcome>> {
    if (!this.#loaded.has(file) && (await this.load(file)) === undefined) return undefined
    this.done += 1
    return this.#send<Outcome>({ kind: 'run', url: this.#urlOf(file), ...order }, limit)
  }

  end(): void {
    this.#child.kill('SIGKILL')
  }

  #urlOf(file: string): string {
    return pathToFileURL(join(this.#folder, file.replace(/\.ts$/, '.js'))).href
  }

  #send<Message>(order: Load | Run, limit: number): Promise<Answer<Message>> {
    const answer = this.#wait<Message>(limit)
    if (this.#child.connected) this.#child.send(order, () => undefined)
    else this.#resolve?.(undefined)
    return answer
  }

  #wait<Message>(limit: number): Promise<Answer<Message>> {
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('late'), limit)
      this.#resolve = (message) => {
        clearTimeout(timer)
        resolve(message as Message | undefined)
      }
    })
  }
}

/** Leaves out the variables by which a surrounding tap would collect the coverage of its children. */
function withoutTap(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([name]) => !/^_?TAP/.test(name)))
}

/** Runs tests one at a time, in a process that it replaces when a test has spoiled it. */
export class Runner {
  readonly #folder: string
  readonly #atLoad: readonly number[]
  #process: Process | undefined
  #spare: Process | undefined

  /** `atLoad` names the mutants with which each process loads its files. */
  constructor(folder: string, atLoad: readonly number[] = []) {
    this.#folder = folder
    this.#atLoad = atLoad
  }

  async load(file: string): Promise<Loaded | undefined> {
    const answer = await this.#ready().load(file)
    if (answer === undefined) this.renew()
    return answer
  }

  async run(file: string, order: Omit<Run, 'kind' | 'url'>, limit: number): Promise<Answer<Outcome>> {
    const answer = await this.#ready().run(file, order, limit)
    if (typeof answer !== 'object') this.renew()
    return answer
  }

  /** Ends the process. The next test runs in another one, which starts already. */
  renew(): void {
    this.#process?.end()
    this.#process = this.#spare
    this.#spare = undefined
  }

  end(): void {
    this.renew()
    this.renew()
  }

  #ready(): Process {
    if (this.#process !== undefined && this.#process.done >= MAX_TESTS) this.renew()
    this.#process ??= new Process(this.#folder, this.#atLoad)
    if (this.#atLoad.length === 0) this.#spare ??= new Process(this.#folder, [])
    return this.#process
  }
}
