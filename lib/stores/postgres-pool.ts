import { Deadlines } from '../storage/deadlines.ts'

/** The part of a `Pool` of the package `pg` that the store uses. */
export interface PostgresPool {
  connect(taken: (error: Error | undefined, client: PostgresClient | undefined, release: Release) => void): void
  on(event: 'error', listener: (error: Error) => void): unknown
  listenerCount(event: 'error'): number
  /** The number of connections. A single client has no such property. */
  readonly totalCount: number
}

/** The part of a pool's clients that the store uses. */
export interface PostgresClient {
  query(query: PostgresQuery, answered: (error: Error | null, result: PostgresResult) => void): void
  on(event: 'error', listener: (error: Error) => void): unknown
}

/** Tells whether a value is a pool. A single client has no `totalCount`, and cannot do two things at once. */
export function isPool(value: object): boolean {
  const { connect, on, totalCount } = value as Partial<PostgresPool>
  return typeof connect === 'function' && typeof on === 'function' && typeof totalCount === 'number'
}

/** Gives a client back; with `true` its connection is closed instead of used again. */
type Release = (isBroken?: boolean) => void

/** A query as `pg` takes it. */
export interface PostgresQuery {
  text: string
  name?: string
  values?: unknown[]
}

/** A result as `pg` gives it. */
export interface PostgresResult {
  rows: Record<string, unknown>[]
  rowCount: number | null
}

/** Asks on one connection. */
export type Ask = (query: PostgresQuery) => Promise<PostgresResult>

/** Clients whose errors are listened to, whichever store asked them first. */
const heard = new WeakSet<PostgresClient>()

/**
 * Connections of a pool. A job has a connection for as long as the job takes, and never longer than `timeout`. A
 * connection that is silent until then is closed, so that the pool opens another. A job that still waits for a
 * connection then is dropped, because its caller no longer waits.
 */
export class Connections {
  readonly #pool: PostgresPool
  readonly #deadlines: Deadlines
  readonly #explain: (error: unknown) => Error

  constructor(pool: PostgresPool, timeout: number, explain: (error: unknown) => Error) {
    this.#pool = pool
    this.#explain = explain
    this.#deadlines = new Deadlines(timeout)
    // An idle connection that breaks is an event of the pool, and without a listener the end of the process.
    if (pool.listenerCount('error') === 0) pool.on('error', ignore)
  }

  /** One query. */
  query(query: PostgresQuery): Promise<PostgresResult> {
    return this.use((ask) => ask(query))
  }

  /** Several queries on one connection. When one of them fails the connection is closed, and what it began undone. */
  use<Result>(work: (ask: Ask) => Promise<Result>): Promise<Result> {
    return new Promise<Result>((resolve, reject) => {
      let giveBack: Release | undefined
      const end = (isBroken: boolean, settle: () => void): void => {
        if (!this.#deadlines.remove(deadline)) return
        giveBack?.(isBroken)
        settle()
      }
      const fail = (reason: Error): void => end(true, () => reject(this.#explain(reason)))
      const succeed = (result: Result): void => end(false, () => resolve(result))
      const deadline = this.#deadlines.add(() => fail(new Error(`no answer within ${this.#deadlines.limit} ms`)))
      this.#pool.connect((error, client, release) => {
        if (!this.#deadlines.has(deadline)) return release()
        if (client === undefined) return fail(error ?? new Error('no connection'))
        giveBack = release
        follow(work(this.#asking(client)), succeed, fail)
      })
    })
  }

  #asking(client: PostgresClient): Ask {
    // A connection may break between two queries of one job, when no query is there to hear of it.
    if (!heard.has(client)) {
      heard.add(client)
      client.on('error', ignore)
    }
    return (query) =>
      new Promise((resolve, reject) => {
        client.query(query, (error, result) => (error ? reject(error) : resolve(result)))
      })
  }
}

function follow<Result>(work: Promise<Result>, succeed: (result: Result) => void, fail: (reason: Error) => void): void {
  work.then(succeed, fail)
}

/** The query or the next request meets the same trouble and says so. */
function ignore(): void {}
