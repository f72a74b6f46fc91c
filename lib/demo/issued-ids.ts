import { hash } from 'node:crypto'
import { BoundedMap } from './bounded-map.ts'
import { fingerprintOf } from './fingerprint.ts'
import type { Journal } from './journal.ts'

/** A secret that the bank gave to a browser. The secret itself is not kept. */
export interface IssuedSecret {
  readonly at: Date
  /** The short name that `fingerprintOf` gives. */
  readonly fingerprint: string
  /** The reason why the secret was issued, in words. */
  readonly reason: string
}

interface Kept extends IssuedSecret {
  /** SHA-256 of the whole cookie value. */
  readonly hash: string
}

const MAX_SESSIONS = 500

/** The number of secrets that are kept for one session. */
const MAX_SECRETS = 5

/**
 * Remembers which ids the bank put into `Set-Cookie`, so that the panel can show how the secret of a session changed.
 */
export class IssuedIds {
  readonly #journal: Journal
  readonly #secrets = new BoundedMap<readonly Kept[]>(MAX_SESSIONS)

  constructor(journal: Journal) {
    this.#journal = journal
  }

  /** Notes an id right after the events that led to it. */
  note(cookieValue: string, now: number): void {
    const handle = handleIn(cookieValue)
    const reason = this.#journal.reasonOfSecret(handle)
    const fingerprint = fingerprintOf(cookieValue)
    const kept = { at: new Date(now), fingerprint, reason, hash: hash('sha256', cookieValue) }
    this.#secrets.set(handle, [...(this.#secrets.get(handle) ?? []), kept].slice(-MAX_SECRETS))
  }

  /** Returns the secrets of one session, the oldest first. */
  secretsOf(handle: string): readonly IssuedSecret[] {
    return this.#secrets.get(handle) ?? []
  }

  /**
   * Returns the handle in a cookie that the bank issued. `undefined` for any other cookie, because a visitor must not
   * learn the end of a session whose handle is all they know.
   */
  handleOf(cookieValue: string): string | undefined {
    const handle = handleIn(cookieValue)
    const presented = hash('sha256', cookieValue)
    return this.#secrets.get(handle)?.some((kept) => kept.hash === presented) === true ? handle : undefined
  }
}

function handleIn(cookieValue: string): string {
  return cookieValue.slice(0, cookieValue.indexOf('.'))
}
