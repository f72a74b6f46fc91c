import type { Test } from 'tap'
import t from 'tap'
import { answerOf } from '../../lib/stores/express-answer.ts'
import { ordinary, route, world } from './world.ts'

/** Returns an error as a driver throws it: with the whole statement, its values and an error below. */
function driverError(): Error {
  const parameters = ['ann', 'hunter2', 'x'.repeat(10_000)]
  return Object.assign(new Error(`connection lost ${'y'.repeat(10_000)}`, { cause: { parameters } }), {
    name: 'DatabaseError',
    code: `08006${'z'.repeat(10_000)}`,
    parameters,
    config: { headers: { authorization: 'Bearer hunter2' } },
  })
}

/** Checks that an error leads to a name, a code and a bounded message, and to nothing else. */
function hasBareCause(t: Test, thrown: unknown, name = 'DatabaseError'): void {
  const { cause } = thrown as { cause?: unknown }
  if (!(cause instanceof Error)) throw new Error('no cause')
  t.equal(cause.name, name)
  t.strictSame(
    Object.getOwnPropertyNames(cause).filter((key) => !['name', 'code', 'message', 'stack'].includes(key)),
    [],
  )
  t.ok(cause.message.length <= 500, 'a bounded message')
  t.ok(String((cause as { code?: unknown }).code).length <= 60, 'a bounded code')
  t.notMatch(String(cause.stack), 'hunter2')
}

t.test('a failure of loadUser reaches the app with its name, code and message only', async (t) => {
  const seen: unknown[] = []
  let isDown = true
  const it = await world(t, {
    session: {
      loadUser: async (id) => {
        if (isDown) throw driverError()
        return { id }
      },
      authHash: () => 'hash',
    },
    routes: (app) => {
      app.setErrorHandler((error, _request, reply) => {
        seen.push(error)
        return reply.code(503).send({})
      })
      ordinary(app)
      route(app, '/password', (request) => request.updateAuthHash())
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  isDown = false
  await ann.post('/login')
  isDown = true
  await ann.post('/password')
  it.clock.advance('5m')
  await ann.get('/me')
  t.strictSame(
    seen.map((error) => (error as { code: string }).code),
    ['SESSION_USER_UNAVAILABLE', 'SESSION_USER_UNAVAILABLE', 'SESSION_USER_UNAVAILABLE'],
  )
  for (const error of seen) hasBareCause(t, error)
})

t.test('a toJSON that throws reaches the app with its name, code and message only', async (t) => {
  const seen: unknown[] = []
  const it = await world(t, {
    routes: (app) => {
      const hostile = {
        toJSON: () => {
          throw driverError()
        },
      }
      app.setErrorHandler((error, _request, reply) => {
        seen.push(error)
        return reply.code(500).send({})
      })
      route(app, '/data', (request) => void Object.assign(request.session, { hostile }))
      route(app, '/login', (request) => request.login({ id: 'ann', hostile }))
    },
  })
  await it.visitor().post('/data')
  await it.visitor().post('/login')
  t.match(seen, [{ code: 'SESSION_VALUE_UNSERIALIZABLE' }, { code: 'SESSION_USER_INVALID' }])
  hasBareCause(t, seen[0])
  hasBareCause(t, seen[1], 'SecureSessionError')
})

t.test(
  'a store that answers with an object in place of an error keeps nothing of it but name, code and message',
  async (t) => {
    const answer = { code: 'EBUSY', message: 'busy', parameters: ['hunter2'] }
    const failure: unknown = await answerOf((call) => call(answer), true, 1_000).catch((error: unknown) => error)
    t.match(failure, { code: 'EBUSY', message: 'busy' })
    t.notOk(Object.hasOwn(failure as object, 'parameters'))
    t.equal((failure as Error).cause, undefined)
  },
)
