import type { FastifyInstance, RouteOptions } from 'fastify'
import t from 'tap'
import { RouteConfigs } from '../../lib/http/route-config.ts'

t.test('a context that shows no hooks is taken as one without hooks', async (t) => {
  const configs = new RouteConfigs()
  const handler = async (): Promise<object> => ({})
  const route: RouteOptions = { method: 'GET', url: '/', config: { session: false }, handler }
  configs.add({} as FastifyInstance, route)
  t.same(configs.guardedWithoutSession(), [])
})

t.test('a route without a session that a login hook guards is told, whichever hook it is', async (t) => {
  const configs = new RouteConfigs()
  const guard = (): void => undefined
  configs.addLoginHook(guard)
  const handler = async (): Promise<object> => ({})
  const free = { config: { session: false }, handler } as const
  for (const hook of ['onRequest', 'preParsing', 'preValidation', 'preHandler'] as const) {
    const route = { ...free, method: ['GET', 'POST'], url: `/${hook}`, [hook]: [handler, guard] }
    configs.add({} as FastifyInstance, route)
  }
  configs.add({} as FastifyInstance, { ...free, method: 'GET', url: '/free', onSend: guard })
  t.strictSame(configs.guardedWithoutSession(), [
    'GET,POST /onRequest',
    'GET,POST /preParsing',
    'GET,POST /preValidation',
    'GET,POST /preHandler',
  ])
})

t.test('a choice that is no text is refused like a misspelt one, and no other is proposed for it', async (t) => {
  const handler = async (): Promise<object> => ({})
  const refusal = (session: unknown): unknown => {
    const route = { method: 'GET', url: '/', config: { session }, handler } as unknown as RouteOptions
    try {
      return new RouteConfigs().add({} as FastifyInstance, route)
    } catch (error) {
      return error
    }
  }
  const code = 'SESSION_OPTION_INVALID'
  t.match(refusal('passiv'), { code, detail: /did you mean 'passive'\?/ })
  for (const session of [true, null, 0, Symbol('passive'), Object.create(null), ['passive']]) {
    t.match(refusal(session), { code, detail: /is one of false, 'passive', 'stale-user'$/ })
  }
})
