import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import Database from 'better-sqlite3'
import type { SqliteDatabase } from '../../lib/stores/sqlite.ts'

/** A connection as both drivers have it. */
export interface Connection extends SqliteDatabase {
  close(): unknown
}

/** A way to open a file, `:memory:` included. */
export interface SqliteDriver {
  readonly name: string
  open(file: string): Connection
}

interface NodeSqlite {
  DatabaseSync: new (file: string) => Connection
}

/** Returns the driver that comes with Node; `undefined` where this Node has none. */
export function nodeSqlite(): SqliteDriver | undefined {
  const found = process.getBuiltinModule('node:sqlite') as NodeSqlite | undefined
  return found && { name: 'node:sqlite', open: (file) => hasty(new found.DatabaseSync(file)) }
}

export const betterSqlite: SqliteDriver = {
  name: 'better-sqlite3',
  open: (file) => hasty(new Database(file)),
}

/** Waits for no disk: no test cuts the power, and a process that is killed loses nothing by it. */
function hasty<Opened extends Connection>(database: Opened): Opened {
  database.exec('PRAGMA synchronous = OFF')
  return database
}

/** Returns the drivers that this Node can run. */
export function sqliteDrivers(): SqliteDriver[] {
  const others = nodeSqlite()
  return others === undefined ? [betterSqlite] : [betterSqlite, others]
}

/** Makes a temporary folder, which is gone when the test ends. */
export function temporaryFolder(t: { teardown(end: () => void): void }): string {
  const folder = mkdtempSync(join(tmpdir(), 'session-guard-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
