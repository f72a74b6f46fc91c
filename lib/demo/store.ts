import { randomBytes } from 'node:crypto'
import { existsSync } from 'node:fs'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { memoryStore } from '../index.ts'
import { sqliteStore } from '../stores/sqlite.ts'
import type { SecureSessionOptions } from '../../types/index.ts'

/** The names of the stores that the bank can keep its sessions in. */
export const STORE_NAMES = ['memory', 'sqlite'] as const
export type StoreName = (typeof STORE_NAMES)[number]

/** An open store for the bank's sessions, with the options that belong to it. */
export interface Keeping {
  readonly session: Pick<SecureSessionOptions, 'store' | 'secret' | 'sweepInterval'>
  /** Says where the sessions are and how long they last. */
  readonly words: string
  readonly close: () => void
}

/** An error about a folder in which sessions cannot be kept. */
export class KeepingError extends Error {}

/**
 * Opens the store of this name. Files that outlast the process are kept in `folder`. The store goes by `clock`.
 * @throws `KeepingError`
 */
export async function openStore(name: StoreName, folder: string, clock: () => number): Promise<Keeping> {
  if (name === 'memory') return openMemory(clock)
  try {
    return await openSqlite(folder, clock)
  } catch (cause) {
    throw new KeepingError(`Sessions cannot be kept in ${folder}: ${(cause as Error).message}`, { cause })
  }
}

function openMemory(clock: () => number): Keeping {
  const words = 'Sessions are kept in memory: they end with this process.'
  return { session: { store: memoryStore({ clock }) }, words, close: () => undefined }
}

async function openSqlite(folder: string, clock: () => number): Promise<Keeping> {
  const files = { database: join(folder, 'sessions.db'), secret: join(folder, 'secret') }
  await mkdir(folder, { recursive: true, mode: 0o700 })
  const secret = await keptSecret(files.secret)
  const { default: Database } = await import('better-sqlite3')
  const database = new Database(files.database)
  return {
    session: { store: sqliteStore({ database, clock }), secret, sweepInterval: '1h' },
    words: `Sessions are kept in ${files.database}, and the secret that signs them in ${files.secret}. Logins outlast this process, payments do not.`,
    close: () => database.close(),
  }
}

/** Returns the secret of the last run, because a cookie is good only under the secret that signed it. */
async function keptSecret(file: string): Promise<string> {
  if (!existsSync(file)) await writeFile(file, newSecret(), { flag: 'wx', mode: 0o600 })
  return readFile(file, 'utf8')
}

/** Makes a secret for signing cookies: 32 random bytes. */
export function newSecret(): string {
  return randomBytes(32).toString('base64url')
}
