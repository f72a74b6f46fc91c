import type { FastifyInstance } from 'fastify'
import { ICON, STYLE } from '../style.ts'

/** The files that every page loads. These routes read no session. */
export function assetRoutes(app: FastifyInstance): void {
  const options = { config: { session: false } } as const
  app.get('/style.css', options, (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE))
  app.get('/icon.svg', options, (_request, reply) => reply.type('image/svg+xml').send(ICON))
}
