import { createHash, createHmac, randomBytes } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { Sessions, Site, Visit } from './site.ts'

/** The record of one session. */
export interface Saved {
  user: string | null
  /** The user's password at the login. */
  password: string | undefined
  data: Record<string, unknown>
  startedAt: number
  usedAt: number
}

const IDLE = 30 * 60_000
const ABSOLUTE = 12 * 3_600_000
const REFRESH = 15 * 60_000

/** The text that each key of a store has. */
class Shelf {
  readonly #texts = new Map<string, string>()

  async get(key: string): Promise<string | undefined> {
    return this.#texts.get(key)
  }

  async set(key: string, text: string): Promise<void> {
    this.#texts.set(key, text)
  }

  async delete(key: string): Promise<void> {
    this.#texts.delete(key)
  }
}

/** The session of one request. */
export class PlainVisit implements Visit {
  readonly sessions: PlainSessions
  /** `undefined` while there is no session. */
  id: string | undefined
  saved: Saved
  readonly changed = new Set<string>()
  /** The cookie that the response sets; `''` clears it. */
  cookie: string | undefined
  isRead = false

  constructor(sessions: PlainSessions, id?: string, saved?: Saved) {
    this.sessions = sessions
    this.id = id
    this.saved = saved ?? sessions.empty()
  }

  get user(): string | null {
    this.isRead = true
    return this.saved.user
  }

  read(): Record<string, unknown> {
    this.isRead = true
    return this.saved.data
  }

  write(data: object): void {
    for (const [key, value] of Object.entries(data)) {
      this.saved.data[key] = value
      this.changed.add(key)
    }
  }

  forget(key: string): void {
    Reflect.deleteProperty(this.saved.data, key)
    this.changed.add(key)
  }

  login(user: string): Promise<void> {
    return this.sessions.login(this, user)
  }

  logout(): Promise<void> {
    return this.sessions.logout(this)
  }
}

/**
 * A small session layer whose steps are the methods of this class. It resists every attack of the museum. An imitation
 * replaces the step that a peer got wrong, so the attack succeeds because of that step alone.
 */
export class PlainSessions implements Sessions {
  protected readonly site: Site
  protected readonly shelf: Shelf
  protected readonly key: string = randomBytes(32).toString('hex')
  readonly #visits = new WeakMap<FastifyRequest, PlainVisit>()
  readonly #listeners: (() => void)[] = []

  constructor(site: Site) {
    this.site = site
    this.shelf = site.store.on(new Shelf())
  }

  async install(app: FastifyInstance): Promise<void> {
    this.checkOptions()
    app.addHook('onRequest', async (request, reply) => {
      if (!this.isAllowed(request)) return reply.code(403).send({})
      this.#visits.set(request, await this.load(this.cookieOf(request, this.site.cookieName)))
    })
    app.addHook('onSend', async (request, reply) => {
      const visit = this.#visits.get(request)
      if (visit === undefined) return
      await this.finish(visit)
      this.answer(visit, reply, request)
    })
  }

  visitOf(request: FastifyRequest): PlainVisit {
    return this.#visits.get(request) ?? new PlainVisit(this)
  }

  empty(): Saved {
    const now = this.site.clock()
    return { user: null, password: undefined, data: {}, startedAt: now, usedAt: now }
  }

  /** Throws where an option would become more than one attribute of the cookie. */
  protected checkOptions(): void {
    const { cookie = {} } = this.site.options
    if (/[;,\s]/.test(`${cookie.name}${cookie.path}${cookie.domain}`)) throw new Refused('cookie')
  }

  protected isAllowed({ method, headers }: FastifyRequest): boolean {
    if (method === 'GET' && headers.upgrade === undefined) return true
    const site = headers['sec-fetch-site']
    if (site !== undefined) return site === 'same-origin'
    return headers.origin === undefined || new URL(headers.origin).host === headers.host
  }

  cookieOf(request: FastifyRequest, name: string): string | undefined {
    const pairs = (request.headers.cookie ?? '').split(';').map((pair) => pair.trim().split(/=(.*)/s))
    const values = pairs.filter(([found]) => found === name).map(([, value]) => value)
    return values.length === 1 ? values[0] : undefined
  }

  sign(text: string): string {
    return this.seal('app', text)
  }

  protected seal(purpose: string, text: string): string {
    return `${text}.${createHmac('sha256', this.key).update(`${purpose} ${text}`).digest('base64url')}`
  }

  protected unseal(purpose: string, value: string): string | undefined {
    const text = value.slice(0, Math.max(value.lastIndexOf('.'), 0))
    return text !== '' && this.seal(purpose, text) === value ? text : undefined
  }

  protected async load(value: string | undefined): Promise<PlainVisit> {
    const id = value === undefined ? undefined : this.unseal('session', value)
    const saved = id === undefined ? undefined : await this.find(id)
    return saved !== undefined && this.isAlive(saved) ? new PlainVisit(this, id, saved) : new PlainVisit(this)
  }

  protected async find(id: string): Promise<Saved | undefined> {
    const text = await this.shelf.get(this.keyOf(id))
    return text === undefined ? undefined : this.parse(text)
  }

  protected keyOf(id: string): string {
    return createHash('sha256').update(id).digest('base64url')
  }

  protected format(saved: Saved): string {
    return JSON.stringify(saved)
  }

  protected parse(text: string): Saved {
    return JSON.parse(text) as Saved
  }

  protected isAlive({ user, password, startedAt, usedAt }: Saved): boolean {
    const now = this.site.clock()
    return now < usedAt + IDLE && now < startedAt + ABSOLUTE && password === this.site.passwords.get(user ?? '')
  }

  protected async keep(visit: PlainVisit): Promise<void> {
    await this.shelf.set(this.keyOf(visit.id ?? ''), this.format(visit.saved))
  }

  protected renew(visit: PlainVisit): void {
    visit.id = randomBytes(24).toString('base64url')
    visit.cookie = this.seal('session', visit.id)
  }

  /** Gives the session to a user, under a new id. */
  async login(visit: PlainVisit, user: string): Promise<void> {
    if (visit.id !== undefined) await this.shelf.delete(this.keyOf(visit.id))
    this.renew(visit)
    const { _csrf, ...data } = visit.saved.data
    visit.saved = { ...this.empty(), user, password: this.site.passwords.get(user), data }
    await this.keep(visit)
  }

  async logout(visit: PlainVisit): Promise<void> {
    if (visit.id === undefined) return
    await this.shelf.delete(this.keyOf(visit.id))
    this.forgetVisit(visit)
    this.tell()
  }

  protected forgetVisit(visit: PlainVisit): void {
    visit.id = undefined
    visit.saved = this.empty()
    visit.changed.clear()
    visit.cookie = ''
  }

  protected tell(): void {
    for (const listener of this.#listeners) listener()
  }

  /** Writes the keys that the request changed, if the session is still there. */
  protected async finish(visit: PlainVisit): Promise<void> {
    if (visit.id === undefined) {
      if (visit.changed.size === 0) return
      this.renew(visit)
      return this.keep(visit)
    }
    const stored = await this.find(visit.id)
    if (stored === undefined) return
    for (const key of visit.changed) {
      if (key in visit.saved.data) stored.data[key] = visit.saved.data[key]
      else Reflect.deleteProperty(stored.data, key)
    }
    visit.saved = { ...stored, usedAt: this.site.clock() }
    await this.keep(visit)
    if (this.site.clock() >= stored.startedAt + REFRESH) visit.cookie ??= this.seal('session', visit.id)
  }

  protected answer(visit: PlainVisit, reply: FastifyReply, _request: FastifyRequest): void {
    if (visit.isRead) reply.header('vary', 'Cookie')
    if (visit.cookie === undefined) return
    reply.header('set-cookie', this.cookieLine(visit.cookie)).header('cache-control', 'no-store')
  }

  protected cookieLine(value: string): string {
    const { domain, path = '/' } = this.site.options.cookie ?? {}
    const place = domain === undefined ? '' : `; Domain=${domain}`
    const end = value === '' ? '; Max-Age=0' : ''
    return `${this.site.cookieName}=${value}; Path=${path}; Secure; HttpOnly; SameSite=Lax${place}${end}`
  }

  async revoke(user: string): Promise<void> {
    this.site.passwords.set(user, randomBytes(8).toString('hex'))
  }

  onLogout(listener: () => void): void {
    this.#listeners.push(listener)
  }
}

/** The error that a refused configuration throws. */
class Refused extends Error {
  readonly code = 'SESSION_GUARD_REFUSED'
}
