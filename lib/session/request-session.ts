import { SecureSessionError } from '../errors.ts'
import type { LogoutOptions } from '../../types/index.ts'
import { bothUsers } from './actor.ts'
import { checkOptions } from './call-options.ts'
import type { DropReason, Outcome, Plan } from './commit.ts'
import { commit, planOf } from './commit.ts'
import type { Client, Engine, EngineSession } from './engine.ts'
import { newHandle } from './id.ts'
import type { Edit, SessionData } from './json-data.ts'
import type { Loaded } from './load-session.ts'
import { readLiveRecord } from './live-record.ts'
import type { Carrier } from './next-record.ts'
import { placeTaken } from './next-record.ts'
import { hasPlace } from './places.ts'
import { RequestContents } from './request-contents.ts'
import { RequestData } from './request-data.ts'
import { RequestFacts } from './request-facts.ts'
import { ReplyNotes } from './reply-notes.ts'
import type { RequestState, SessionResponse } from './request-state.ts'
import * as states from './request-state.ts'
import { sessionObject } from './session-object.ts'
import { RequestSignal } from './session-signal.ts'
import type { Situation, Staged } from './staging.ts'
import { dataJsonOf, situationOf } from './state-facts.ts'
import { takeBack } from './take-back.ts'
import type { DataChange, UpdatedSession } from './update-data.ts'
import { updateData } from './update-data.ts'
import { isStoreFailure, isWriteAsked } from './upkeep.ts'
import { WorkQueue } from './work-queue.ts'

/**
 * The session of one request, and the only object that writes its state. Changes are staged, and `finish` writes them
 * before the first byte of the response. Only `logout`, `destroy` and `save` act at once.
 *
 * Store operations run one at a time, in the order in which the app started them. `finish` queues behind them, so a
 * login that the handler did not await is still part of the reply. If such an operation failed and nothing observed the
 * failure, the reply fails too.
 */
export class RequestSession {
  readonly facts: RequestFacts
  readonly #engine: Engine
  readonly #client: Client
  #state: RequestState
  readonly #contents: RequestContents
  #newHandle: string | undefined
  #signal: RequestSignal | undefined
  readonly #notes: ReplyNotes
  readonly #queue = new WorkQueue()
  #isSaved = false

  constructor(engine: Engine, client: Client, loaded: Loaded, isAnswered = false) {
    this.#engine = engine
    this.#client = client
    this.#state = states.initialState(loaded, client.isByHeader === true)
    const make = (data: RequestData, values: SessionData): EngineSession => this.#makeObject(data, values)
    this.#contents = new RequestContents(() => new RequestData(dataJsonOf(this.#state), make))
    this.facts = new RequestFacts(engine, client, () => this.#state)
    this.#notes = new ReplyNotes(client, client.isByHeader !== true && loaded.state !== 'none', isAnswered)
  }

  /** The name of the record that this request reads or would create. */
  get handle(): string {
    return this.facts.record?.handle ?? (this.#newHandle ??= newHandle())
  }

  /** The signal that aborts when the session ends. */
  get signal(): AbortSignal {
    const isStaged = this.#state.rotation !== undefined
    return (this.#signal ??= new RequestSignal(this.#engine.watch)).of(isStaged ? undefined : this.facts.record)
  }

  /** The message of the response about this session. */
  get response(): SessionResponse {
    return this.#notes.responseOf(this.#state, this.#engine)
  }

  /** Returns the new id of a client that brings it in a header, once; `null` otherwise. */
  takeToken(): string | null {
    return this.#notes.takeToken(this.#state)
  }

  /** Tells whether this is the data that a write would store. */
  owns(data: object): boolean {
    return this.#contents.known === data
  }

  /** Asks for a new idle deadline. */
  touch(): void {
    this.#state = { ...this.#state, isTouched: true }
  }

  /** Notes that the app looked at the session. */
  markRead(): void {
    this.#notes.markRead()
  }

  /** Tells whether the response has started, or is not Fastify's to send, so that the cookie can no longer change. */
  get isAnswered(): boolean {
    return this.#notes.isAnswered
  }

  /** The object behind `req.session`; `null` after `destroy`. */
  get object(): EngineSession | null {
    return this.#contents.open().object
  }

  /** Tells whether the end of this request has something to write. */
  get hasWork(): boolean {
    if (this.#contents.isChanged || this.#queue.isBusy) return true
    return states.isWriteDue(this.#state, this.#engine.settings, this.#client)
  }

  /**
   * Lets the app change data after the response started, for a `save` that follows.
   * @throws `SESSION_RESPONSE_STARTED` if there is no record that a save could write
   */
  changeLate(): void {
    if (!this.isAnswered) return this.#notes.whenTaken(() => this.#reportLate())
    if (this.facts.record === undefined) throw new SecureSessionError('SESSION_RESPONSE_STARTED')
    this.#notes.whenOver(() => this.#reportLate())
  }

  /** Reports what the app changed and nothing stored, once the response is over. */
  #reportLate(): void {
    const isLost = this.#contents.known?.isModified() === true || states.isStaged(this.#state)
    if (!isLost || this.#queue.isRunning) return
    this.#tell({ type: 'dropped-write', reason: 'late' })
  }

  #tell(event: { type: 'dropped-write'; reason: DropReason } | { type: 'upkeep-skipped' }): void {
    this.#engine.events.emit({ ...event, handle: this.handle, ...bothUsers(this.facts.record) })
  }

  /** Tells whether the app saved the session itself. */
  get isSaved(): boolean {
    return this.#isSaved
  }

  /** Takes a failure of work, which then fails the request unless somebody observes it. */
  watch(work: Promise<void>): Promise<void> {
    // While the failure waits for its turn in the queue, Node would end the process for it.
    work.catch(() => undefined)
    return this.#start(() => work)
  }

  /** Notes that the response has started. Returns whether it had started before. */
  markAnswered(): boolean {
    // A change deep inside the data is only seen afterwards. Nothing writes what came before a WebSocket opened.
    const isDeep = this.#contents.known?.isDeep === true
    if (isDeep || this.#client.isReplyTaken) this.#notes.whenOver(() => this.#reportLate())
    return this.#notes.markAnswered()
  }

  /** Ends the session now: this one, all others of its user, or all. */
  logout(options: LogoutOptions = {}): Promise<void> {
    return this.#start(async () => {
      checkOptions('logout', options)
      const { everywhere = false, others = false } = options
      const { handle } = this
      const { userId } = this.facts
      if (userId !== null && (everywhere || others)) await this.#engine.users.revokeUser(userId, handle, 'revoked')
      if (others) return
      await this.#end()
      // A login beside this request may have lost the record that ended, and begun another one.
      if (userId !== null && everywhere) await this.#engine.users.revokeUser(userId, handle, 'revoked')
    })
  }

  /** Writes what is staged, now. The write stays, whatever the response becomes. */
  save(): Promise<void> {
    const isLate = this.isAnswered
    return this.#start(async () => {
      // A record that begins now would need a cookie.
      if (isLate && this.facts.record === undefined) throw new SecureSessionError('SESSION_RESPONSE_STARTED')
      await this.#write('none')
      this.#state = { ...this.#state, committed: undefined }
      this.#isSaved = true
    })
  }

  /** Reads, changes and writes the data, now. The write stays, whatever the response becomes. */
  update<Result>(change: DataChange<Result>): Promise<Result> {
    const isLate = this.isAnswered
    // Without a record the data waits for the response, which may never come.
    this.#notes.whenTaken(() => this.#reportLate())
    const updated = this.#updated(this.#contents.open(), isLate)
    const done = this.#queue.offerBeside(() => updateData(updated, change))
    if (isLate) this.#queue.reportUnseen((error) => this.#engine.events.reportUnseen(error))
    return done
  }

  #updated(data: RequestData, isLate: boolean): UpdatedSession {
    return {
      engine: this.#engine,
      data,
      isCurrent: () => this.owns(data),
      live: () => states.updatable(this.#state, isLate),
      useRecord: (live, record) => (this.#state = states.withRecord(this.#state, live, record)),
      lose: (reason) => {
        this.#tell({ type: 'dropped-write', reason })
        this.#replaceState(states.afterLoss(this.#state, this.handle))
      },
      run: (work) => this.#queue.run(work),
    }
  }

  /** Ends this session now, and leaves `null` in its place. */
  destroy(): Promise<void> {
    return this.#start(async () => {
      await this.#end()
      this.#contents.open().destroy()
    })
  }

  /** Forgets what this request did to the data, and reads the store again. What a login dropped stays away. */
  reload(): Promise<void> {
    return this.#start(async () => {
      const { loaded } = this.#state
      if (loaded.state === 'live') {
        const { handle, epoch } = loaded.record
        const latest = await readLiveRecord(this.#engine, handle)
        // Another epoch is another login. Its data is not for this request.
        if (latest?.epoch === epoch) this.#state = states.withRecord(this.#state, loaded, latest)
        else this.#replaceState(states.afterLoss(this.#state, handle))
      }
      this.#contents.reload(dataJsonOf(this.#state))
    })
  }

  /** Takes back what was written, because the response failed after it. */
  takeBack(): Promise<void> {
    return this.#queue.run(() => this.#undo())
  }

  /** Ends the request. A failed response leaves the session as it was. */
  async finish(isFailure: boolean, carrier: Carrier): Promise<void> {
    this.markAnswered()
    if (this.#queue.isBeside) await this.#queue.settled()
    if (isFailure) return this.takeBack()
    return this.#queue.run(async () => {
      const before = this.#state
      const failure = this.#queue.unseenFailure
      try {
        if (failure !== undefined) throw failure as Error
        await this.#write(carrier)
      } catch (error) {
        // Nobody asked for the upkeep, so the request goes on without it. The deadlines stay as they were.
        if (failure === undefined && isStoreFailure(error) && !isWriteAsked(before, this.#contents)) {
          return this.#tell({ type: 'upkeep-skipped' })
        }
        // The error page is written with the session as it was. Otherwise its write would be refused too.
        await this.#undo()
        throw error
      }
    })
  }

  /**
   * Runs work that stages a change of id, and does to the data what the change asks for.
   * @throws `SESSION_RESPONSE_STARTED`
   */
  stage(work: (situation: Situation) => Promise<Staged>, isWithoutCookie = false): Promise<void> {
    const isLate = this.isAnswered
    return this.#start(async () => {
      if (isLate && !isWithoutCookie) throw new SecureSessionError('SESSION_RESPONSE_STARTED')
      states.refuseBesideRole(this.#state)
      const { rotation, kept, user } = await work(this.#situation)
      if (kept !== undefined) this.#contents.keep(kept)
      this.#state = states.afterStaging(this.#state, rotation, user)
      // The app needs the id of a header for its reply, so that the id is made now.
      if (isLate || rotation?.isByHeader === true) await this.#writeOrDrop()
      // Nothing is written with a reply that the app takes over afterwards.
      else this.#notes.whenTaken(() => this.#reportLate())
    })
  }

  /**
   * Removes the record of this request, and whatever was staged on it.
   * @throws `SESSION_SUPERSEDED` if a parallel request gave the session a new id: then this one cannot end it
   * @throws `SESSION_PROOF_REQUIRED` if the session is bound, and the request came without the proof
   */
  async #end(): Promise<void> {
    const { handle } = this
    const { record, userId } = this.facts
    const { loaded } = this.#state
    states.refuseEnd(loaded)
    await this.#abandonLogin()
    if (loaded.state === 'outdated') await this.#engine.users.endNamed(loaded.handle)
    const isOurs = loaded.state === 'outdated' || (record !== undefined && (await this.#engine.users.endOwn(record)))
    this.#replaceState(states.afterEnd(this.#state, isOurs))
    if (userId === null) return
    this.#notes.markLoggedOut()
    this.#engine.events.emit({ type: 'logout', handle, ...bothUsers(record), userId })
  }

  /** Writes what was staged just now. If that fails, it is not tried again, because the app was told of no change. */
  async #writeOrDrop(): Promise<void> {
    try {
      await this.#write('none')
    } catch (error) {
      // A place that nobody takes expires.
      await this.#abandonLogin().catch(() => undefined)
      this.#state = { ...this.#state, rotation: undefined, user: undefined }
      throw error
    }
  }

  get #situation(): Situation {
    const engine = this.#engine
    const abandonLogin = (): Promise<void> => this.#abandonLogin()
    const edit = (): Edit => this.#contents.open().edit(engine.settings.maxRecordSize)
    return situationOf(this.#state, { engine, client: this.#client, handle: this.handle, abandonLogin, edit })
  }

  /**
   * Writes the staged changes. The id is renewed by age only for a response that can carry the new id. A new id that
   * reaches no client would replace ids that clients still hold.
   */
  async #write(carrier: Carrier): Promise<void> {
    const data = this.#contents.open()
    const { settings, ids: cookieIds, headerIds } = this.#engine
    const { loaded, shown, rotation, user, isTouched } = this.#state
    const isPassive = this.#client.isPassive === true
    const edit = data.edit(settings.maxRecordSize)
    const now = settings.clock()
    const ids = (states.isNextByHeader(this.#state) ? headerIds : undefined) ?? cookieIds
    const parts = { handle: this.handle, isAllOwn: data.isAllOwn, client: this.#client, ids, replaces: shown }
    const plan = planOf(loaded, parts, { edit, rotation, user, isTouched, isPassive, carrier, now })
    this.#apply(await commit(this.#engine, plan), plan)
  }

  #apply(outcome: Outcome, plan: Plan): void {
    switch (outcome.kind) {
      case 'unchanged':
        return
      case 'renewed':
        this.#state = states.afterRenewal(this.#state, outcome, plan.work.now)
        return
      case 'written':
        this.#state = states.afterWrite(this.#state, outcome, plan.work.now)
        this.#contents.markWritten(plan.work.edit, outcome.record.data)
        this.#signal?.watch(outcome.record)
        return
      case 'lost':
        this.#replaceState(states.afterLoss(this.#state, outcome.handle))
        if (outcome.error !== undefined) throw outcome.error
        return
      case 'failed':
        if (!outcome.isStaged) this.#state = { ...this.#state, rotation: undefined }
        throw outcome.error
    }
  }

  /** The state that a failed response goes back to. `undefined` if nothing was written that can be taken back. */
  get before(): Pick<states.RequestState, 'cookie'> | undefined {
    return this.#state.committed?.before
  }

  /** Goes back to the session as it was before this request changed it. */
  async #undo(): Promise<void> {
    const { committed } = this.#state
    this.#state = states.beforeWrite(this.#state)
    try {
      if (committed !== undefined) await takeBack(this.#engine, committed.wayBack)
      await this.#abandonLogin()
    } catch {
      // The response is a failure already and an event has been emitted. A place that nobody takes expires.
    }
    this.#state = { ...this.#state, rotation: undefined, user: undefined, isTouched: false }
    if (this.#contents.known?.isDestroyed !== true) this.#contents.forget()
  }

  #replaceState(state: RequestState): void {
    this.#state = state
    this.#newHandle = undefined
    this.#contents.forget()
  }

  /** Gives back the place of a login that will not be committed. */
  async #abandonLogin(): Promise<void> {
    const place = placeTaken(this.#state.rotation)
    if (place === undefined) return
    this.#state = { ...this.#state, rotation: undefined }
    if (!hasPlace(this.facts.record, place)) await this.#engine.users.places.abandon(place, this.handle)
  }

  #makeObject(data: RequestData, values: SessionData): EngineSession {
    const { handle } = this
    // The data does not notice a change deep inside, which no reply stores that the app takes over afterwards.
    if (Object.values(values).some((one) => typeof one === 'object')) this.#notes.whenTaken(() => this.#reportLate())
    return sessionObject(this, data, values, () => this.#engine.openSession(handle, this.#client.protocol))
  }

  /** Starts work that the app asked for. If it comes too late for the response, only the caller learns of a failure. */
  #start(work: () => Promise<void>): Promise<void> {
    const done = this.#queue.offer(() => this.#contents.orBringBack(work, () => this.#state.rotation === undefined))
    if (this.isAnswered) this.#queue.reportUnseen((error) => this.#engine.events.reportUnseen(error))
    return done
  }
}
