import type { FastifyInstance, InjectOptions } from 'fastify'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import type { Bench, BenchOptions, MakeStore } from '../support/app.ts'
import { boot } from '../support/app.ts'
import type { OldApp, OldCookies } from './old-apps.ts'
import { headerOf, keep } from './old-apps.ts'

/** The answer of the new app to a visitor. */
interface Page {
  readonly status: number
  readonly code: string | undefined
  readonly userId: string | null
  readonly data: Record<string, unknown>
  readonly handle: string
  readonly setCookie: readonly string[]
  readonly headers: Readonly<Record<string, unknown>>
}

/** A browser that knew the old app and visits the new one. */
export class Visitor {
  readonly cookies: OldCookies
  readonly #app: FastifyInstance

  constructor(app: FastifyInstance, cookies: OldCookies) {
    this.#app = app
    this.cookies = new Map(cookies)
  }

  /** Returns another browser with the same cookies. */
  copy(): Visitor {
    return new Visitor(this.#app, this.cookies)
  }

  async visit(url = '/me', options: InjectOptions = {}): Promise<Page> {
    const headers = { cookie: headerOf(this.cookies), 'user-agent': 'Firefox/140.0', ...options.headers }
    const response = await this.#app.inject({ method: 'GET', url, ...options, headers })
    const setCookie = [response.headers['set-cookie'] ?? []].flat()
    keep(this.cookies, setCookie)
    const page = response.json() as Partial<Page>
    const { userId = null, data = {}, handle = '', code } = page
    return { status: response.statusCode, userId, data, handle, code, setCookie, headers: response.headers }
  }
}

/** The new app, with the old one's sessions let in. */
export interface NewApp {
  readonly bench: Bench
  readonly old: OldApp
  readonly visitor: (cookies: OldCookies) => Visitor
  /** Handles of the records that were made since the app started. */
  readonly living: () => Promise<string[]>
}

const memory: MakeStore = (_t, clock) => memoryStore({ clock })

/** Boots the new app. */
export async function newApp(
  t: Test,
  old: OldApp,
  { session, migration, makeStore = memory, routes, ...rest }: NewAppOptions = {},
): Promise<NewApp> {
  const bench = await boot(t, makeStore, {
    ...rest,
    session: { migrateFrom: [old.migration(migration)], ...session },
    routes: async (app) => {
      app.get('/me', async (request) => ({
        userId: request.user?.id ?? null,
        data: request.session.data(),
        handle: request.session.sessionId,
      }))
      app.get('/sudo', { onRequest: app.requireLogin({ within: '10m' }) }, async () => ({}))
      app.get('/broken', async () => {
        throw new Error('the app is broken')
      })
      app.get('/login', async (request) => {
        await request.login({ id: 'somebody else' })
        return {}
      })
      app.get('/logout', async (request) => {
        await request.logout()
        return {}
      })
      app.get('/static', { config: { session: false } }, async () => ({}))
      await routes?.(app)
    },
  })
  const before = new Set(await bench.living())
  return {
    bench,
    old,
    visitor: (cookies) => new Visitor(bench.app, cookies),
    living: async () => (await bench.living()).filter((handle) => !before.has(handle)),
  }
}

/** The options of a new app. */
interface NewAppOptions extends BenchOptions {
  readonly session?: SecureSessionOptions
  readonly migration?: Parameters<OldApp['migration']>[0]
  readonly makeStore?: MakeStore
  readonly routes?: (app: FastifyInstance) => unknown
}

/** Checks that the new app knows no user and no data of a visitor. */
export function isNobody(t: Test, page: Page, what = 'nobody is logged in'): void {
  const { status, userId, data } = page
  t.strictSame({ status, userId, data }, { status: 200, userId: null, data: {} }, what)
}
