import { SecureSessionError } from '../errors.ts'
import { SessionEvents } from '../events.ts'
import { resolveOptions } from '../options.ts'
import { TimedStore } from '../storage/timed-store.ts'
import { UserSessions } from '../session/user-sessions.ts'
import type { Clocked, Cutoff, Enumerating, SessionStore, Sweeping, UserIndex } from '../../types/index.ts'
import { firstLine } from './drivers.ts'
import { UsageError } from './io.ts'

/** A store with its connection. */
export interface OpenedStore {
  readonly store: SessionStore & UserIndex & Enumerating & Cutoff & Partial<Sweeping & Clocked>
  close(): Promise<void>
}

/** How long a connection may take, in milliseconds. */
export const CONNECT_TIMEOUT = 5_000

/** How long an answer may take, in milliseconds. */
const ANSWER_TIMEOUT = 10_000

/** Sessions by user, as an app has them: revoked in the same order, with the same care for logins that run beside. */
export function userSessions(store: OpenedStore['store']): UserSessions {
  const log = { info: ignore, warn: ignore, error: ignore }
  const events = new SessionEvents(log, Date.now)
  const settings = resolveOptions({}, 'production')
  return new UserSessions(settings, new TimedStore(store, ANSWER_TIMEOUT, events), events)
}

/** What went wrong, in one line without the password of the store's URL. */
export function explainFailure(error: unknown, url: string): string {
  const cause = error instanceof SecureSessionError ? error.cause : error
  return passwordsOf(url).reduce((text, password) => without(text, password), firstLine(cause))
}

/** A password shorter than this is part of many words, and taken out only where it stands by itself. */
const LONG_ENOUGH = 4

function without(text: string, password: string): string {
  if (password.length >= LONG_ENOUGH) return text.replaceAll(password, '***')
  const literal = password.replaceAll(/[.*+?^${}()|[\]\\]/g, '\\$&')
  return text.replaceAll(new RegExp(`(?<!\\w)${literal}(?!\\w)`, 'g'), '***')
}

/** As written, and as meant. */
function passwordsOf(url: string): string[] {
  if (!URL.canParse(url)) return []
  const { password, searchParams } = new URL(url)
  const written = [password, searchParams.get('password') ?? '']
  return [...written, ...written.map((one) => decoded(one))].filter((one) => one !== '')
}

/** A `%` that nobody encoded stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** `db.example:5432` of a URL: enough to see which one was meant. */
export function placeOf(url: string): string {
  return URL.canParse(url) && !url.startsWith('sqlite:') ? new URL(url).host || 'its default address' : url
}

/** What a store says of a table's name is about `--table`. */
export function withTable<Store>(open: () => Store): Store {
  try {
    return open()
  } catch (error) {
    throw error instanceof TypeError ? new UsageError(`--table: ${error.message}.`) : error
  }
}

function ignore(): void {}
