import type { Listener, Unsubscribe } from './listeners.ts'
import type { SqliteStatement } from './sqlite-driver.ts'

/** Milliseconds between two looks for writes of other connections. One look costs some ten microseconds. */
const LOOK_INTERVAL = 100

/** Ends that one look tells. Those beyond are told by the following looks. */
const MAX_TOLD = 1000

/** The statements that a look needs. */
export interface LookStatements {
  /** `data_version`: a number that changes when another connection has written. */
  readonly version: SqliteStatement
  /** `id` and `handle` of the ends after an id, in their order. */
  readonly endsAfter: SqliteStatement
  /** The `id` of the last end. */
  readonly lastEnd: SqliteStatement
  readonly cutoff: SqliteStatement
}

/**
 * Looks for what other connections announce, again and again until the returned function is called. SQLite has no way
 * to tell another process, so each process asks for a number that SQLite keeps in shared memory. Never keeps the
 * process alive.
 */
export function watchFile(statements: LookStatements, tell: Listener): Unsubscribe {
  let version = versionOf(statements)
  let last = Number((statements.lastEnd.get() as { id: number | null }).id)
  let cutoff = cutoffIn(statements)
  const look = (): void => {
    const found = versionOf(statements)
    if (found === version) return
    const ends = statements.endsAfter.all(last, MAX_TOLD) as { id: number | bigint; handle: string }[]
    for (const { id, handle } of ends) {
      last = Number(id)
      tell({ handle })
    }
    const inForce = cutoffIn(statements)
    if (inForce > cutoff) tell({ cutoff: (cutoff = inForce) })
    if (ends.length < MAX_TOLD) version = found
  }
  const timer = setInterval(() => attempt(look), LOOK_INTERVAL).unref()
  return async () => clearInterval(timer)
}

/** The file may be busy or gone. The next look tries again, and a request says what is wrong. */
function attempt(look: () => void): void {
  try {
    look()
  } catch {
    // Nothing is lost: what was not told is told by the next look.
  }
}

function versionOf({ version }: LookStatements): number {
  return Number((version.get() as { data_version: number | bigint }).data_version)
}

function cutoffIn({ cutoff }: LookStatements): number {
  return (cutoff.get() as { cutoff: number } | undefined)?.cutoff ?? 0
}
