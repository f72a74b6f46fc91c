import { mkdir, writeFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import { dirname, join } from 'node:path'
import websocket from '@fastify/websocket'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import type { Test } from 'tap'
import type { SessionCookieOptions } from '../../types/index.ts'
import type { TestClock } from '../support/clock.ts'
import { testClock } from '../support/clock.ts'
import { Client } from './client.ts'
import { StoreWatch } from './store-watch.ts'

/** The session of one request, as the pages of a site use it. */
export interface Visit {
  readonly user: string | null
  read(): Record<string, unknown>
  write(data: object): void
  forget(key: string): void
  login(user: string): Promise<void>
  logout(): Promise<void>
}

/** A session layer: this plugin, or an imitation. */
export interface Sessions {
  install(app: FastifyInstance): Promise<void>
  visitOf(request: FastifyRequest): Visit
  /** Reads a cookie of the app, as the app's own pages do. */
  cookieOf(request: FastifyRequest, name: string): string | undefined
  /** Signs a text of the app's own with the key of the sessions. */
  sign(text: string): string
  /** Ends all sessions of a user. */
  revoke(user: string): Promise<void>
  onLogout(listener: () => void): void
}

export interface SiteOptions {
  readonly cookie?: SessionCookieOptions
  /** Leaves out every option that has a default, as in production. */
  readonly isDefault?: boolean
}

export type MakeSessions = (site: Site) => Sessions

/** One running app, in the hands of an attack. */
export class Site {
  readonly app: FastifyInstance
  readonly options: SiteOptions
  readonly clock: TestClock = testClock()
  readonly store = new StoreWatch()
  readonly log: string[] = []
  readonly passwords: Map<string, string> = new Map([['ann', 'correct horse']])
  /** The folder in which an imitation keeps its records. Uploads are beside it. */
  readonly folder: string
  readonly sessions: Sessions
  /** Runs inside a request to `/late` or `/poll`, after the request has read its session. */
  meanwhile: () => Promise<unknown> = async () => undefined

  constructor(t: Test, makeSessions: MakeSessions, options: SiteOptions) {
    const stream = { write: (line: string) => void this.log.push(line) }
    this.app = Fastify({ logger: { level: 'trace', stream }, trustProxy: '127.0.0.1' })
    this.options = options
    this.folder = join(t.testdir({ records: {}, uploads: {} }), 'records')
    this.sessions = makeSessions(this)
    t.teardown(() => this.app.close())
  }

  get cookieName(): string {
    return this.options.cookie?.name ?? '__Host-session'
  }

  client(): Client {
    return new Client(this)
  }

  /** Returns a client in which a user has logged in. */
  async loggedIn(user: string): Promise<Client> {
    const client = this.client()
    await client.login(user)
    await client.must(user)
    return client
  }

  async start(): Promise<this> {
    await this.app.register(websocket)
    await this.sessions.install(this.app)
    addPages(this)
    await this.app.ready()
    return this
  }

  async listen(): Promise<string> {
    await this.app.listen({ host: '127.0.0.1', port: 0 })
    return `127.0.0.1:${(this.app.server.address() as AddressInfo).port}`
  }
}

function bodyOf(request: FastifyRequest): Record<string, string> {
  const { body } = request
  return (typeof body === 'string' ? JSON.parse(body) : (body ?? {})) as Record<string, string>
}

/** Adds the pages of a small app. They trust their session layer. */
function addPages(site: Site): void {
  const { app, sessions } = site
  const visitOf = (request: FastifyRequest): Visit => sessions.visitOf(request)
  app.get('/plain', async () => 'the same for everybody')
  app.get('/picture', async (_request, reply) => reply.header('cache-control', 'public, max-age=3600').send('pixels'))
  app.get('/me', async (request) => ({ user: visitOf(request).user }))
  app.get('/note', async (request) => visitOf(request).read())
  app.get('/lang', async (request) => sessions.cookieOf(request, 'lang') ?? 'en')
  app.get('/signed', async (request) => sessions.sign((request.query as { text: string }).text))
  app.get('/live', { websocket: true }, (socket, request) => socket.send(String(visitOf(request).user)))
  app.post('/login', async (request) => visitOf(request).login(bodyOf(request)['user'] ?? ''))
  app.post('/logout', async (request) => visitOf(request).logout())
  app.post('/note', async (request) => visitOf(request).write(bodyOf(request)))
  app.post('/forget', async (request) => visitOf(request).forget(bodyOf(request)['key'] ?? ''))
  app.post('/logout-then-note', async (request) => {
    await visitOf(request).logout()
    visitOf(request).write(bodyOf(request))
  })
  app.get('/poll', async (request) => {
    const data = visitOf(request).read()
    await site.meanwhile()
    return data
  })
  app.post('/late', async (request) => {
    visitOf(request).read()
    await site.meanwhile()
    visitOf(request).write(bodyOf(request))
  })
  app.post('/upload', async (request) => {
    const { name = '', text = '' } = bodyOf(request)
    const file = join(dirname(site.folder), 'uploads', name)
    await mkdir(dirname(file), { recursive: true })
    await writeFile(file, text)
  })
  addForm(site)
}

/**
 * Adds a form with a token in the session (the synchronizer token pattern), under the key of @fastify/csrf-protection.
 */
function addForm({ app, sessions, clock }: Site): void {
  app.get('/form', async (request) => {
    const visit = sessions.visitOf(request)
    visit.write({ _csrf: visit.read()['_csrf'] ?? `token-${clock()}` })
    return { token: visit.read()['_csrf'] }
  })
  app.post('/transfer', async (request, reply) => {
    const token = sessions.visitOf(request).read()['_csrf']
    if (token === undefined || token !== bodyOf(request)['token']) return reply.code(403).send({})
    return { sent: true }
  })
}
