import { Socket } from 'node:net'
import type { PostgresPool } from '../postgres.ts'
import { postgresStore } from '../postgres.ts'
import type { DriverModule } from './drivers.ts'
import { loadDriver } from './drivers.ts'
import type { OpenedStore, OpenSettings } from './opened.ts'
import { CONNECT_TIMEOUT, withTable } from './opened.ts'

type Pool = PostgresPool & { end(): Promise<void>; query(text: string): Promise<unknown> }

interface PgModule extends DriverModule {
  Pool: new (options: object) => Pool
}

/** The time that a server may take to say goodbye, in milliseconds. */
const GOODBYE = 500

/** Limits of an app, in milliseconds. Both are below `storeTimeout`, so that nothing is written for a request that got its 503. */
const APP_LIMITS = { connectionTimeoutMillis: 1_500, statement_timeout: 1_500 }

/** Opens a PostgreSQL store with the `pg` of a project. */
export async function openPostgres(url: string, { from, isApp, table }: OpenSettings): Promise<OpenedStore> {
  const { Pool } = loadDriver<PgModule>(from, ['pg'])
  const named = table === undefined ? {} : { table }
  if (!isApp) return openOnce(Pool, url, named)
  const pool = await connected(new Pool({ connectionString: url, ...APP_LIMITS }))
  try {
    return { store: withTable(() => postgresStore({ pool, createTable: true, ...named })), close: () => pool.end() }
  } catch (error) {
    await pool.end()
    throw error
  }
}

async function connected(pool: Pool): Promise<Pool> {
  try {
    await pool.query('SELECT 1')
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
