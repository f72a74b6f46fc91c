import Fastify from 'fastify'
import type { FastifyPluginAsync, FastifyRequest } from 'fastify'
import t from 'tap'
import { secureSession } from '../../lib/index.ts'
import { ordinary, SECRET, world } from '../plugin/world.ts'
import { untyped } from './untyped.ts'

interface JwtRequest extends FastifyRequest {
  jwtVerify(): Promise<unknown>
  sessionUser: { id: string } | null
}

const jwt = untyped('@fastify/jwt') as FastifyPluginAsync<{ secret: string }>
const JWT_SECRET = 'another-secret-another-secret-another'

t.test('request.user taken by @fastify/jwt is said clearly, with the renaming that solves it', async (t) => {
  for (const decorators of [undefined, {}, { user: undefined }]) {
    const app = Fastify()
    await app.register(jwt, { secret: JWT_SECRET })
    const registration = app.register(secureSession, { environment: 'test', secret: SECRET, decorators })
    await t.rejects(Promise.resolve(registration), {
      code: 'SESSION_DECORATOR_TAKEN',
      message: /decorators: \{ login: 'signIn', \.\.\. \}.*\(user\)/,
    })
  }
})

for (const order of ['before', 'after'] as const) {
  t.test(`renamed, a session and a token say who is asking side by side (@fastify/jwt ${order})`, async (t) => {
    const it = await world(t, {
      session: { decorators: { user: 'sessionUser' } },
      before: async (app) => (order === 'before' ? app.register(jwt, { secret: JWT_SECRET }) : undefined),
      routes: async (app) => {
        if (order === 'after') await app.register(jwt, { secret: JWT_SECRET })
        ordinary(app)
        app.get('/both', async (request) => {
          const held = request as JwtRequest
          await held.jwtVerify()
          return { token: held.user, session: held.sessionUser }
        })
      },
    })
    const visitor = it.visitor()
    await visitor.post('/login', { user: { id: 'ann' } })
    const { sign } = Reflect.get(it.app, 'jwt') as { sign: (payload: object) => string }
    const headers = { authorization: `Bearer ${sign({ sub: 'a-service' })}` }
    const both = await visitor.get('/both', { headers })
    t.match(both.json(), { token: { sub: 'a-service' }, session: { id: 'ann' } })
  })
}
