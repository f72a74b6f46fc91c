import { Socket } from 'node:net'
import { refusesStartupParameter } from '../postgres-errors.ts'
import type { PostgresPool } from '../postgres.ts'
import { postgresStore } from '../postgres.ts'
import type { DriverModule } from './drivers.ts'
import { loadDriver } from './drivers.ts'
import type { OpenedStore, OpenSettings } from './opened.ts'
import { CONNECT_TIMEOUT, withTable } from './opened.ts'

interface Pool extends PostgresPool {
  end(): Promise<void>
  query(text: string): Promise<{ rows: readonly { statement_timeout?: string }[] }>
}

interface PgModule extends DriverModule {
  Pool: new (options: object) => Pool
}

/** The time that a server may take to say goodbye, in milliseconds. */
const GOODBYE = 500

/**
 * Limits of an app, in milliseconds. Both are below `storeTimeout`, so that nothing is written for a request that got
 * its 503.
 */
const APP_LIMITS = { connectionTimeoutMillis: 1_500, statement_timeout: 1_500 }

const NO_LIMIT =
  'No statement_timeout holds for the session store, because a pooler such as PgBouncer takes none from its clients: ' +
  "run ALTER ROLE ... SET statement_timeout = '1500ms' for the user of the store"

/** Opens a PostgreSQL store with the `pg` of a project. */
export async function openPostgres(url: string, { from, isApp, table }: OpenSettings): Promise<OpenedStore> {
  const { Pool } = loadDriver<PgModule>(from, ['pg'])
  const named = table === undefined ? {} : { table }
  if (!isApp) return openOnce(Pool, url, named)
  const pool = await connected(Pool, url)
  try {
    return { store: withTable(() => postgresStore({ pool, createTable: true, ...named })), close: () => pool.end() }
  } catch (error) {
    await pool.end()
    throw error
  }
}

/** Connects with both limits, or with one where a pooler lets no client set `statement_timeout`, as PgBouncer does. */
async function connected(Pool: PgModule['Pool'], url: string): Promise<Pool> {
  try {
    return await tried(new Pool({ connectionString: url, ...APP_LIMITS }))
  } catch (error) {
    if (!refusesStartupParameter(error)) throw error
    return tried(new Pool({ connectionString: url, connectionTimeoutMillis: APP_LIMITS.connectionTimeoutMillis }))
  }
}

async function tried(pool: Pool): Promise<Pool> {
  try {
    const { rows } = await pool.query('SHOW statement_timeout')
    const isUnlimited = rows.some(({ statement_timeout: limit }) => limit === '0')
    if (isUnlimited) process.emitWarning(NO_LIMIT, { code: 'SESSION_STORE_STATEMENT_TIMEOUT' })
    return pool
  } catch (error) {
    await pool.end()
    throw error
  }
}

function openOnce(Pool: PgModule['Pool'], url: string, named: { table?: string }): OpenedStore {
  const sockets: Socket[] = []
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    max: 2,
    // A login that fails on this side leaves its connection open, and a command would wait for it.
    stream: () => {
      const socket = new Socket()
      sockets.push(socket)
      return socket
    },
  })
  return {
    store: withTable(() => postgresStore({ pool, ...named })),
    close: async () => {
      const timer = setTimeout(cut, GOODBYE)
      await pool.end()
      clearTimeout(timer)
      cut()
    },
  }
}
