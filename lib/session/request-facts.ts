import type { LoginMethod, SessionRecord, SessionUser } from '../../types/index.ts'
import type { Client, Engine } from './engine.ts'
import type { SessionDeadlines } from './lifetime.ts'
import type { RequestState } from './request-state.ts'
import * as facts from './state-facts.ts'

/** The facts about a request's session that the app may ask for. Each is read from the state of that moment. */
export class RequestFacts {
  readonly #engine: Engine
  readonly #client: Client
  readonly #current: () => RequestState
  #user: { readonly json: string | null; readonly value: SessionUser | null } | undefined

  constructor(engine: Engine, client: Client, current: () => RequestState) {
    this.#engine = engine
    this.#client = client
    this.#current = current
  }

  /** The live record as loaded, or as this request last wrote it. */
  get record(): SessionRecord | undefined {
    return facts.recordOf(this.#current())
  }

  /** The id of the user; `null` for nobody. */
  get userId(): string | null {
    return facts.userIdOf(this.#current())
  }

  /** The snapshot given to `login`; the same object for the rest of the request. */
  get user(): SessionUser | null {
    const json = facts.userJsonOf(this.#current())
    if (this.#user === undefined || this.#user.json !== json) {
      this.#user = { json, value: json === null ? null : this.#engine.snapshots.read(json) }
    }
    return this.#user.value
  }

  /** The user who acts as `user`; `null` where nobody acts as somebody else. */
  get actor(): SessionUser | null {
    const json = facts.actorJsonOf(this.#current())
    return json === null ? null : this.#engine.snapshots.read(json)
  }

  get authenticatedAt(): Date | null {
    const at = facts.authenticatedAtOf(this.#current(), this.#engine.settings.clock())
    return at === null ? null : new Date(at)
  }

  /** The user of a half login; `null` without one. */
  get pendingUser(): SessionUser | null {
    const json = facts.pendingJsonOf(this.#current(), this.#engine.settings.clock())
    return json === null ? null : this.#engine.snapshots.read(json)
  }

  /** Returns the wanted ways to log in that were not used within this time, in milliseconds. */
  missingMethods(wanted: readonly LoginMethod[], within: number): readonly LoginMethod[] {
    return facts.missingMethodsOf(this.#current(), wanted, within, this.#engine.settings.clock())
  }

  /** The instants at which the session ends; `null` while nothing is stored. */
  get expiresAt(): SessionDeadlines | null {
    return facts.deadlinesOf(this.#current(), this.#engine.settings, this.#client)
  }

  /** Tells whether the session is bound to a device, and this request came with the proof of the device. */
  get isDeviceBound(): boolean {
    return facts.isDeviceBound(this.#current())
  }

  /** Tells whether the session is bound to a device, and this request came without the proof. */
  get isUnproven(): boolean {
    return this.#current().loaded.state === 'unproven'
  }

  /** Tells whether somebody is logged in whose session is bound to no device, although the app asks for that. */
  get isWithheld(): boolean {
    if (this.#engine.device?.settings.isRequired !== true || this.userId === null) return false
    return this.#current().rotation?.identity === undefined && !this.isDeviceBound
  }

  /** Tells whether the user proved who they are within this time, in milliseconds. */
  isFresh(within: number): boolean {
    const now = this.#engine.settings.clock()
    const since = facts.freshSinceOf(this.#current(), now)
    return since !== null && now - since < within
  }
}
