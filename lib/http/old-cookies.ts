import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest, onSendHookHandler } from 'fastify'
import type { Client, Engine } from '../session/engine.ts'
import type { LiveSession, Loaded } from '../session/load-session.ts'
import { moveIn } from '../session/move-in.ts'
import type { Visit } from '../session/old-session.ts'
import { useUp } from '../session/old-session.ts'
import { RequestSession } from '../session/request-session.ts'
import type { Migration } from '../../types/index.ts'
import { failCleanly } from './clean-error.ts'
import { endPayload } from './end-payload.ts'
import { findCookie } from './read-cookie.ts'
import type { SessionRequest } from './request-slot.ts'
import { IS_BY_HEADER, RequestClient, SLOT } from './request-slot.ts'
import { forbidCaching, isCookieSet } from './write-cookie.ts'

/** The old session that a request brings for one way in, as far as its cookie passed the check of the old library. */
interface OldCookie {
  readonly migration: Migration
  readonly visit: Visit | undefined
}

/** The old cookies of one request that its response clears, and the old sessions that it uses up. */
interface Traces {
  readonly cleared: Set<Migration>
  readonly openVisits: Visit[]
}

/** Lists the old cookies of a `Cookie` header, one after the other. */
async function* oldCookies(
  engine: Engine,
  header: string,
  client: Client,
  isCarrier: boolean,
): AsyncGenerator<OldCookie> {
  const { migrateFrom, clock } = engine.settings
  for (const migration of migrateFrom) {
    const found = migration.cookieNames.map((name) => findCookie(header, name))
    // If two cookies have one name, one of them may be planted. So neither counts.
    if (found[0]?.count !== 1 || found.some(({ count }) => count > 1) || clock() >= migration.endsAt) continue
    const old = await migration.read(found.map(({ value }) => value))
    yield { migration, visit: old && { engine, migration, client, isCarrier, old } }
  }
}

/** Tells whether a request has no session of this app, so that an old one may move in. */
export function isNobody({ state }: Loaded): boolean {
  return state === 'none' || state === 'gone'
}

/** Tells whether a `Cookie` header mentions an old cookie. */
function mentionsOld({ settings }: Engine, header: string): boolean {
  return settings.migrateFrom.some(({ cookieNames: [name] }) => header.includes(name))
}

/**
 * Follows an old cookie to a session outside of a Fastify request, without using the old session up.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`, `SESSION_USER_INVALID`
 */
export async function sessionByOldCookie(
  engine: Engine,
  header: string,
  client: Client,
): Promise<LiveSession | undefined> {
  if (!mentionsOld(engine, header)) return undefined
  for await (const { visit } of oldCookies(engine, header, client, false)) {
    const moved = visit && (await moveIn(visit))
    if (typeof moved === 'object') return moved
  }
  return undefined
}

/** The cookies of other session libraries, whose sessions move in. */
export class OldCookies {
  readonly #engine: Engine
  readonly #traces = new WeakMap<FastifyRequest, Traces>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Tells whether a `Cookie` header mentions an old cookie. */
  areIn(header: string): boolean {
    return mentionsOld(this.#engine, header)
  }

  /**
   * Moves the old session in to which a `Cookie` header leads. Returns `otherwise` without one.
   * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`, `SESSION_USER_INVALID`
   */
  async moveIn(request: FastifyRequest, header: string, client: Client, otherwise: Loaded): Promise<Loaded> {
    const isCarrier = request.raw.headers.upgrade === undefined
    for await (const { migration, visit } of oldCookies(this.#engine, header, client, isCarrier)) {
      const moved = visit && (await moveIn(visit))
      // A session that this app cannot read may be readable again after a change of its settings.
      if (moved === 'damaged') continue
      this.#trace(request, migration)
      if (moved === undefined) continue
      if (visit !== undefined && !isCarrier) this.#tracesOf(request).openVisits.push(visit)
      return moved
    }
    return otherwise
  }

  /**
   * Returns a hook that clears the old cookies of a request in its response. The hook uses up two kinds of old
   * sessions. The first kind came with an upgrade that an ordinary response answers. The second kind comes with a
   * logout.
   */
  finish(): onSendHookHandler {
    return (request, reply, payload, done) => {
      const { cookie = '' } = request.raw.headers
      const isLoggedOut = isLogout(request) && this.areIn(cookie)
      const traces = this.#traces.get(request)
      const send = (): void => {
        this.#clear(request, reply)
        done(null, payload)
      }
      if (!isLoggedOut && (traces === undefined || traces.openVisits.length === 0)) return send()
      const fail = (error: Error): void => {
        endPayload(payload)
        done(failCleanly(reply, error))
      }
      this.#useUp(request, isLoggedOut ? cookie : undefined)
        .then(send, fail)
        .catch(fail)
    }
  }

  /** @param cookie The `Cookie` header of a client that has logged out. */
  async #useUp(request: FastifyRequest, cookie: string | undefined): Promise<void> {
    const { openVisits } = this.#tracesOf(request)
    for (const visit of openVisits.splice(0)) await useUp(visit, cookie !== undefined)
    if (cookie === undefined) return
    for await (const { migration, visit } of oldCookies(this.#engine, cookie, new RequestClient(request), true)) {
      if (visit !== undefined) await useUp(visit, true)
      this.#trace(request, migration)
    }
  }

  #tracesOf(request: FastifyRequest): Traces {
    const traces = this.#traces.get(request) ?? { cleared: new Set(), openVisits: [] }
    this.#traces.set(request, traces)
    return traces
  }

  /** Notes a cookie to clear. The cookie of the old app is not this app's as long as the old app still works. */
  #trace(request: FastifyRequest, migration: Migration): void {
    if (!migration.keepOld) this.#tracesOf(request).cleared.add(migration)
  }

  #clear(request: FastifyRequest, reply: FastifyReply): void {
    const { cleared } = this.#traces.get(request) ?? {}
    this.#traces.delete(request)
    for (const migration of cleared ?? []) {
      for (const name of migration.cookieNames) this.#clearOne(request, reply, migration, name)
    }
  }

  /** Clears one old cookie, unless the new cookie takes its place. */
  #clearOne(request: FastifyRequest, reply: FastifyReply, { cookie }: Migration, name: string): void {
    const { cookie: own } = this.#engine.settings
    const { path = '/', partitioned = false } = cookie
    const domain = cookie.domain ?? undefined
    const isReplaced = name === own.name && path === own.path && domain === own.domain
    if (isReplaced && isCookieSet(reply, name)) return
    // Over https a cookie that is not marked `Secure` may not clear one that is.
    const secure = request.protocol === 'https' || name.startsWith('__')
    const sameSite = own.sameSite === 'none' && secure ? 'none' : 'lax'
    const attributes = { path, domain, secure, sameSite, partitioned, httpOnly: true, signed: false }
    reply.clearCookie(name, attributes as CookieSerializeOptions)
    forbidCaching(reply)
  }
}

/**
 * Tells whether a request has logged out. With an id in the header no cookie counts, so such a logout leaves cookies
 * alone.
 */
function isLogout(request: FastifyRequest): boolean {
  const { [SLOT]: session, [IS_BY_HEADER]: isByHeader } = request as SessionRequest
  return !isByHeader && session instanceof RequestSession && session.response.isLoggedOut
}
