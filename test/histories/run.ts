import type { Test } from 'tap'
import { FakeClock } from '../support/faketime.ts'
import { random } from '../support/every-order.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import type { History } from './history.ts'
import { linesOf } from './history.ts'
import { withLosses } from './losses.ts'
import { judge } from './judge.ts'
import { Life } from './life.ts'
import type { Forgotten, ServerProcess } from './server.ts'
import { startServer } from './server.ts'
import type { SharedStore } from './stores.ts'
import { hangUp } from './visit.ts'

/** The settings of a run. */
export interface RunOptions {
  readonly store: SharedStore
  /** The number of operations of clients. */
  readonly operations: number
  readonly seed: number
  readonly hasFaults: boolean
  readonly forgets?: Forgotten
}

/** The result of a run. */
export interface RunResult {
  readonly operations: number
  readonly unknown: number
  readonly sessions: number
  /** The number of sessions that were taken for copied. */
  readonly copied: number
  /** The number of times that each fault happened. */
  readonly faults: Readonly<Record<string, number>>
  /** The number of sessions whose history is explained only by what the store lost in a failover. */
  readonly losses: number
  /** A report of each history that no order explains. */
  readonly anomalies: readonly string[]
}

/** The number of users at a time. */
const LIVES = 8

/** The number of operations between two faults. */
const REST = 250

/** The number of unanswered operations after which an outage ends. */
const OUTAGE = 12

/** The clocks of the servers, in milliseconds from the true time. */
const SKEWS = [-20_000, 15_000]

/** Lets users live on two servers that share a store, and judges what they saw. */
export class Run {
  readonly #options: RunOptions
  readonly #draw: () => number
  readonly #servers: ServerProcess[] = []
  readonly #clocks: readonly FakeClock[]
  readonly #faults: Record<string, number> = {}
  readonly #waiting = new Set<() => void>()
  #instant = 0
  #answers = 0
  #unknown = 0
  #copied = 0

  private constructor(t: Test, options: RunOptions) {
    this.#options = options
    this.#draw = random(options.seed)
    const home = temporaryFolder(t)
    this.#clocks = SKEWS.map((skew, index) => new FakeClock(home, `server-${index}`, skew))
  }

  static async start(t: Test, options: RunOptions): Promise<Run> {
    const run = new Run(t, options)
    t.teardown(async () => {
      await Promise.all(run.#servers.map(async (server) => server.kill()))
      hangUp()
    })
    // The first server makes the tables.
    for (const index of SKEWS.keys()) await run.#startServer(index)
    return run
  }

  async finish(): Promise<RunResult> {
    const histories: History[] = []
    let lives = 0
    const live = async (): Promise<void> => {
      while (this.#answers < this.#options.operations) {
        lives += 1
        histories.push(...(await new Life(this.#world, `user ${lives}`).run()))
      }
    }
    const faults = this.#options.hasFaults ? this.#disturb() : undefined
    await Promise.all([...Array.from({ length: LIVES }, live), faults])
    const { losses = [] } = this.#options.store
    const strict = losses.length === 0 ? [] : histories.filter((history) => judge(history) !== undefined)
    const anomalies = histories.flatMap((history) => reportOf(withLosses(history, losses)) ?? [])
    const { length: sessions } = histories
    return {
      operations: this.#answers,
      unknown: this.#unknown,
      sessions,
      copied: this.#copied,
      faults: this.#faults,
      losses: strict.length,
      anomalies,
    }
  }

  get #world(): ConstructorParameters<typeof Life>[0] {
    return {
      draw: this.#draw,
      origin: () => (this.#servers[Math.floor(this.#draw() * this.#servers.length)] as ServerProcess).origin,
      tick: () => (this.#instant += 1),
      onAnswer: (isUnknown) => {
        this.#answers += 1
        if (isUnknown) this.#unknown += 1
        for (const look of this.#waiting) look()
      },
    }
  }

  async #startServer(index: number): Promise<void> {
    const { store, forgets } = this.#options
    // Reading the clock's file for each look at the clock would slow the server down many times.
    const environment = { ...(this.#clocks[index] as FakeClock).environment, FAKETIME_NO_CACHE: '0' }
    const { prefix } = store
    const settings = { url: store.urlFor(index), ...(prefix && { prefix }), ...(forgets && { forgets }) }
    this.#servers[index] = await startServer(settings, environment, () => (this.#copied += 1))
  }

  /** Lets one fault after the other happen, until the users are done. */
  async #disturb(): Promise<void> {
    const { outages, breaks } = this.#options.store
    const faults: Record<string, () => Promise<void>> = {}
    for (const [name, begin] of Object.entries(outages)) faults[name] = async () => this.#outage(begin)
    for (const [name, happen] of Object.entries(breaks)) faults[name] = async () => happen(() => (this.#instant += 1))
    for (const index of SKEWS.keys()) faults[`server ${index + 1} is killed`] = async () => this.#killServer(index)
    const names = Object.keys(faults)
    while (!this.#isOver) {
      await this.#until((before) => this.#answers >= before.answers + REST)
      if (this.#isOver) return
      const name = names[Math.floor(this.#draw() * names.length)] as string
      this.#faults[name] = (this.#faults[name] ?? 0) + 1
      await faults[name]?.()
    }
  }

  get #isOver(): boolean {
    return this.#answers >= this.#options.operations
  }

  async #outage(begin: () => () => void): Promise<void> {
    const end = begin()
    await this.#until((before) => this.#unknown >= before.unknown + OUTAGE)
    end()
  }

  async #killServer(index: number): Promise<void> {
    await this.#servers[index]?.kill()
    await this.#startServer(index)
  }

  /** Waits until users have seen enough, or are done. */
  async #until(isEnough: (before: { answers: number; unknown: number }) => boolean): Promise<void> {
    const before = { answers: this.#answers, unknown: this.#unknown }
    return new Promise((resolve) => {
      const look = (): void => {
        if (!this.#isOver && !isEnough(before)) return
        this.#waiting.delete(look)
        resolve()
      }
      this.#waiting.add(look)
    })
  }
}

function reportOf(history: History): string | undefined {
  const anomaly = judge(history)
  if (anomaly === undefined) return undefined
  const { explained, left } = anomaly
  return ['no order explains:', ...linesOf(history), 'the longest order:', ...explained, 'left:', ...left].join('\n')
}
