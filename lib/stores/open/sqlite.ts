import { statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'
import type { SqliteDatabase } from '../sqlite.ts'
import { sqliteStore } from '../sqlite.ts'
import { installedVersion, loadDriver, StoreUnusable } from './drivers.ts'
import type { OpenedStore, OpenSettings } from './opened.ts'
import { StoreUrlError, withTable } from './opened.ts'

type Connection = SqliteDatabase & { close(): unknown }

/** Opens the SQLite file at a path. A command does not make a new file, because a new one has nothing in it. */
export function openSqlite(path: string, { from, isApp, table }: OpenSettings): OpenedStore {
  // Two slashes would begin a host, and a password may stand before one.
  if (path === '' || /^\/\/(?!\/)/.test(path)) throw new StoreUrlError('after sqlite: goes the path of a file.')
  if (path === ':memory:') {
    throw new StoreUrlError('a database in memory ends with the process: name a file, or take memoryStore().')
  }
  if (path.includes('?')) throw new StoreUrlError('after sqlite: goes the path of a file, and no settings behind a ?.')
  const file = resolve(from[0], path.replace(/^\/\/(?=\/)/, ''))
  const found = statSync(file, { throwIfNoEntry: false })
  if (found === undefined && !isApp) throw new StoreUnusable(`There is no file ${path}.`)
  if (found?.isFile() === false) throw new StoreUnusable(`${path} is no file.`)
  if (statSync(dirname(file), { throwIfNoEntry: false })?.isDirectory() !== true) {
    throw new StoreUnusable(`There is no folder for the file ${path}: create it first.`)
  }
  const database = connectionTo(file, from)
  try {
    const named = table === undefined ? {} : { table }
    return {
      store: withTable(() => sqliteStore({ database, createTable: isApp, ...named })),
      close: async () => void database.close(),
    }
  } catch (error) {
    database.close()
    throw error
  }
}

function connectionTo(file: string, from: readonly string[]): Connection {
  const driver = loadDriver(from, sqliteDrivers(process.versions.node, installedVersion(from, 'better-sqlite3')))
  const Database = (typeof driver === 'function' ? driver : driver['DatabaseSync']) as new (name: string) => Connection
  try {
    return new Database(file)
  } catch (error) {
    throw isNotBuilt(error) ? new StoreUnusable(NOT_BUILT) : error
  }
}

const NOT_BUILT = 'The package better-sqlite3 is not built for this Node: npm rebuild better-sqlite3'

/** Tells whether the binary of a driver is missing, or is meant for another Node or another machine. */
function isNotBuilt(error: unknown): boolean {
  const { code, message } = error as NodeJS.ErrnoException
  return code === 'ERR_DLOPEN_FAILED' || message.startsWith('Could not locate the bindings file')
}

/** better-sqlite3 before this version ends a process of Node 24.19 or later when it is loaded (nodejs/node#65446). */
const FIRST_SAFE = 13

/**
 * The drivers of SQLite that this Node can load, the best one first.
 * @param node version of Node, as in `24.19.0`
 * @param better version of better-sqlite3 that is installed, `undefined` for none
 */
export function sqliteDrivers(node: string, better: string | undefined): readonly [string, ...string[]] {
  const [major = 0, minor = 0] = node.split('.').map(Number)
  const isNew = major > 24 || (major === 24 && minor >= 19)
  if (isNew && better !== undefined && Number.parseInt(better, 10) < FIRST_SAFE) return ['node:sqlite']
  return ['better-sqlite3', 'node:sqlite']
}
