import { Socket } from 'node:net'
import type { DriverModule } from './drivers.ts'
import { loadDriver } from './drivers.ts'
import { postgresStore } from '../stores/postgres.ts'
import { CONNECT_TIMEOUT, withTable } from './opened-store.ts'
import type { OpenedStore } from './opened-store.ts'

type StorePool = Parameters<typeof postgresStore>[0]['pool']

interface PgModule extends DriverModule {
  Pool: new (options: object) => StorePool & { end(): Promise<void> }
}

/** How long a server may take to say goodbye, in milliseconds. */
const GOODBYE = 500

/** Opens a PostgreSQL store with the `pg` of the project. */
export function openPostgres(url: string, named: { table?: string }, cwd: string): OpenedStore {
  const { Pool } = loadDriver<PgModule>(cwd, ['pg'])
  const sockets: Socket[] = []
  const cut = (): void => sockets.forEach((socket) => socket.destroy())
  const pool = new Pool({
    connectionString: url,
    connectionTimeoutMillis: CONNECT_TIMEOUT,
    max: 2,
    // A login that fails on this side leaves its connection open, and a command that waits for it.
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
