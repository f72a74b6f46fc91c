import { SecureSessionError } from '../errors.ts'
import type { LoginOptions, LogoutOptions, SessionRecord, SessionUser } from '../../types/index.ts'
import { commit, undo } from './commit.ts'
import { currentFingerprint, fingerprintOf, readRecord } from './load.ts'
import { deviceOf } from './device.ts'
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
 * began before its reply is in the reply, awaited or not.
 */
export class RequestSession extends SessionState {
  #turn: Promise<unknown> = Promise.resolve()
  #turnsAhead = 0

  override get hasWork(): boolean {
    return this.#turnsAhead > 0 || super.hasWork
  }

  async login(user: SessionUser, options: LoginOptions = {}): Promise<void> {
    this.#refuseAfterAnswer()
    return this.#inTurn(() => this.#stageLogin(user, options))
  }

  async #stageLogin(user: SessionUser, options: LoginOptions): Promise<void> {
    const json = userSnapshot(user, this.parts.settings.maxRecordSize)
    const isOther = this.userId !== null && this.userId !== user.id
    const authHash = options.authHash ?? this.parts.settings.authHash?.(user)
    if (this.rotation !== undefined) await this.#abandonLogin()
    const earlier = await this.parts.users.reserve(user, this.handle, this.record)
    const keep = options.keep ?? !isOther
    this.reopen()
    // Across users nothing survives that was not named.
    if (isOther || keep !== true) this.keepOnly(typeof keep === 'boolean' ? [] : keep)
    else if (this.userId === null) this.drop(CSRF_SECRET)
    this.rotation = {
      reason: 'login',
      login: { user, earlier },
      identity: {
        userId: user.id,
        user: json,
        ...this.#checked(fingerprintOf(user.id, authHash) ?? null),
        remember: options.remember ?? false,
        device: deviceOf(this.client),
      },
    }
  }

  logout(options: LogoutOptions = {}): Promise<void> {
    return this.#inTurn(() => this.#logout(options))
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

  async updateAuthHash(given?: string): Promise<void> {
    this.#refuseAfterAnswer()
    return this.#inTurn(() => this.#stageAuthHash(given))
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
    return this.#inTurn(async () => {
      // A record that begins now would need a cookie.
      if (isLate && this.record === undefined) this.#refuseAfterAnswer()
      await commit(this)
      this.before = undefined
      this.isSaved = true
    })
  }

  /** Ends this session now and leaves `null` in its place. */
  destroy(): Promise<void> {
    return this.#inTurn(async () => {
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
        await commit(this)
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

  /** One after the other, at once if none is ahead. Nothing that is done in a turn may wait for another. */
  #inTurn(work: () => Promise<void>): Promise<void> {
    this.#turnsAhead += 1
    const turn = this.#turnsAhead === 1 ? work() : this.#turn.then(work)
    const end = (): void => void (this.#turnsAhead -= 1)
    this.#turn = turn.then(end, end)
    return turn
  }
}
