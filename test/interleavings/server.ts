import Fastify from 'fastify'
import { SecureSessionError } from '../../lib/errors.ts'
import { SessionEvents } from '../../lib/events.ts'
import { createSessionOpener } from '../../lib/http/fastify-session.ts'
import { SessionWatch } from '../../lib/connections/session-watch.ts'
import { resolveOptions } from '../../lib/options.ts'
import type { CookieChange } from '../../lib/session/cookie-change.ts'
import { DeviceProofs } from '../../lib/session/device-bound/proofs.ts'
import { refreshDevice } from '../../lib/session/device-bound/refresh.ts'
import type { Grant } from '../../lib/session/device-bound/register.ts'
import { registerDevice } from '../../lib/session/device-bound/register.ts'
import type { Client, Engine, OpenSession } from '../../lib/session/engine.ts'
import { FreshUsers } from '../../lib/session/fresh-users.ts'
import { SessionIds } from '../../lib/session/id.ts'
import type { PresentedId } from '../../lib/session/id.ts'
import type { Loaded } from '../../lib/session/load-session.ts'
import { loadSession, NONE } from '../../lib/session/load-session.ts'
import { moveIn } from '../../lib/session/move-in.ts'
import { revokeOld } from '../../lib/session/move-mark.ts'
import { RequestSession } from '../../lib/session/request-session.ts'
import { UserSessions } from '../../lib/session/user-sessions.ts'
import { UserSnapshots } from '../../lib/session/user-snapshot.ts'
import { CutoffGate } from '../../lib/storage/cutoff-gate.ts'
import { Deadlines } from '../../lib/storage/deadlines.ts'
import { Recent } from '../../lib/storage/recent.ts'
import { TimedStore } from '../../lib/storage/timed-store.ts'
import type { LoginMethod, SecureSessionOptions, SessionEvent, SessionStore } from '../../types/index.ts'
import { SECRET } from '../support/app.ts'

/** The answer to one request, as its client and the app saw it. */
export interface Reply {
  readonly status: number
  readonly code: string | undefined
  /** The new cookie; `null` for one that clears it; `undefined` for none. */
  readonly cookie: string | null | undefined
  /** Tells whether the browser may bind the session of its new cookie. */
  readonly isOffered?: boolean
  /** The new bound cookie, and what comes with it. */
  readonly grant?: Grant
  /** The user and the data before the handler did anything. `undefined` if the handler never ran. */
  readonly me: Me | undefined
  /** The user and the data once the handler had ended, or failed. */
  readonly meAfter?: Me
  /** The signal that the handler took. */
  readonly signal?: AbortSignal
  /** The text of the error, if any. */
  readonly text: string
}

/** The user whom a session names, and the data that the session holds. */
export interface Me {
  readonly userId: string | null
  /** The user who acts as that one, if somebody does. */
  readonly actorId: string | null
  /** The name of the user, if somebody gave one. */
  readonly name: string | null
  /** The user of a half login. */
  readonly pendingId: string | null
  /** Tells whether a route that asks for a recent login lets the user in. */
  readonly isFresh: boolean
  /** Tells whether a route lets the user in that asks for a login of the last five minutes. */
  readonly isRecent: boolean
  /** The ways to log in that a route asks for and that were not used during the last five minutes. */
  readonly missing: readonly string[]
  /** The instants at which the session ends, as the app is told. */
  readonly endsAt: { readonly idle: number; readonly absolute: number } | null
  readonly data: Readonly<Record<string, unknown>>
}

/** The work of a request. */
export type Handler = (session: RequestSession) => unknown

/** The differences between a request and others. */
export interface Sending {
  readonly cookie: string | undefined
  /** The bound cookie that comes along. */
  readonly bound?: string | undefined
  /** The key of a session of another library, whose cookie the request carries. */
  readonly old?: string | undefined
  /** Tells whether the response fails after the session was written. */
  readonly fails?: boolean
  /** Tells whether the client does not look like the one that logged in. */
  readonly isStranger?: boolean
  /** Tells whether the request is no use of the session, as one of a page that asks by itself. */
  readonly isPassive?: boolean
  /** Tells whether the route never asks for users. */
  readonly isStaleFine?: boolean
  /** The kind of response that carries the cookie. */
  readonly carrier?: 'reply' | 'stream'
  /** Tells whether the response starts before the handler does anything. */
  readonly isLate?: boolean
  /** Tells whether the request comes over a connection of its own, and not through the proxy. */
  readonly isDirect?: boolean
}

/** The age of a recent login, in milliseconds. */
export const RECENT = 300_000

/** The ways to log in that a route asks for. */
const ASKED: readonly LoginMethod[] = ['pwd', 'otp']

const log = { debug() {}, info() {}, warn() {}, error() {} }
/** The request of a browser to the routes of device-bound sessions. */
interface Proving {
  readonly cookie: string | undefined
  readonly jws: string
  /** The binding that a refresh is for; absent in a registration. */
  readonly bindingId?: string | undefined
}

/** The address of the browser of a scene, and that of a client that looks otherwise. */
export const HOME = '203.0.113.7'
export const AWAY = '198.51.100.9'

const look = { protocol: 'https', ip: HOME, userAgent: 'Mozilla/5.0 Firefox/140.0' }
const stranger = { ...look, ip: AWAY, userAgent: 'Mozilla/5.0 Safari/605.1.15' }
let opener: Promise<OpenSession> | undefined

/** Opens what all servers share: the session object of @fastify/session. */
export function openSessions(): Promise<OpenSession> {
  const { cookie } = resolveOptions({ secret: SECRET }, 'test')
  return (opener ??= openOn(Fastify(), cookie))
}

async function openOn(app: ReturnType<typeof Fastify>, cookie: Parameters<typeof createSessionOpener>[1]) {
  const { default: cookies } = await import('@fastify/cookie')
  await app.register(cookies)
  const open = await createSessionOpener(app, cookie)
  await app.ready()
  return open
}

/**
 * The engine of one process on a store: what `lib/plugin.ts` makes, without the network in front. A request takes the
 * steps of `lib/http/hooks.ts`.
 */
export class Server {
  readonly engine: Engine
  readonly events: SessionEvent[] = []
  /** The connection over which a proxy brings the requests of all clients. */
  readonly #connection = {}

  constructor(kept: SessionStore, options: SecureSessionOptions, openSession: OpenSession) {
    const settings = resolveOptions({ secret: SECRET, storeTimeout: '1h', ...options }, 'test')
    const { deviceBound, secrets, cookie } = settings
    const events = new SessionEvents(log, settings.clock)
    const store = new TimedStore(kept, settings.storeTimeout, events, settings.namespace)
    const gate = new CutoffGate(store)
    store.gate = gate
    const users = new UserSessions(settings, store, events)
    const ids = new SessionIds(secrets, cookie.name)
    const freshUsers = new FreshUsers()
    const deadlines = new Deadlines(settings.storeTimeout)
    const shared = {
      snapshots: new UserSnapshots(),
      replacedIds: new Recent<true>(1000),
      openSession,
      // As `lib/plugin.ts` names it.
      headerIds: settings.headerTransport && new SessionIds(secrets, `${cookie.name} in a header`),
      device: deviceBound && new DeviceProofs(deviceBound, secrets, cookie.name),
    }
    const watch = new SessionWatch(() => this.engine)
    this.engine = { settings, events, store, gate, watch, ids, users, freshUsers, deadlines, ...shared }
    store.onChange = (handle, record, why) => watch.settle(handle, record, why)
    gate.onRaise = () => watch.lookSoon()
    events.emitter.on('event', (event) => void this.events.push(event))
    if (settings.migrateFrom.length > 0) users.beforeRevocation = (userId) => revokeOld(this.engine, userId)
  }

  async request(handler: Handler, sending: Sending): Promise<Reply> {
    const {
      cookie,
      bound,
      old,
      fails = false,
      isStranger = false,
      isPassive = false,
      isStaleFine = false,
      carrier = 'reply',
      isLate = false,
      isDirect = false,
    } = sending
    let session: RequestSession
    const presented = this.read(cookie)
    const isByHeader = presented?.isByHeader === true
    const over: (() => void)[] = []
    const client = {
      ...(isStranger ? stranger : look),
      ...{ isPassive, isStaleUserFine: isStaleFine, isByHeader, cookieNamed: () => bound ?? '' },
      connection: isDirect ? {} : this.#connection,
      afterReply: (listener: () => void) => void over.push(listener),
    }
    try {
      session = new RequestSession(this.engine, client, await this.#load(client, presented?.id, old))
    } catch (error) {
      return { ...answerOf(error), cookie: undefined, me: undefined }
    }
    const me = meOf(session)
    if (isLate) await this.#finish(session, false, carrier)
    let signal: AbortSignal | undefined
    let answer = await settled(async () => {
      const result = await handler(session)
      if (result instanceof AbortSignal) signal = result
    })
    const meAfter = meOf(session)
    const written = isLate ? answer : await settled(() => this.#finish(session, answer.status >= 500, carrier))
    if (written.status !== 200) answer = written
    else if (fails) {
      // An `onSend` hook after the plugin's threw. Fastify answers with a 500, which passes the hooks again.
      if (answer.status === 200) answer = { status: 500, code: undefined, text: '' }
      await settled(() => this.#finish(session, true, carrier))
    }
    for (const hear of over) hear()
    const { cookie: change, renewedId } = session.response
    const seen = { me, meAfter, ...(signal && { signal }) }
    return {
      ...answer,
      ...seen,
      isOffered: change?.kind === 'set' && change.binds !== undefined,
      cookie: renewedId === undefined ? valueOf(change) : renewedId === '' ? null : renewedId,
    }
  }

  /** Answers a request of the protocol of device-bound sessions, as `lib/http/device-routes.ts` does. */
  async prove({ cookie = '', jws, bindingId }: Proving): Promise<Reply> {
    const { device, ids } = this.engine
    const id = ids.read(cookie, this.#connection)
    if (device === undefined || typeof id !== 'object') return refused('REFUSED')
    const client = { ...look, cookieNamed: () => '', connection: this.#connection }
    try {
      if (bindingId === undefined) {
        const grant = await registerDevice(this.engine, device, { id, jws, client })
        return grant === undefined ? refused('REFUSED') : { ...refused(undefined), status: 200, grant }
      }
      const done = await refreshDevice(this.engine, device, { id, jws, bindingId, client })
      if (done.kind !== 'refreshed') return refused(done.kind.toUpperCase())
      const renewed = done.cookie?.kind === 'set' ? done.cookie.value : undefined
      return { ...refused(undefined), status: 200, cookie: renewed, grant: done.grant }
    } catch (error) {
      return { ...answerOf(error), cookie: undefined, me: undefined }
    }
  }

  /** Reads an id as that of a cookie, or as that of a header. */
  read(value: string | undefined): { readonly id: PresentedId; readonly isByHeader: boolean } | undefined {
    if (value === undefined) return undefined
    const { ids, headerIds } = this.engine
    const inCookie = ids.read(value, this.#connection)
    const id = typeof inCookie === 'object' ? inCookie : headerIds?.read(value, this.#connection)
    return typeof id === 'object' ? { id, isByHeader: id !== inCookie } : undefined
  }

  async #load(client: Client, id: PresentedId | undefined, old: string | undefined): Promise<Loaded> {
    const loaded = id !== undefined ? await loadSession(this.engine, id, client) : NONE
    const [migration] = this.engine.settings.migrateFrom
    if (migration === undefined || old === undefined || loaded.state === 'live') return loaded
    const found = await migration.read([old])
    if (found === undefined) return loaded
    const moved = await moveIn({ engine: this.engine, migration, old: found, client, isCarrier: true })
    return typeof moved === 'object' ? moved : loaded
  }

  async #finish(session: RequestSession, isFailure: boolean, carrier: 'reply' | 'stream'): Promise<void> {
    const { hasWork } = session
    session.markAnswered()
    if (isFailure || hasWork) await session.finish(isFailure, carrier)
  }
}

/** Returns the value of a cookie; `null` for one that is cleared. */
function valueOf(change: CookieChange | undefined): string | null | undefined {
  return change?.kind === 'set' ? change.value : change && null
}

/** Returns an answer of the protocol that carries no cookie. */
function refused(code: string | undefined): Reply {
  return { status: 403, code, cookie: undefined, me: undefined, text: '' }
}

function meOf(session: RequestSession): Me {
  const { facts } = session
  const { userId, user, actor, pendingUser } = facts
  const name = (user as { readonly name?: string } | null)?.name ?? null
  const actorId = actor?.id ?? null
  const pendingId = pendingUser?.id ?? null
  const { expiresAt } = facts
  return {
    ...{ userId, actorId, name, pendingId, data: dataOf(session) },
    isFresh: facts.isFresh(Infinity),
    isRecent: facts.isFresh(RECENT),
    missing: facts.missingMethods(ASKED, RECENT),
    endsAt: expiresAt && { idle: expiresAt.idle.getTime(), absolute: expiresAt.absolute.getTime() },
  }
}

function dataOf(session: RequestSession): Record<string, unknown> {
  // The object of @fastify/session has this method. After `destroy` there is no object.
  return (session.object as { data(): Record<string, unknown> } | null)?.data() ?? {}
}

async function settled(work: () => Promise<unknown>): Promise<Pick<Reply, 'status' | 'code' | 'text'>> {
  try {
    await work()
    return { status: 200, code: undefined, text: '' }
  } catch (error) {
    return answerOf(error)
  }
}

function answerOf(error: unknown): Pick<Reply, 'status' | 'code' | 'text'> {
  if (error instanceof SecureSessionError) return { status: error.statusCode, code: error.code, text: textOf(error) }
  return { status: 500, code: undefined, text: textOf(error as Error) }
}

function textOf(error: Error): string {
  return `${error.message} ${String(error.cause)}`
}
