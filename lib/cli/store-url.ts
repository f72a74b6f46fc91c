import type { OpenedStore } from '../stores/open/opened.ts'
import { StoreTableError, StoreUrlError } from '../stores/open/opened.ts'
import { openUrl, schemeOf } from '../stores/open/store-url.ts'
import { UsageError } from './io.ts'

/** Options of every command that opens a store, for `parseArgs`. */
export const STORE_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  store: { type: 'string' },
  table: { type: 'string' },
  prefix: { type: 'string' },
} as const

export const STORE_HELP = `  --store <url>    redis://…, rediss://…, postgres://… or sqlite:PATH
  --table <name>   the table of a SQLite or PostgreSQL store, when the app names one
  --prefix <text>  the prefix of a Redis store, when the app names one

The driver is the one that your project has installed: redis or ioredis, pg, better-sqlite3 (or Node's own).`

/** The parsed `STORE_OPTIONS`. */
export type StoreFlags = { store?: string | undefined; table?: string | undefined; prefix?: string | undefined }

/**
 * Opens the store behind `--store` with the driver of the project in `cwd`. Creates nothing.
 * @throws `UsageError` when the flags are wrong, `StoreUnusable` when the driver or the store is
 */
export async function openStore(url: string, { table, prefix }: StoreFlags, cwd: string): Promise<OpenedStore> {
  const isRedis = /^rediss?$/.test(schemeOf(url) ?? '')
  if (isRedis && table !== undefined) throw new UsageError('--table is for SQLite and PostgreSQL; Redis has --prefix.')
  if (!isRedis && prefix !== undefined) throw new UsageError('--prefix is for Redis; other stores have --table.')
  try {
    return await openUrl(url, { from: [cwd], isApp: false, table, prefix })
  } catch (error) {
    if (error instanceof StoreUrlError) throw new UsageError(`--store: ${error.message}`)
    throw error instanceof StoreTableError ? new UsageError(`--table: ${error.message}.`) : error
  }
}
