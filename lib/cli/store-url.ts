import { statSync } from 'node:fs'
import { resolve } from 'node:path'
import { sqliteStore } from '../stores/sqlite.ts'
import { loadDriver, StoreUnusable } from './drivers.ts'
import { UsageError } from './io.ts'
import type { OpenedStore } from './opened-store.ts'
import { withTable } from './opened-store.ts'
import { openPostgres } from './postgres-url.ts'
import { openRedis } from './redis-url.ts'

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

/** What `STORE_OPTIONS` parse to. */
export type StoreFlags = { store?: string | undefined; table?: string | undefined; prefix?: string | undefined }

/**
 * Opens the store behind `--store` with the driver of the project in `cwd`. Creates nothing.
 * @throws `UsageError` when the flags are wrong, `StoreUnusable` when the driver or the store is
 */
export async function openStore(url: string, { table, prefix }: StoreFlags, cwd: string): Promise<OpenedStore> {
  const scheme = /^([a-z][a-z0-9+.-]*):/i.exec(url)?.[1]?.toLowerCase()
  const isRedis = scheme === 'redis' || scheme === 'rediss'
  if (isRedis && table !== undefined) throw new UsageError('--table is for SQLite and PostgreSQL; Redis has --prefix.')
  if (!isRedis && prefix !== undefined) throw new UsageError('--prefix is for Redis; other stores have --table.')
  const named = table === undefined ? {} : { table }
  switch (scheme) {
    case 'redis':
    case 'rediss':
      return openRedis(checkedUrl(url), prefix, cwd)
    case 'postgres':
    case 'postgresql':
      return openPostgres(checkedUrl(url), named, cwd)
    case 'sqlite':
      return openSqlite(url.slice('sqlite:'.length), named, cwd)
    case undefined:
    default:
      // The rest of it may hold a password.
      throw new UsageError(
        `--store begins with redis://, rediss://, postgres:// or sqlite:${scheme === undefined ? '' : `, not with ${scheme}:`}.`,
      )
  }
}

function checkedUrl(url: string): string {
  if (url.includes('://') && URL.canParse(url)) return url
  throw new UsageError('--store is no valid URL: scheme://user:password@host/name, special characters as %XX.')
}

interface SqliteConnection {
  readonly database: Parameters<typeof sqliteStore>[0]['database'] & { close(): unknown }
}

async function openSqlite(path: string, named: { table?: string }, cwd: string): Promise<OpenedStore> {
  // Two slashes would begin a host, and a password may stand before one.
  if (path === '' || /^\/\/(?!\/)/.test(path)) throw new UsageError('--store: after sqlite: goes the path of a file.')
  const file = resolve(cwd, path.replace(/^\/\/(?=\/)/, ''))
  const found = statSync(file, { throwIfNoEntry: false })
  // A driver would make a new file, and find nothing in it.
  if (found === undefined) throw new StoreUnusable(`There is no file ${path}.`)
  if (!found.isFile()) throw new StoreUnusable(`${path} is no file.`)
  const { database } = openDatabase(file, cwd)
  try {
    return {
      store: withTable(() => sqliteStore({ database, createTable: false, ...named })),
      close: async () => void database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

function openDatabase(file: string, cwd: string): SqliteConnection {
  const driver = loadDriver(cwd, ['better-sqlite3', 'node:sqlite'])
  const Database = (typeof driver === 'function' ? driver : driver['DatabaseSync']) as new (
    name: string,
  ) => SqliteConnection['database']
  return { database: new Database(file) }
}
