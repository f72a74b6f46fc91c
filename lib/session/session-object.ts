import { SecureSessionError } from '../errors.ts'
import { regenerate } from './actions.ts'
import { checkArguments, checkCallback, checkKey } from './call-options.ts'
import type { EngineSession } from './engine.ts'
import type { SessionData } from './json-data.ts'
import type { SessionDeadlines } from './lifetime.ts'
import { parseData, refuseAccessor, refuseReserved, serialize } from './json-data.ts'
import type { DataChange } from './update-data.ts'
import { changeOfKey } from './update-data.ts'
import type { StagingSession } from './staging.ts'

/** The methods of a request's session that the session object offers to the app. */
interface SessionActions extends StagingSession {
  save(): Promise<void>
  destroy(): Promise<void>
  reload(): Promise<void>
  touch(): void
  /** Reads, changes and writes the data with compare-and-set. */
  update<Result>(change: DataChange<Result>): Promise<Result>
  readonly isSaved: boolean
  readonly facts: { readonly expiresAt: SessionDeadlines | null }
  readonly signal: AbortSignal
  /** Takes a failure of work, which then fails the request unless somebody observes it. */
  watch(work: Promise<void>): Promise<void>
  /** Lets the app change data after the response started, or refuses it. */
  changeLate(): void
  /** Tells whether this is the data that a write would store. A logout puts other data in its place. */
  owns(data: HeldData): boolean
}

/** The data of a request. */
interface HeldData {
  isModified(): boolean
  /** Tells whether the data still has these values. A login may have put other values in their place. */
  holds(values: SessionData): boolean
}

/** The object that the members of the session object work on. */
interface Context {
  readonly session: SessionActions
  readonly data: HeldData
  readonly values: SessionData
}

type Callback = (error?: unknown) => void
type Change = (value: never) => unknown
type Method = (context: Context, ...rest: never[]) => unknown

/**
 * The methods of @fastify/session's object that act on this plugin's records. The other methods are @fastify/session's
 * own.
 */
const METHODS = new Map<PropertyKey, Method>(
  Object.entries({
    get: ({ values }, key: string) => {
      checkKey('get', key)
      return Object.hasOwn(values, key) ? values[key] : undefined
    },
    set: (context, key: string, value: unknown) => {
      checkKey('set', key)
      return assign(context, key, value)
    },
    data: ({ values }) => parseData(serialize(values)),
    touch: ({ session }) => session.touch(),
    options: refuseCookieChange,
    isModified: ({ data }) => data.isModified(),
    isSaved: ({ session }) => session.isSaved,
    update: (context, key: string | Change, change?: Change) => update(context, key, change),
    save: ({ session }, callback?: Callback) => settle(session, 'save', callback),
    destroy: ({ session }, callback?: Callback) => settle(session, 'destroy', callback),
    reload: ({ session }, callback?: Callback) => settle(session, 'reload', callback),
    regenerate: ({ session }, keys?: readonly string[] | Callback, callback?: Callback) =>
      anew(session, keys, callback),
  } satisfies Record<string, Method>),
)

/** The number of arguments that each method takes. `options` refuses them all. */
const ARGUMENTS: Readonly<Record<string, number>> = {
  get: 1,
  set: 2,
  data: 0,
  touch: 0,
  isModified: 0,
  isSaved: 0,
  update: 2,
  save: 1,
  destroy: 1,
  reload: 1,
  regenerate: 2,
}

/** The properties that this plugin adds, and the cookie. */
const OWN_KEYS = new Set<PropertyKey>(['cookie', 'expiresAt', 'signal'])

/** The members that only @fastify/session's own object has. */
const ENGINE_KEYS = new Set<PropertyKey>(['sessionId', 'encryptedSessionId'])

/**
 * Makes the object behind `req.session`: data as properties, beside the members of @fastify/session's object. Its
 * methods that reach a store are replaced here, and the rest is fetched when somebody asks. A name that would replace a
 * member or reach a prototype is refused. This covers each way to set a name: assignment, `set`, `Object.assign` and
 * `defineProperty`.
 */
export function sessionObject(
  session: SessionActions,
  data: HeldData,
  values: SessionData,
  open: () => EngineSession,
): EngineSession {
  return new Proxy(values, new SessionHandler({ session, data, values }, open))
}

class SessionHandler implements ProxyHandler<SessionData> {
  readonly #context: Context
  readonly #open: () => EngineSession
  #opened: EngineSession | undefined

  constructor(context: Context, open: () => EngineSession) {
    this.#context = context
    this.#open = open
  }

  get #engine(): EngineSession {
    return (this.#opened ??= this.#open())
  }

  get(values: SessionData, key: PropertyKey): unknown {
    if (Object.hasOwn(values, key)) return values[key as string]
    const method = METHODS.get(key)
    if (method !== undefined) return this.#called(String(key), method)
    if (key === 'expiresAt') return this.#context.session.facts.expiresAt
    if (key === 'signal') return this.#context.session.signal
    if (key === 'cookie') return readOnly(this.#engine['cookie'] as object)
    // A key that a client chose must not lead to what all objects share.
    return ENGINE_KEYS.has(key) ? this.#engine[key] : undefined
  }

  /** Returns a method as the app calls it. Each declares its own arguments. */
  #called(name: string, method: Method): (...rest: unknown[]) => unknown {
    return (...rest) => {
      checkArguments(name, rest, ARGUMENTS[name] ?? Infinity)
      return method(this.#context, ...(rest as never[]))
    }
  }

  set(_values: SessionData, key: PropertyKey, value: unknown): boolean {
    return assign(this.#context, key, value)
  }

  defineProperty(_values: SessionData, key: PropertyKey, descriptor: PropertyDescriptor): boolean {
    if ('get' in descriptor || 'set' in descriptor) refuseAccessor(key)
    return assign(this.#context, key, descriptor.value)
  }

  deleteProperty(values: SessionData, key: PropertyKey): boolean {
    refuseChange(this.#context, key)
    return Reflect.deleteProperty(values, key)
  }

  has(values: SessionData, key: PropertyKey): boolean {
    return OWN_KEYS.has(key) || ENGINE_KEYS.has(key) || METHODS.has(key) || Object.hasOwn(values, key)
  }

  ownKeys(values: SessionData): (string | symbol)[] {
    return ['cookie', ...Reflect.ownKeys(values)]
  }

  getOwnPropertyDescriptor(values: SessionData, key: PropertyKey): PropertyDescriptor | undefined {
    if (key !== 'cookie') return Reflect.getOwnPropertyDescriptor(values, key)
    return { value: this.get(values, key), enumerable: true, configurable: true, writable: false }
  }

  preventExtensions(): boolean {
    return false
  }

  setPrototypeOf(): never {
    throw new SecureSessionError('SESSION_KEY_RESERVED', { detail: 'the prototype' })
  }
}

/** Returns the cookie as it is in force. A change here would bypass the guard, or silently do nothing. */
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

function assign(context: Context, key: PropertyKey, value: unknown): boolean {
  refuseChange(context, key)
  return Reflect.set(context.values, key, value)
}

/** Refuses data that would be lost in silence: under a reserved name, or in an object that no write will store. */
function refuseChange({ session, data, values }: Context, key: PropertyKey): void {
  refuseReserved(key)
  if (!session.owns(data) || !data.holds(values)) throw new SecureSessionError('SESSION_ENDED')
  session.changeLate()
}

/** Changes all data, or the value of one key. */
function update({ session, data, values }: Context, first: string | Change, second?: Change): Promise<unknown> {
  if (typeof first === 'function') checkArguments('update', [first, second], 1)
  const change = (typeof first === 'function' ? first : second) as ((value: unknown) => unknown) | undefined
  if (typeof change !== 'function') {
    const detail = 'update takes a function of the data, or a key and a function of its value'
    throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
  }
  if (!session.owns(data) || !data.holds(values)) throw new SecureSessionError('SESSION_ENDED')
  return session.update(typeof first === 'string' ? changeOfKey(first, change) : change)
}

/** Gives the session a new id. The keys that stay may be left out. */
function anew(
  session: SessionActions,
  first?: readonly string[] | Callback,
  second?: Callback,
): Promise<void> | undefined {
  if (typeof first === 'function') {
    checkArguments('regenerate', [first, second], 1)
    return answer(session, regenerate(session), first)
  }
  checkCallback('regenerate', second)
  return answer(session, regenerate(session, first), second)
}

/** Serves both calling styles of @fastify/session: a promise, or a callback. */
function settle(
  session: SessionActions,
  call: 'save' | 'destroy' | 'reload',
  callback: Callback | undefined,
): Promise<void> | undefined {
  checkCallback(call, callback)
  return answer(session, session[call](), callback)
}

function answer(
  session: SessionActions,
  work: Promise<void>,
  callback: Callback | undefined,
): Promise<void> | undefined {
  if (callback === undefined) return work
  // A callback that throws fails the request, as an error of the handler would.
  void session.watch(work.then(() => callback(), callback))
  return undefined
}
