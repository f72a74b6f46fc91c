import { SecureSessionError } from '../errors.ts'
import type { LoginOptions, LogoutOptions, SessionRecord, SessionUser } from '../../types/index.ts'
import { BegunWork } from './begun.ts'
import { commit, undo } from './commit.ts'
import { currentFingerprint, fingerprintOf, readRecord } from './load.ts'
import { deviceOf } from './device.ts'
import { refuseWrongOptions } from './login-options.ts'
import type { Identity } from './record.ts'
import { SessionState } from './session-state.ts'
import { userSnapshot } from './user-snapshot.ts'

/**
 * Where @fastify/csrf-protection keeps what its tokens are made of. Whoever planted an anonymous session has tokens of it, and they
 * must not be good for the user who logs in there: token fixation.
 */
const CSRF_SECRET = '_csrf'

/**
 * What an app can do to the session of one request. Changes are staged and written by `finish`, before the first byte of the
 * response; only `logout`, `destroy` and `save` act at once.
 *
 * What waits for a store takes turns, and the end of the request is the last turn but those that come too late: whatever the app
 * began before its reply is in the reply, awaited or not; and what failed of it unseen fails the reply.
 */
export class RequestSession extends SessionState {
  #turn: Promise<unknown> = Promise.resolve()
  #turnsAhead = 0
  readonly #begun = new BegunWork()

  override get hasWork(): boolean {
    return this.#turnsAhead > 0 || this.#begun.unseenFailure !== undefined || super.hasWork
  }

  login(user: SessionUser, options: LoginOptions = {}): Promise<void> {
    return this.#beginBeforeAnswer(() => this.#stageLogin(user, options))
  }

  async #stageLogin(user: SessionUser, options: LoginOptions): Promise<void> {
    // All that may be refused comes before the place is taken.
    const identity = this.#identityOf(user, options)
    const isOther = this.userId !== null && this.userId !== user.id
    const keep = options.keep ?? !isOther
    if (this.rotation !== undefined) await this.#abandonLogin()
    const earlier = await this.parts.users.reserve(user, this.handle, this.record)
    this.reopen()
    // Across users nothing survives that was not named.
    const isFresh = isOther || keep !== true
    if (isFresh) this.keepOnly(typeof keep === 'boolean' ? [] : keep)
    const isFirst = !isFresh && this.userId === null
    if (isFirst) this.drop(CSRF_SECRET)
    this.rotation = { reason: 'login', login: { user, earlier }, identity, ...(isFirst && { drops: CSRF_SECRET }) }
  }

  /** @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`, `SESSION_OPTION_INVALID` */
  #identityOf(user: SessionUser, options: LoginOptions): Identity {
    const { maxRecordSize, authHash } = this.parts.settings
    refuseWrongOptions(options)
    const json = userSnapshot(user, maxRecordSize)
    return {
      userId: user.id,
      user: json,
      ...this.#checked(fingerprintOf(user.id, options.authHash ?? authHash?.(user)) ?? null),
      remember: options.remember ?? false,
      device: deviceOf(this.client),
    }
  }

  logout(options: LogoutOptions = {}): Promise<void> {
    return this.#begin(() => this.#logout(options))
  }

  async #logout(options: LogoutOptions): Promise<void> {
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

  updateAuthHash(given?: string): Promise<void> {
    return this.#beginBeforeAnswer(() => this.#stageAuthHash(given))
  }

  async #stageAuthHash(given: string | undefined): Promise<void> {
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
    const isLate = this.isAnswered
    return this.#begin(async () => {
      // A record that begins now would need a cookie.
      if (isLate && this.record === undefined) this.#refuseAfterAnswer()
      await commit(this, false)
      this.before = undefined
      this.isSaved = true
    })
  }

  /** Ends this session now and leaves `null` in its place. */
  destroy(): Promise<void> {
    return this.#begin(async () => {
      const { handle, userId } = this
      await this.#end()
      this.close()
      if (userId !== null) this.#reportLogout(handle, userId)
    })
  }

  /** A new id, and of the data only these keys. */
  async regenerate(keys: readonly string[] = []): Promise<void> {
    this.#refuseAfterAnswer()
    this.keepOnly(keys)
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
    this.read()
    this.isNewData = false
  }

  /** The end of the request. A failed response leaves the session as it was. */
  async finish(isFailure: boolean): Promise<void> {
    this.isAnswered = true
    if (isFailure) return this.#inTurn(() => this.#takeBack())
    return this.#inTurn(async () => {
      try {
        const { unseenFailure } = this.#begun
        if (unseenFailure !== undefined) throw unseenFailure as Error
        await commit(this, true)
      } catch (error) {
        // The answer to a refused write is written with the session as it was, or it would be refused in turn.
        await this.#takeBack()
        throw error
      }
    })
  }

  async #takeBack(): Promise<void> {
    try {
      await undo(this)
      await this.#abandonLogin()
    } catch {
      // The response is a failure already, the event is out, and a place that nobody takes expires.
    }
    this.rotation = undefined
    this.discard()
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

  /** Removes the record of this request and whatever was staged on it. */
  async #end(): Promise<void> {
    const { record } = this
    await this.#abandonLogin()
    if (record !== undefined && (await this.#remove(record))) this.answer = { kind: 'clear' }
    this.forget()
  }

  /** `false` when the record has gone to another user, or to one at all: then it is not this request's to end. */
  async #remove(record: SessionRecord): Promise<boolean> {
    const { handle, userId, epoch } = record
    let isTheirs = false
    const isOwn = (latest: SessionRecord): boolean => {
      isTheirs = latest.userId !== userId || (userId === null && latest.epoch !== epoch)
      return !isTheirs
    }
    await this.parts.users.end(handle, isOwn, record)
    if (userId !== null) await this.parts.users.release(userId, handle)
    return !isTheirs
  }

  /** Gives back the place of a login that will not be. */
  async #abandonLogin(): Promise<void> {
    if (this.rotation?.reason !== 'login' || this.rotation.identity === undefined) return
    const { userId } = this.rotation.identity
    this.rotation = undefined
    if (this.record?.userId !== userId) await this.parts.users.abandon(userId, this.handle)
  }

  /** Work that the app asked for. Too late for a response, its failure is the caller's alone. */
  #begin(work: () => Promise<void>): Promise<void> {
    const turn = this.#inTurn(work)
    return this.isAnswered ? turn : this.#begun.add(turn)
  }

  #beginBeforeAnswer(work: () => Promise<void>): Promise<void> {
    return this.isAnswered ? Promise.reject(new SecureSessionError('SESSION_RESPONSE_STARTED')) : this.#begin(work)
  }

  /** One after the other, at once if none is ahead. Nothing that is done in a turn may wait for another. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turnsAhead += 1
    const turn = this.#turnsAhead === 1 ? work() : this.#turn.then(work)
    const end = (): void => void (this.#turnsAhead -= 1)
    this.#turn = turn.then(end, end)
    return turn
  }
}
