import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { performance } from 'node:perf_hooks'
import { setTimeout as wait } from 'node:timers/promises'
import Database from 'better-sqlite3'
import { Pool } from 'pg'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { sweepAll } from '../../lib/storage/sweeper.ts'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import type { Sweeping } from '../../types/index.ts'

/** The cost of removing many expired records. */
interface SweepResult {
  readonly store: string
  readonly rows: number
  readonly perSecond: number
  /** The longest time in which the event loop did nothing else, in milliseconds. */
  readonly longestPause: number
  /** The same while nothing was swept: what the rest of the machine does to it. */
  readonly longestIdlePause: number
}

/** Fills a table with expired records of about a kilobyte and one index entry each, in the words of either SQL. */
function fill(rows: number, series: string, digest: string): string {
  const record = `'{"data":"' || ${digest} || '${'x'.repeat(900)}"}'`
  return `INSERT INTO sessions (handle, version, last_seen_at, idle_deadline, record)
      SELECT ${digest}, 1, 0, i, ${record} FROM ${series} LIMIT ${rows};
    INSERT INTO sessions_index (user_key, handle, expires_at)
      SELECT 'user-' || (i % 1000), ${digest}, i FROM ${series} LIMIT ${rows};`
}

/** Sweeps `rows` expired records from SQLite in a file. */
export async function sweepSqlite(rows: number): Promise<SweepResult> {
  const folder = await mkdtemp(join(tmpdir(), 'session-guard-sweep-'))
  const database = new Database(join(folder, 'sessions.db'))
  try {
    const store = sqliteStore({ database })
    const series = `(WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < ${rows}) SELECT i FROM n)`
    database.exec(fill(rows, series, "printf('%022d', (i * 7919) % 1000000007)"))
    return await measure('SQLite (better-sqlite3, WAL, in a file)', rows, store)
  } finally {
    database.close()
    await rm(folder, { recursive: true })
  }
}

/** Sweeps `rows` expired records from a PostgreSQL that is started for it. */
export async function sweepPostgres(rows: number): Promise<SweepResult> {
  const ends: (() => Promise<void>)[] = []
  const server = await startPostgres({ teardown: (end) => ends.push(end) })
  const pool = new Pool({ connectionString: server.url })
  try {
    const store = postgresStore({ pool, createTable: true })
    await store.get('nobody')
    await pool.query(fill(rows, `generate_series(1, ${rows}) AS i`, 'left(md5(i::text), 22)'))
    await pool.query('ANALYZE')
    return await measure('PostgreSQL', rows, store)
  } finally {
    await pool.end()
    for (const end of ends) await end()
  }
}

async function measure(name: string, rows: number, store: Sweeping): Promise<SweepResult> {
  const idle = await longestPauseOf(() => wait(3000))
  let seconds = 0
  const longestPause = await longestPauseOf(async () => {
    const began = performance.now()
    await sweepAll((limit) => store.sweep(Date.now(), limit))
    seconds = (performance.now() - began) / 1000
  })
  return { store: name, rows, perSecond: rows / seconds, longestPause, longestIdlePause: idle }
}

/** Returns the longest pause of the event loop: a turn that comes late was held up by this many milliseconds. */
async function longestPauseOf(work: () => Promise<unknown>): Promise<number> {
  let longest = 0
  let last = performance.now()
  let isOver = false
  const look = (): void => {
    const now = performance.now()
    longest = Math.max(longest, now - last)
    last = now
    if (!isOver) setImmediate(look)
  }
  setImmediate(look)
  await work()
  isOver = true
  return longest
}
