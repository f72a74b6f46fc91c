import { SecureSessionError } from '../errors.ts'
import type { LoginOptions, LogoutOptions, SessionRecord, SessionUser } from '../../types/index.ts'
import type { CookieAnswer } from './commit.ts'
import { commit, undo } from './commit.ts'
import type { SessionData } from './data.ts'
import { isReserved, isSameData, parseData, serialize } from './data.ts'
import { sessionObject } from './session-object.ts'
import { newHandle } from './id.ts'
import type { Loaded } from './load.ts'
import { currentFingerprint, fingerprintOf, readRecord } from './load.ts'
import type { Client, EngineSession, Parts } from './parts.ts'
import type { Identity } from './record.ts'
import { userSnapshot } from './user-snapshot.ts'
import type { Rotation } from './write.ts'
import { isUpkeepDue } from './write.ts'

/**
 * One request's session: what its cookie led to, what the app did to it, and what the response will say. Changes are staged
 * and written by `finish`, before the first byte of the response; only `logout`, `destroy` and `save` act at once.
 */
export class RequestSession {
  readonly parts: Parts
  readonly client: Client
  /** The record as loaded, or as this request last wrote it. */
  record: SessionRecord | undefined
  /** Hash of the secret in the request's cookie. */
  presented = ''
  isChecked = false
  isShadowed = false
  isTouched = false
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
  before: { readonly record: SessionRecord | undefined } | undefined
  #handle: string | undefined
  #session: EngineSession | null | undefined
  #raw: SessionData | undefined
  #user: { readonly json: string | null; readonly value: SessionUser | null } | undefined
  #turn: Promise<unknown> = Promise.resolve()

  constructor(parts: Parts, client: Client, loaded: Loaded) {
    this.parts = parts
    this.client = client
    if (loaded.state === 'live') {
      this.record = loaded.record
      this.presented = loaded.secretHash
      this.isChecked = loaded.isChecked
    }
    this.isShadowed = loaded.state === 'shadowed'
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
      // `isRecord` and `login` both saw to it that a snapshot is a user.
      this.#user = { json, value: json === null ? null : (JSON.parse(json) as SessionUser) }
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
    if (this.#session === undefined) this.#open(parseData(this.record?.data ?? '{}'))
    return this.#session ?? null
  }

  /** The JSON by key of what the app left in the session. */
  get entries(): Map<string, string> {
    return serialize(this.#raw ?? {})
  }

  /** Whether the end of this request has something to write. */
  get hasWork(): boolean {
    if (this.rotation !== undefined || this.isTouched || this.isChecked || this.isNewData || this.isModified())
      return true
    return this.record !== undefined && isUpkeepDue(this.record, this.presented, this.parts.settings)
  }

  async login(user: SessionUser, options: LoginOptions = {}): Promise<void> {
    this.#refuseAfterAnswer()
    const json = userSnapshot(user, this.parts.settings.maxRecordSize)
    const isOther = this.userId !== null && this.userId !== user.id
    const authHash = options.authHash ?? this.parts.settings.authHash?.(user)
    await this.#abandonLogin()
    const earlier = await this.parts.users.reserve(user, this.handle, this.record)
    const keep = options.keep ?? !isOther
    if (this.#session === null) this.#session = undefined
    // Across users nothing survives that was not named.
    if (isOther || keep !== true) this.#keepOnly(keep === true ? [] : keep)
    this.rotation = {
      reason: 'login',
      login: { user, earlier },
      identity: {
        userId: user.id,
        user: json,
        ...this.#checked(fingerprintOf(user.id, authHash) ?? null),
        remember: options.remember ?? false,
        device: { userAgent: this.client.userAgent, ip: this.client.ip },
      },
    }
  }

  async logout(options: LogoutOptions = {}): Promise<void> {
    const { userId } = this
    if (userId === null) return
    if (options.everywhere === true || options.others === true) {
      await this.parts.users.revokeUser(userId, this.handle, 'revoked')
      if (options.others === true) return
    }
    const { handle } = this
    await this.#end()
    this.#reportLogout(handle, userId)
  }

  async confirmLogin(): Promise<void> {
    this.#refuseAfterAnswer()
    const { rotation, record } = this
    // A login in this request is as fresh as can be.
    if (rotation?.identity !== undefined) return
    if (record === undefined || record.userId === null || record.user === null) {
      throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
    }
    const { userId, user, remember, device } = record
    const { authHash, authCheckedAt } = rotation?.authHash === undefined ? record : this.#checked(rotation.authHash)
    this.rotation = { reason: 'confirm', identity: { userId, user, authHash, authCheckedAt, remember, device } }
  }

  async updateAuthHash(given?: string): Promise<void> {
    this.#refuseAfterAnswer()
    const { userId } = this
    if (userId === null) throw new SecureSessionError('SESSION_LOGIN_REQUIRED')
    const fingerprint =
      given === undefined ? await currentFingerprint(this.parts, userId) : fingerprintOf(userId, given)
    if (fingerprint === undefined) throw new SecureSessionError('SESSION_AUTH_HASH_UNSET')
    const { rotation } = this
    this.rotation = rotation?.identity
      ? { ...rotation, identity: { ...rotation.identity, ...this.#checked(fingerprint) } }
      : { reason: 'auth-hash', authHash: fingerprint }
  }

  /** Writes what is staged, now; whatever the response becomes, it stays written. */
  save(): Promise<void> {
    return this.#inTurn(async () => {
      if (this.record === undefined) this.#refuseAfterAnswer()
      await commit(this)
      this.before = undefined
    })
  }

  /** Ends this session now and leaves `null` in its place. */
  async destroy(): Promise<void> {
    const { handle, userId } = this
    await this.#end()
    this.#session = null
    if (userId !== null) this.#reportLogout(handle, userId)
  }

  /** A new id, and of the data only these keys. */
  async regenerate(keys: readonly string[] = []): Promise<void> {
    this.#refuseAfterAnswer()
    this.#keepOnly(keys)
    this.rotation ??= { reason: 'regenerate' }
  }

  /** Forgets what this request did to the data and reads the store again. */
  async reload(): Promise<void> {
    if (this.record !== undefined) {
      const latest = await readRecord(this.parts, this.record.handle)
      // Another epoch is another login: what it holds is not this request's to see.
      if (latest?.epoch === this.record.epoch) this.record = latest
      else this.loseRecord()
    }
    this.#open(parseData(this.record?.data ?? '{}'))
    this.isNewData = false
  }

  /** The record is gone or somebody else's: this request goes on with none, and may not begin one but by a login. */
  loseRecord(): void {
    this.#forget()
    this.isShadowed = true
    this.answer = undefined
  }

  /** Whether the data differs from what was loaded. */
  isModified(): boolean {
    return this.#raw !== undefined && !isSameData(this.#raw, this.record?.data ?? '{}')
  }

  /** The end of the request. A failed response leaves the session as it was. */
  async finish(isFailure: boolean): Promise<void> {
    this.isAnswered = true
    if (!isFailure) return this.#inTurn(() => commit(this))
    try {
      await undo(this)
      await this.#abandonLogin()
    } catch {
      // The response is a failure already, the event is out, and a place that nobody takes expires.
    }
    this.rotation = undefined
  }

  /** A fingerprint that is known to be right now. */
  #checked(authHash: string | null): Pick<Identity, 'authHash' | 'authCheckedAt'> {
    return { authHash, authCheckedAt: this.parts.settings.clock() }
  }

  #reportLogout(handle: string, userId: string): void {
    this.isLoggedOut = true
    this.parts.events.emit({ type: 'logout', handle, userId })
  }

  #refuseAfterAnswer(): void {
    if (this.isAnswered) throw new SecureSessionError('SESSION_RESPONSE_STARTED')
  }

  /** Puts an object that holds `data` in the place of the current one. */
  #open(data: SessionData): void {
    this.#raw = this.parts.openSession(this.handle, data, this.client.protocol)
    this.#session = sessionObject(this, this.#raw)
  }

  #keepOnly(keys: boolean | readonly string[]): void {
    if (keys === true) return
    const old = this.session === null || this.#raw === undefined ? {} : this.#raw
    const kept: SessionData = {}
    for (const key of keys === false ? [] : keys) {
      if (!isReserved(key) && Object.hasOwn(old, key)) kept[key] = old[key]
    }
    this.#open(kept)
    this.isNewData = true
    this.isAllOwn = Object.keys(kept).length === 0
  }

  /** Removes the record of this request and whatever was staged on it. */
  #end(): Promise<void> {
    return this.#inTurn(async () => {
      const { record } = this
      await this.#abandonLogin()
      if (record !== undefined && (await this.#remove(record))) this.answer = { kind: 'clear' }
      this.#forget()
    })
  }

  /** `false` when the record has gone to another user, or to one at all: then it is not this request's to end. */
  async #remove(record: SessionRecord): Promise<boolean> {
    const { handle, userId, epoch } = record
    let isTheirs = false
    await this.parts.users.end(handle, (latest) => {
      isTheirs = latest.userId !== userId || (userId === null && latest.epoch !== epoch)
      return !isTheirs
    })
    if (userId !== null) await this.parts.users.release(userId, handle)
    return !isTheirs
  }

  #forget(): void {
    this.record = undefined
    this.rotation = undefined
    this.#handle = undefined
    this.#session = undefined
    this.#raw = undefined
    this.isNewData = false
    this.isAllOwn = false
  }

  /** Gives back the place of a login that will not be. */
  async #abandonLogin(): Promise<void> {
    if (this.rotation?.reason !== 'login' || this.rotation.identity === undefined) return
    const { userId } = this.rotation.identity
    this.rotation = undefined
    if (this.record?.userId !== userId) await this.parts.users.release(userId, this.handle)
  }

  /** One write of this request after the other. */
  #inTurn(write: () => Promise<void>): Promise<void> {
    const turn = this.#turn.then(write)
    this.#turn = turn.catch(() => undefined)
    return turn
  }
}
