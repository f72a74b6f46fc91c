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
