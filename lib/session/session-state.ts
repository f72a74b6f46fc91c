import type { SessionRecord, SessionUser } from '../../types/index.ts'
import type { SessionData } from './data.ts'
import { isReserved, isSameData, parseData, serialize } from './data.ts'
import { newHandle } from './id.ts'
import type { Loaded } from './load.ts'
import type { Client, EngineSession, Parts } from './parts.ts'
import { sessionObject } from './session-object.ts'
import type { Rotation } from './next-record.ts'
import { isUpkeepDue } from './next-record.ts'

/** What a response says about the session cookie; `undefined` says nothing. */
export type CookieAnswer = { readonly kind: 'clear' } | { readonly kind: 'set'; readonly value: string } | undefined

/** Stands for data that nobody has looked at. */
const UNOPENED: SessionData = Object.freeze({})

/** What one request knows of its session: what the cookie led to, what is staged on it, and what the response will say. */
export abstract class SessionState {
  readonly parts: Parts
  readonly client: Client
  /** The record as loaded, or as this request last wrote it. */
  record: SessionRecord | undefined
  /** Hash of the secret in the request's cookie. */
  presented = ''
  isChecked = false
  /** Handle of a record that this request came for and may not write to. */
  lost: string | undefined
  isTouched = false
  /** Whether the app has saved it itself. */
  isSaved = false
  rotation: Rotation | undefined
  /** Whether the data was begun anew, so that nothing another request wrote to the old content may come back. */
  isNewData = false
  /** Whether nothing of the old data was kept, so that all there is was written by this request. */
  isAllOwn = false
  /** What the response says about the cookie, once that is settled. */
  answer: CookieAnswer
  /** Whether the app looked at who is asking, so that the response depends on the cookie. */
  isRead = false
  /** Whether the user was logged out by this request. */
  isLoggedOut = false
  /** Whether the cookie is settled, and can no longer change. */
  isAnswered = false
  /** Whether the response's headers carry this session's cookie. */
  isInHeaders = false
  /** The record as it was before this request rotated it, to go back to if the response fails after all. */
  before: { readonly record: SessionRecord | undefined; readonly answer: CookieAnswer } | undefined
  #handle: string | undefined
  #session: EngineSession | null | undefined
  #raw = UNOPENED
  #baseline: string | undefined
  #user: { readonly json: string | null; readonly value: SessionUser | null } | undefined

  constructor(parts: Parts, client: Client, loaded: Loaded) {
    this.parts = parts
    this.client = client
    if (loaded.state === 'live') {
      this.record = loaded.record
      this.presented = loaded.secretHash
      this.isChecked = loaded.isChecked
    }
    this.lost = loaded.state === 'shadowed' ? loaded.handle : undefined
    this.answer = loaded.state === 'gone' ? { kind: 'clear' } : undefined
  }

  /** Names the record that this request reads or would create. */
  get handle(): string {
    return (this.#handle ??= this.record?.handle ?? newHandle())
  }

  /** A handle of its own, for a login whose old record went to somebody else. */
  moveTo(handle: string): void {
    this.#handle = handle
  }

  get userJson(): string | null {
    return this.rotation?.identity?.user ?? this.record?.user ?? null
  }

  get userId(): string | null {
    return this.rotation?.identity?.userId ?? this.record?.userId ?? null
  }

  /** The snapshot given to `login`; the same object for the rest of the request. */
  get user(): SessionUser | null {
    const json = this.userJson
    if (this.#user?.json !== json || this.#user === undefined) {
      this.#user = { json, value: json === null ? null : this.parts.snapshots.read(json) }
    }
    return this.#user.value
  }

  get authenticatedAt(): Date | null {
    if (this.rotation?.identity !== undefined) return new Date(this.parts.settings.clock())
    const at = this.record?.authenticatedAt ?? null
    return at === null ? null : new Date(at)
  }

  /** The session object; `null` after `destroy`. Made on first use. */
  get session(): EngineSession | null {
    if (this.#session === undefined) this.read()
    return this.#session ?? null
  }

  /** The data as the app left it. */
  get json(): string {
    return this.#raw === UNOPENED ? this.baseline : serialize(this.#raw)
  }

  /** The data as this request last read or wrote it. Not what a write merged it with: that was never in the app's hands. */
  get baseline(): string {
    return this.#baseline ?? this.record?.data ?? '{}'
  }

  /** Whether the end of this request has something to write. */
  get hasWork(): boolean {
    const isAsked = this.rotation !== undefined || this.isTouched || this.isChecked || this.isNewData
    if (isAsked || this.isModified()) return true
    return this.record !== undefined && isUpkeepDue(this.record, this.presented, this.parts.settings)
  }

  /** Whether the data differs from what was loaded. */
  isModified(): boolean {
    return this.#raw !== UNOPENED && !isSameData(this.#raw, this.baseline)
  }

  abstract save(): Promise<void>
  abstract destroy(): Promise<void>
  abstract regenerate(keys?: readonly string[]): Promise<void>
  abstract reload(): Promise<void>

  /** The record is gone or somebody else's: this request goes on with none, and may not begin one but by a login. */
  loseRecord(): void {
    const { handle } = this
    this.forget()
    this.lost = handle
    this.answer = undefined
  }

  holds(data: SessionData): boolean {
    return this.#raw === data
  }

  /** Begins again with no record and nothing staged. */
  forget(): void {
    this.record = undefined
    this.rotation = undefined
    this.#handle = undefined
    this.#session = undefined
    this.discard()
  }

  /** Drops what the app did to the data. A session that was destroyed stays so. */
  discard(): void {
    this.#session &&= undefined
    this.#raw = UNOPENED
    this.#baseline = undefined
    this.isNewData = false
    this.isAllOwn = false
    this.isTouched = false
  }

  /** Puts an object that holds the record's data in the place of the current one. */
  read(): void {
    this.#baseline = this.record?.data ?? '{}'
    this.open(parseData(this.#baseline))
  }

  /** Notes what the app's data was when it was written. */
  settle(json: string): void {
    if (this.#raw !== UNOPENED) this.#baseline = json
  }

  /** Puts an object that holds `data` in the place of the current one. */
  open(data: SessionData): void {
    const { handle, parts, client } = this
    this.#raw = data
    this.#session = sessionObject(this, data, () => parts.openSession(handle, client.protocol))
  }

  /** Leaves `null` where the session object was. */
  close(): void {
    this.#session = null
  }

  /** Makes a session object possible again after `close`. */
  reopen(): void {
    if (this.#session === null) this.#session = undefined
  }

  /** Removes a key from the data, without opening data that cannot hold it. */
  drop(key: string): void {
    if (this.#raw === UNOPENED) {
      if (!this.baseline.includes(key)) return
      this.read()
    }
    delete this.#raw[key]
  }

  /** Puts a session object in the place of the current one that holds of its data only these keys. */
  keepOnly(keys: readonly string[]): void {
    const kept = pick(this.session ?? {}, keys)
    // Of what is kept, this is the record's; the rest was written by this request.
    const known = pick(parseData(this.baseline), keys)
    this.open(kept)
    this.#baseline = JSON.stringify(known)
    this.isNewData = true
    this.isAllOwn = Object.keys(kept).length === 0
  }
}

function pick(data: SessionData, keys: readonly string[]): SessionData {
  const picked: SessionData = {}
  for (const key of keys) {
    if (!isReserved(key) && Object.hasOwn(data, key)) picked[key] = data[key]
  }
  return picked
}
