import type { CookieSerializeOptions } from '@fastify/cookie'
import type { FastifyReply, FastifyRequest } from 'fastify'
import type { Client, Engine } from '../session/engine.ts'
import type { LiveSession, Loaded } from '../session/load-session.ts'
import { moveIn } from '../session/move-in.ts'
import type { Migration } from '../../types/index.ts'
import { findCookie } from './read-cookie.ts'
import { forbidCaching, isCookieSet } from './write-cookie.ts'

/** The cookies of other session libraries, whose sessions move in. */
export class OldCookies {
  readonly #engine: Engine
  /** The old cookies that the response to a request clears. */
  readonly #cleared = new WeakMap<FastifyRequest, Migration[]>()

  constructor(engine: Engine) {
    this.#engine = engine
  }

  /** Tells whether a `Cookie` header mentions an old cookie. */
  areIn(header: string): boolean {
    return this.#engine.settings.migrateFrom.some(({ cookieNames: [name] }) => header.includes(name))
  }

  /**
   * Moves the old session in to which a `Cookie` header leads. Returns `otherwise` without one.
   * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_USER_UNAVAILABLE`, `SESSION_USER_INVALID`
   */
  async moveIn(request: FastifyRequest, header: string, client: Client, otherwise: Loaded): Promise<Loaded> {
    const { migrateFrom, clock } = this.#engine.settings
    for (const migration of migrateFrom) {
      const found = migration.cookieNames.map((name) => findCookie(header, name))
      // Of two cookies of one name, one may be planted. None of them counts.
      if (found[0]?.count !== 1 || found.some(({ count }) => count > 1) || clock() >= migration.endsAt) continue
      const moved = await this.#follow(
        request,
        migration,
        client,
        found.map(({ value }) => value),
      )
      if (moved !== undefined) return moved
    }
    return otherwise
  }

  async #follow(
    request: FastifyRequest,
    migration: Migration,
    client: Client,
    values: readonly string[],
  ): Promise<LiveSession | undefined> {
    const isCarrier = request.raw.headers.upgrade === undefined
    const old = await migration.read(values)
    const visit = { engine: this.#engine, migration, client, isCarrier }
    const moved = old === undefined ? undefined : await moveIn({ ...visit, old })
    // The cookie of the old app is not this app's to clear as long as the old app still works.
    if (!migration.keepOld) this.#cleared.set(request, [...(this.#cleared.get(request) ?? []), migration])
    return moved
  }

  /** Clears the old cookies of a request in its response, unless the new cookie takes their place. */
  clear(request: FastifyRequest, reply: FastifyReply): void {
    const migrations = this.#cleared.get(request) ?? []
    this.#cleared.delete(request)
    for (const migration of migrations) {
      for (const name of migration.cookieNames) this.#clearOne(request, reply, migration, name)
    }
  }

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
