import { randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyServerOptions } from 'fastify'
import Fastify from 'fastify'
import type { Test } from 'tap'
import { secureSession } from '../../lib/index.ts'
import { SessionIds } from '../../lib/session/id.ts'
import type { SecureSessionOptions, SessionEvent, SessionRecord, SessionUser } from '../../types/index.ts'
import type { Handler, Visits } from './browser.ts'
import { Browser } from './browser.ts'
import type { TestClock } from './clock.ts'
import { testClock } from './clock.ts'
import type { AnyStore, Sample } from './gate-store.ts'
import { Gate } from './gate-store.ts'

/** Opens a store that goes by this clock and sees to its own end. Handles and user ids are new in each test. */
export interface MakeStore {
  (t: Test, clock: () => number): AnyStore | Promise<AnyStore>
  /** Tells whether the browsers of the tests bring their ids in a header. */
  readonly isByHeader?: boolean
  /** The orders of store operations that the tests play; all that they ask for without. */
  readonly sample?: Sample
}

/** 32 bytes, base64url. */
export const SECRET = 'pJvQ0m3Xr9Wc5TzLk8Yd2NfHs6BgVu4E-aR7iCoMqwI'

export interface BenchOptions {
  readonly session?: SecureSessionOptions
  readonly fastify?: FastifyServerOptions
  /** Adds routes before `ready`. */
  readonly routes?: (app: FastifyInstance) => unknown
}

/** An app with the plugin on one store, in the hands of a test. */
export class Bench {
  readonly app: FastifyInstance
  readonly gate: Gate
  readonly clock: TestClock
  readonly events: SessionEvent[]
  readonly #visits: Visits
  readonly #cookieName: string
  readonly #isByHeader: boolean

  constructor(
    parts: Pick<Bench, 'app' | 'gate' | 'clock' | 'events'>,
    visits: Visits,
    cookieName: string,
    isByHeader = false,
  ) {
    this.#isByHeader = isByHeader
    this.app = parts.app
    this.gate = parts.gate
    this.clock = parts.clock
    this.events = parts.events
    this.#visits = visits
    this.#cookieName = cookieName
  }

  /** Tells whether the store reads many records at once. */
  get readsMany(): boolean {
    return typeof this.gate.store.getMany === 'function'
  }

  browser(isByHeader = this.#isByHeader): Browser {
    return new Browser(this.app, this.#visits, this.#cookieName, isByHeader)
  }

  /** Returns the headers of a request that brings an id as the browsers of this app do. */
  headersOf(id: string | undefined): Record<string, string> {
    return this.#isByHeader ? { authorization: `Session ${id}` } : { cookie: `${this.#cookieName}=${id}` }
  }

  /** Returns an id with a signature that this app would make, of an epoch that no session reaches. */
  forged(handle: string): string {
    const purpose = this.#isByHeader ? `${this.#cookieName} in a header` : this.#cookieName
    return new SessionIds([SECRET], purpose).mint(handle, 1e9).cookieValue
  }

  /** Returns a browser in which a user has logged in. */
  async loggedIn(user: SessionUser): Promise<Browser> {
    const browser = this.browser()
    await browser.visit(loginAs(user))
    return browser
  }

  /** Returns a browser with an anonymous session that holds some data. */
  async withData(data: object): Promise<Browser> {
    const browser = this.browser()
    await browser.visit(write(data))
    return browser
  }

  /** Events of one type, since the last call or the beginning. */
  takeEvents<Type extends SessionEvent['type']>(type: Type): Extract<SessionEvent, { type: Type }>[] {
    const isOfType = (event: SessionEvent): event is Extract<SessionEvent, { type: Type }> => event.type === type
    return this.events.splice(0).filter(isOfType)
  }

  /** Returns the record as the store has it. */
  record(handle: string): Promise<SessionRecord | undefined> {
    return this.gate.store.get(handle)
  }

  /** Handles of the records there are, of those that were ever created. */
  async living(): Promise<string[]> {
    const handles = [...new Set(this.gate.createdHandles())]
    const records = await Promise.all(handles.map((handle) => this.record(handle)))
    return handles.filter((_handle, position) => records[position] !== undefined)
  }

  /** Handles in a user's index, in order. */
  async indexed(user: SessionUser): Promise<string[]> {
    const entries = (await this.gate.store.listIndex?.(user.id)) ?? []
    return entries.map(({ handle }) => handle).toSorted()
  }
}

/** Boots an app on a store that the gate stands in front of. */
export async function boot(t: Test, makeStore: MakeStore, options: BenchOptions = {}): Promise<Bench> {
  const clock = testClock(Date.now())
  const gate = new Gate(await makeStore(t, clock), makeStore.sample)
  const visits: Visits = new Map()
  const events: SessionEvent[] = []
  const app = Fastify({ logger: false, ...options.fastify })
  t.teardown(() => app.close())
  await app.register(secureSession, {
    environment: 'test',
    secret: SECRET,
    clock,
    // The limit is high because the machine may take time; the tests themselves take none.
    storeTimeout: '60s',
    store: gate.store,
    ...(makeStore.isByHeader === true && { headerTransport: {} }),
    ...options.session,
  })
  app.sessions.events.on('event', (event) => void events.push(event))
  app.post('/visit', async (request, reply) => (await visitOf(visits, request.headers)?.handler(request, reply)) ?? {})
  app.addHook('onSend', async (request, reply) => {
    await visitOf(visits, request.headers)?.onSend?.(request, reply)
  })
  await options.routes?.(app)
  await app.ready()
  const isProduction = options.session?.environment === 'production'
  const cookieName = options.session?.cookie?.name ?? (isProduction ? '__Host-session' : 'session')
  return new Bench({ app, gate, clock, events }, visits, cookieName, makeStore.isByHeader)
}

function visitOf(visits: Visits, headers: Record<string, unknown>): ReturnType<Visits['get']> {
  return visits.get(String(headers['x-visit']))
}

/** Returns a user whom nobody else has. */
export function someone(name: string): SessionUser {
  return { id: `${name}-${randomBytes(6).toString('hex')}` }
}

/** Returns the public half of a session id. */
export function handleOf(cookie: string | undefined): string {
  return (cookie ?? '').slice(0, 22)
}

/** Returns a handler that puts data into the session. */
export function write(data: object): Handler {
  return (request) => void Object.assign(request.session, data)
}

/** Returns a handler that logs somebody in. */
export function loginAs(user: SessionUser, options?: { keep?: boolean | string[]; remember?: boolean }): Handler {
  return (request) => request.login(user, options)
}

/** A handler that logs out. */
export const logOut: Handler = (request) => request.logout()

/** A handler that asks for a touch by name. */
export const touch: Handler = (request) => {
  request.session.touch()
}
