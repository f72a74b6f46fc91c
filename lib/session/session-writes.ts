import type { Outcome, Plan } from './commit.ts'
import { commit, planOf } from './commit.ts'
import { bothUsers } from './actor.ts'
import type { Client, Engine, EngineSession } from './engine.ts'
import { newHandle } from './id.ts'
import type { Edit, SessionData } from './json-data.ts'
import type { Loaded } from './load-session.ts'
import type { Carrier } from './next-record.ts'
import { placeTaken } from './next-record.ts'
import { hasPlace } from './places.ts'
import { RequestData } from './request-data.ts'
import type { RequestState, SessionResponse } from './request-state.ts'
import * as states from './request-state.ts'
import { SessionFacts } from './session-facts.ts'
import { RequestSignal } from './session-signal.ts'
import type { Situation, Staged } from './staging.ts'
import * as facts from './state-facts.ts'
import { takeBack } from './take-back.ts'

/** The data of a request's session, and how data and state reach the store and come back. */
export abstract class SessionWrites extends SessionFacts {
  protected data: RequestData | undefined
  protected isLoggedOut = false
  #isRead = false
  /** The new id that the app has read. */
  #readToken: string | undefined
  #newHandle: string | undefined
  #signal: RequestSignal | undefined

  readonly #hasCookie: boolean

  constructor(engine: Engine, client: Client, loaded: Loaded) {
    const isByHeader = client.isByHeader === true
    super(engine, client, states.initialState(loaded, isByHeader))
    this.#hasCookie = !isByHeader && loaded.state !== 'none'
  }

  /** Makes the object behind `req.session`. */
  protected abstract makeObject(data: RequestData, values: SessionData): EngineSession

  /** The name of the record that this request reads or would create. */
  get handle(): string {
    return this.record?.handle ?? (this.#newHandle ??= newHandle())
  }

  /** The signal that aborts when the session ends. */
  get signal(): AbortSignal {
    const isStaged = this.state.rotation !== undefined
    return (this.#signal ??= new RequestSignal(this.engine.watch)).of(isStaged ? undefined : this.record)
  }

  /** The message of the response about this session. */
  get response(): SessionResponse {
    const change = states.cookieOf(this.state, this.engine)
    const { isLoggedOut } = this
    const isRead = this.#isRead
    const isTokenRead = this.#readToken !== undefined
    if (!this.state.isByHeader) return { cookie: change, renewedId: undefined, isRead, isLoggedOut, isTokenRead }
    // An empty id tells the client that its id opens nothing any more.
    const id = change?.kind === 'set' ? change.value : change && ''
    // The cookie that the request came with opens nothing any more.
    const cookie = this.#hasCookie ? ({ kind: 'clear' } as const) : undefined
    return { cookie, renewedId: id === this.#readToken ? undefined : id, isRead, isLoggedOut, isTokenRead }
  }

  /** Returns the new id of a client that brings it in a header, once; `null` otherwise. */
  takeToken(): string | null {
    const { cookie, isByHeader } = this.state
    if (!isByHeader || cookie?.kind !== 'set' || cookie.value === this.#readToken) return null
    this.#readToken = cookie.value
    return cookie.value
  }

  /** Tells whether this is the data that a write would store. */
  owns(data: object): boolean {
    return this.data === data
  }

  /** Asks for a new idle deadline. */
  touch(): void {
    this.state = { ...this.state, isTouched: true }
  }

  /** Notes that the app looked at the session. */
  markRead(): void {
    this.#isRead = true
  }

  protected keep(kept: NonNullable<Staged['kept']>): void {
    if (kept === 'role' || this.data?.isDestroyed === true) this.data = undefined
    if (kept === 'role') return
    if ('keys' in kept) this.openData().keepOnly(kept.keys)
    else if (kept.without !== undefined) this.openData().removeKey(kept.without)
  }

  protected get situation(): Situation {
    const { handle, record, userId } = this
    const { rotation } = this.state
    const user = facts.userJsonOf(this.state)
    const authCheckedAt = facts.authCheckedAtOf(this.state)
    const actor = facts.actorJsonOf(this.state)
    const abandonLogin = (): Promise<void> => this.abandonLogin()
    const edit = (): Edit => this.openData().edit(this.engine.settings.maxRecordSize)
    const { engine, client } = { engine: this.engine, client: this.client }
    return { engine, client, handle, record, userId, user, actor, authCheckedAt, rotation, abandonLogin, edit }
  }

  /**
   * Writes what is staged. Renews the id by age only for a response that can carry the new id, because an id that
   * reaches nobody would push out ids that clients hold.
   */
  protected async write(carrier: Carrier): Promise<void> {
    const data = this.openData()
    const { handle, client, state, engine } = this
    const wish = {
      edit: data.edit(engine.settings.maxRecordSize),
      rotation: state.rotation,
      user: state.user,
      isTouched: state.isTouched,
      isPassive: client.isPassive === true,
      carrier: client.isPassive === true ? 'none' : carrier,
      now: engine.settings.clock(),
    } as const
    const ids = (states.isNextByHeader(state) ? engine.headerIds : undefined) ?? engine.ids
    const plan = planOf(state.loaded, { handle, isAllOwn: data.isAllOwn, client, ids }, wish)
    this.#apply(await commit(this.engine, plan), plan)
  }

  #apply(outcome: Outcome, plan: Plan): void {
    switch (outcome.kind) {
      case 'unchanged':
        return
      case 'renewed':
        this.state = states.afterRenewal(this.state, outcome, plan.work.now)
        return
      case 'written':
        this.state = states.afterWrite(this.state, outcome, plan.work.now)
        this.data?.markWritten(plan.work.edit, outcome.record.data)
        this.#signal?.watch(outcome.record)
        return
      case 'lost':
        this.lose(outcome.handle)
        if (outcome.error !== undefined) throw outcome.error
        return
      case 'failed':
        if (!outcome.isStaged) this.state = { ...this.state, rotation: undefined }
        throw outcome.error
    }
  }

  /** Goes on without the upkeep of the record, which nobody asked for. The deadlines stay as they were. */
  protected skipUpkeep(): void {
    this.engine.events.emit({ type: 'upkeep-skipped', handle: this.handle, ...bothUsers(this.record) })
  }

  /** Tells whether the response may still fail, and what was written be taken back. */
  get canBeTakenBack(): boolean {
    return this.state.committed !== undefined
  }

  /** Goes back to the session as it was before this request changed it. */
  protected async undo(): Promise<void> {
    const { committed } = this.state
    this.state = states.beforeWrite(this.state)
    try {
      if (committed !== undefined) await takeBack(this.engine, committed.wayBack)
      await this.abandonLogin()
    } catch {
      // The response is a failure already and an event has been emitted. A place that nobody takes expires.
    }
    this.state = { ...this.state, rotation: undefined, user: undefined, isTouched: false }
    if (this.data?.isDestroyed !== true) this.data = undefined
  }

  /** Forgets a record that is gone or somebody else's. */
  protected lose(handle: string): void {
    this.replaceState(states.afterLoss(this.state, handle))
  }

  protected replaceState(state: RequestState): void {
    this.state = state
    this.#newHandle = undefined
    this.data = undefined
  }

  /** Gives back the place of a login that will not be committed. */
  protected async abandonLogin(): Promise<void> {
    const place = placeTaken(this.state.rotation)
    if (place === undefined) return
    this.state = { ...this.state, rotation: undefined }
    if (!hasPlace(this.record, place)) await this.engine.users.abandon(place, this.handle)
  }

  protected openData(): RequestData {
    return (this.data ??= new RequestData(facts.dataJsonOf(this.state), (data, values) =>
      this.makeObject(data, values),
    ))
  }
}
