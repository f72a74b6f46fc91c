import type { FastifyInstance } from 'fastify'
import { ICON, STYLE } from '../style.ts'

/** What every page loads. No session is read for it. */
export function assetRoutes(app: FastifyInstance): void {
  const options = { config: { session: false } } as const
  app.get('/style.css', options, (_request, reply) => reply.type('text/css; charset=utf-8').send(STYLE))
  app.get('/icon.svg', options, (_request, reply) => reply.type('image/svg+xml').send(ICON))
}
