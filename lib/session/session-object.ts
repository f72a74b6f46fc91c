import { SecureSessionError } from '../errors.ts'
import type { SessionData } from './data.ts'
import { parseData, refuseReserved, serialize } from './data.ts'
import type { EngineSession } from './parts.ts'

/** What the session object's methods do; a request's session is one. */
interface SessionActions {
  save(): Promise<void>
  destroy(): Promise<void>
  regenerate(keys?: readonly string[]): Promise<void>
  reload(): Promise<void>
  isModified(): boolean
  isSaved: boolean
  isTouched: boolean
  /** Whether this is the data that will be written; a login or a logout may have put other data in its place. */
  holds(data: SessionData): boolean
}

type Callback = (error?: unknown) => void
type Method = (actions: SessionActions, data: SessionData, ...rest: never[]) => unknown

/** The methods of @fastify/session's object that act on this plugin's records; the rest are its own. */
const METHODS = new Map<PropertyKey, Method>(
  Object.entries({
    get: (_actions, data, key: string) => (Object.hasOwn(data, key) ? data[key] : undefined),
    set: (actions, data, key: string, value: unknown) => assign(actions, data, key, value),
    data: (_actions, data) => parseData(serialize(data)),
    touch: (actions) => {
      actions.isTouched = true
    },
    options: refuseCookieChange,
    isModified: (actions) => actions.isModified(),
    isSaved: (actions) => actions.isSaved,
    save: (actions, _data, callback?: Callback) => settle(actions.save(), callback),
    destroy: (actions, _data, callback?: Callback) => settle(actions.destroy(), callback),
    reload: (actions, _data, callback?: Callback) => settle(actions.reload(), callback),
    regenerate: (actions, _data, keys?: readonly string[] | Callback, callback?: Callback) =>
      typeof keys === 'function' ? settle(actions.regenerate(), keys) : settle(actions.regenerate(keys), callback),
  } satisfies Record<string, Method>),
)

/** What only @fastify/session's own object can tell. */
const ENGINE_KEYS = new Set<PropertyKey>(['sessionId', 'encryptedSessionId'])

/**
 * The object behind `req.session`: data as properties beside the members of @fastify/session's object, of which the methods that
 * reach a store are replaced and the rest is asked for when somebody looks. Names are refused that would replace a member or reach a
 * prototype, however they come: by assignment, `set`, `Object.assign` or `defineProperty`.
 */
export function sessionObject(actions: SessionActions, data: SessionData, open: () => EngineSession): EngineSession {
  return new Proxy(data, new SessionHandler(actions, open))
}

class SessionHandler implements ProxyHandler<SessionData> {
  readonly #actions: SessionActions
  readonly #open: () => EngineSession
  #opened: EngineSession | undefined

  constructor(actions: SessionActions, open: () => EngineSession) {
    this.#actions = actions
    this.#open = open
  }

  get #engine(): EngineSession {
    return (this.#opened ??= this.#open())
  }

  get(data: SessionData, key: PropertyKey): unknown {
    const method = METHODS.get(key)
    // Each method declares its own arguments; the caller's go through as they are.
    if (method !== undefined) return (...rest: unknown[]) => method(this.#actions, data, ...(rest as never[]))
    if (key === 'cookie') return readOnly(this.#engine['cookie'] as object)
    // A key that a client chose must not lead to what all objects share.
    if (key === '__proto__') return undefined
    return Reflect.get(ENGINE_KEYS.has(key) ? this.#engine : data, key)
  }

  set(data: SessionData, key: PropertyKey, value: unknown): boolean {
    return assign(this.#actions, data, key, value)
  }

  defineProperty(data: SessionData, key: PropertyKey, { value }: PropertyDescriptor): boolean {
    return assign(this.#actions, data, key, value)
  }

  deleteProperty(data: SessionData, key: PropertyKey): boolean {
    refuseChange(this.#actions, data, key)
    return Reflect.deleteProperty(data, key)
  }

  has(data: SessionData, key: PropertyKey): boolean {
    return key === 'cookie' || ENGINE_KEYS.has(key) || METHODS.has(key) || Reflect.has(data, key)
  }

  ownKeys(data: SessionData): (string | symbol)[] {
    return ['cookie', ...Reflect.ownKeys(data)]
  }

  getOwnPropertyDescriptor(data: SessionData, key: PropertyKey): PropertyDescriptor | undefined {
    if (key !== 'cookie') return Reflect.getOwnPropertyDescriptor(data, key)
    return { value: this.get(data, key), enumerable: true, configurable: true, writable: false }
  }

  preventExtensions(): boolean {
    return false
  }

  setPrototypeOf(): never {
    throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: 'the prototype' })
  }
}

/** The cookie as it is in force. Changing it here would go past the guard, or silently do nothing. */
function readOnly(cookie: object): object {
  return new Proxy(cookie, {
    set: refuseCookieChange,
    defineProperty: refuseCookieChange,
    deleteProperty: refuseCookieChange,
  })
}

function refuseCookieChange(): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', {
    detail: 'cookie attributes belong in the options of register, where the guard sees them',
  })
}

function assign(actions: SessionActions, data: SessionData, key: PropertyKey, value: unknown): boolean {
  refuseChange(actions, data, key)
  return Reflect.set(data, key, value)
}

/** What would be lost in silence is an error: data under a reserved name, and data in an object that nobody will write. */
function refuseChange(actions: SessionActions, data: SessionData, key: PropertyKey): void {
  refuseReserved(key)
  if (!actions.holds(data)) throw new SecureSessionError('SESSION_ENDED')
}

/** One implementation for both calling styles of @fastify/session. */
function settle(work: Promise<void>, callback: Callback | undefined): Promise<void> | undefined {
  if (callback === undefined) return work
  work.then(() => callback(), callback)
  return undefined
}
