import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryStore } from '../index.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { SecureSessionOptions } from '../../types/index.ts'

/** Where the bank can keep its sessions. */
export const STORE_NAMES = ['memory', 'sqlite'] as const
export type StoreName = (typeof STORE_NAMES)[number]

/** What keeps the bank's sessions, and the options that go with it. */
export interface Keeping {
  readonly session: Pick<SecureSessionOptions, 'store' | 'secret' | 'sweepInterval'>
  /** Where the sessions are and how long they last, in words. */
  readonly words: string
  readonly close: () => void
}

/** A folder in which nothing can be kept. */
export class KeepingError extends Error {}

/**
 * Opens the store of this name: the one place to choose. What is to outlast the process is kept in `folder`.
 * @throws `KeepingError`
 */
export async function openStore(name: StoreName, folder: string): Promise<Keeping> {
  if (name === 'memory') return openMemory()
  try {
    return await openSqlite(folder)
  } catch (cause) {
    throw new KeepingError(`Sessions cannot be kept in ${folder}: ${(cause as Error).message}`, { cause })
  }
}

function openMemory(): Keeping {
  const words = 'Sessions are kept in memory: they end with this process.'
  return { session: { store: memoryStore() }, words, close: () => undefined }
}

async function openSqlite(folder: string): Promise<Keeping> {
  const files = { database: join(folder, 'sessions.db'), secret: join(folder, 'secret') }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const secret = await keptSecret(files.secret)
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(files.database)
  return {
    session: { store: sqliteStore({ database }), secret, sweepInterval: '1h' },
    words: `Sessions are kept in ${files.database}, what signs them in ${files.secret}: logins outlast this process, payments do not.`,
    close: () => database.close(),
  }
}

/** The same secret as the last time, for a cookie that it signed is worth as much as the session in the file. */
async function keptSecret(file: string): Promise<string> {
  const fresh = randomBytes(32).toString('base64url')
  if (!existsSync(file)) await writeFile(file, fresh, { flag: 'wx', mode: 0o600 })
  return readFile(file, 'utf8')
}
