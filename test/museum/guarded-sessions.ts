import { Signer } from '@fastify/cookie'
import type { FastifyInstance, FastifyRequest } from 'fastify'
import { secureSession } from '../../lib/index.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { SECRET } from '../support/app.ts'
import type { Sessions, Site, Visit } from './site.ts'

/** This plugin, as the pages of a site use it. */
export class GuardedSessions implements Sessions {
  readonly #site: Site

  constructor(site: Site) {
    this.#site = site
  }

  async install(app: FastifyInstance): Promise<void> {
    const { clock, store, passwords, options } = this.#site
    const defaults = { environment: 'production', tls: 'proxy', store: memoryStore({ clock }) } as const
    if (options.isDefault === true) return app.register(secureSession, defaults)
    await app.register(secureSession, {
      environment: 'test',
      secret: SECRET,
      clock,
      storeTimeout: '60s',
      store: store.on(memoryStore({ clock })),
      loadUser: async (id) => ({ id }),
      authHash: ({ id }) => passwords.get(id) ?? 'none',
      cookie: { name: this.#site.cookieName, secure: true, ...options.cookie },
    })
  }

  visitOf(request: FastifyRequest): Visit {
    return {
      get user() {
        return request.user?.id ?? null
      },
      read: () => request.session.data(),
      write: (data) => void Object.assign(request.session, data),
      forget: (key) => void Reflect.deleteProperty(request.session, key),
      login: (id) => request.login({ id }),
      logout: () => request.logout(),
    }
  }

  cookieOf(request: FastifyRequest, name: string): string | undefined {
    return request.cookies[name]
  }

  sign(text: string): string {
    return new Signer([SECRET]).sign(text)
  }

  async revoke(user: string): Promise<void> {
    await this.#site.app.sessions.revokeUser(user)
  }

  onLogout(listener: () => void): void {
    this.#site.app.sessions.events.on('logout', listener)
  }
}
