import type { FastifyInstance } from 'fastify'
import secureSession, { checkConfig, memoryStore } from 'fastify-session-guard'
import type { SecureSessionOptions } from 'fastify-session-guard'
import { sqliteStore } from 'fastify-session-guard/stores/sqlite'
import { loginAs } from 'fastify-session-guard/testing'

declare module 'fastify' {
  interface Session {
    cart?: string[]
  }
  interface SessionUser {
    name: string
  }
}

export const options: SecureSessionOptions = { store: memoryStore(), idleTimeout: '20m' }

export function routes(app: FastifyInstance): void {
  void app.register(secureSession, options)
  app.get('/me', { onRequest: app.requireLogin() }, async (request) => {
    const cart: string[] = request.session.cart ?? []
    return { name: request.requireUser().name, cart }
  })
  void [checkConfig({}), sqliteStore, loginAs(app, { id: 'ada', name: 'Ada' })]
}
