import { setImmediate as nextTurn, setTimeout as wait } from 'node:timers/promises'
import type { SqliteDatabase, SqliteStatement } from './sqlite-driver.ts'

/** Milliseconds of writing in one turn of the event loop, after which other work gets its turn. */
const MAX_BUSY = 3

/** Milliseconds between two looks whether another process's write is done. */
const BUSY_PAUSE = 5

/** A value of a statement. */
export type Value = string | number

/** A statement with its values. */
export interface Write {
  readonly statement: SqliteStatement
  readonly values: readonly Value[]
}

/** The rows that each statement of a step has changed. */
export type Changes = readonly number[]

/**
 * Writes that wait for another process's write without holding up this process, as the driver's own way of waiting
 * would.
 */
export class SqliteWriter {
  readonly #database: SqliteDatabase
  /** The time that the connection waits by itself, which is set back after each write. */
  readonly #busyTimeout: number
  readonly #timeout: number
  /** Milliseconds of writing in this turn of the event loop. */
  #busy = 0

  constructor(database: SqliteDatabase, timeout: number, busyTimeout: number) {
    this.#database = database
    this.#timeout = timeout
    this.#busyTimeout = busyTimeout
  }

  /** Runs statements in one atomic step. Resolves to the number of rows that each of them has changed. */
  async write(...writes: readonly Write[]): Promise<Changes> {
    while (this.#busy >= MAX_BUSY) await nextTurn()
    const until = performance.now() + this.#timeout
    let changes = this.#attempt(writes, false)
    while (changes === undefined) {
      await wait(BUSY_PAUSE)
      changes = this.#attempt(writes, performance.now() >= until)
    }
    return changes
  }

  /** `undefined` when another process is writing and this is not the last attempt. */
  #attempt(writes: readonly Write[], isLast: boolean): Changes | undefined {
    const began = performance.now()
    this.#database.exec('PRAGMA busy_timeout = 0')
    const outcome = outcomeOf(() => this.#run(writes))
    this.#database.exec(`PRAGMA busy_timeout = ${this.#busyTimeout}`)
    this.#count(performance.now() - began)
    if (!('error' in outcome)) return outcome
    if (isLast || !isBusy(outcome.error)) throw outcome.error
    return undefined
  }

  #count(milliseconds: number): void {
    if (this.#busy === 0) setImmediate(() => (this.#busy = 0))
    this.#busy += milliseconds
  }

  /** A savepoint instead of a transaction, because the app may have one open on this connection. */
  #run(writes: readonly Write[]): Changes {
    const [only] = writes
    if (only !== undefined && writes.length === 1) return [changesOf(only)]
    this.#database.exec('SAVEPOINT fastify_session_guard')
    try {
      const changes = writes.map((write) => changesOf(write))
      this.#database.exec('RELEASE fastify_session_guard')
      return changes
    } catch (error) {
      this.#takeBack()
      throw error
    }
  }

  /** A full disk makes SQLite itself take the step back, savepoint included. The error to report is the first one. */
  #takeBack(): void {
    try {
      this.#database.exec('ROLLBACK TO fastify_session_guard; RELEASE fastify_session_guard')
    } catch {
      // Nothing of the step is left.
    }
  }
}

function changesOf({ statement, values }: Write): number {
  return Number(statement.run(...values).changes)
}

/** SQLITE_BUSY and its extensions, as better-sqlite3 and as node:sqlite say it. */
function isBusy(error: unknown): boolean {
  const { code, errcode } = error as { code?: unknown; errcode?: unknown }
  return (typeof code === 'string' && code.startsWith('SQLITE_BUSY')) || (Number(errcode) & 0xff) === 5
}

function outcomeOf<Result extends object>(run: () => Result): Result | { error: unknown } {
  try {
    return run()
  } catch (error) {
    return { error }
  }
}
