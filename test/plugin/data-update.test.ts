import t from 'tap'
import type { FastifyRequest } from 'fastify'
import { door } from '../support/gate-store.ts'
import { ordinary, route, world } from './world.ts'
import type { Visitor, World } from './world.ts'

const count = (request: FastifyRequest): Promise<number> => request.session.update('count', (value = 0) => value + 1)

/** Returns an app with one route that does what a test asks. */
async function acting(
  t: Parameters<typeof world>[0],
  store?: NonNullable<Parameters<typeof world>[1]>['store'],
): Promise<World & { act: { now: (request: FastifyRequest) => unknown } }> {
  const act = { now: (_request: FastifyRequest): unknown => undefined }
  const made = await world(t, {
    ...(store && { store }),
    routes: (server) => {
      ordinary(server)
      route(server, '/act', (request) => act.now(request))
    },
  })
  return { ...made, act }
}

t.test('update resolves to the new value, or to what the function of all data returned', async (t) => {
  const { visitor, act } = await acting(t)
  const ann = visitor()
  await ann.post('/login')
  act.now = async (request) => ({
    one: await count(request),
    all: await request.session.update(async (data) => Object.keys(data).join()),
    removed: (await request.session.update('count', () => undefined)) ?? 'nothing',
    left: request.session.data(),
  })
  t.strictSame((await ann.get('/act')).json(), { one: 1, all: 'count', removed: 'nothing', left: {} })
})

t.test('an update costs one read and one write, and nothing at the end of the request', async (t) => {
  const it = await acting(t)
  const ann = it.visitor()
  await ann.post('/login')
  it.asked()
  it.act.now = count
  await ann.get('/act')
  t.same(it.asked(), ['get', 'get', 'update'])
})

t.test('an update that waits for the response is written with it', async (t) => {
  const it = await acting(t)
  it.act.now = async (request) => {
    await count(request)
    await request.login({ id: 'ann' })
    await count(request)
    return request.session.data()
  }
  const ann = it.visitor()
  t.strictSame((await ann.get('/act')).json(), { count: 2 })
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' }, data: { count: 2 } })
})

t.test('an update that nobody awaits is part of the reply, and its failure fails the reply', async (t) => {
  const it = await acting(t)
  const ann = it.visitor()
  await ann.post('/login')
  it.act.now = (request) => void count(request)
  await ann.get('/act')
  t.match((await ann.get('/me')).json(), { data: { count: 1 } })
  it.act.now = (request) =>
    void request.session.update(async () => {
      throw new Error('no')
    })
  t.equal((await ann.get('/act')).statusCode, 500)
})

t.test('the function may use the session meanwhile', async (t) => {
  const it = await acting(t)
  const ann = it.visitor()
  await ann.post('/login')
  it.act.now = (request) =>
    request.session.update('count', async (value: number = 0) => {
      if (value === 0) await count(request)
      await request.session.save()
      return value + 1
    })
  await ann.get('/act')
  t.match((await ann.get('/me')).json(), { data: { count: 2 } })
})

t.test('an update after the response started is written, and its failure is logged', async (t) => {
  const outcomes: unknown[] = []
  const turns: (() => void)[] = []
  const late = async (visitor: Visitor): Promise<unknown> => {
    const turn = door()
    turns.push(turn.open)
    await visitor.post('/late')
    await turn.opened
    return outcomes.pop()
  }
  const it = await world(t, {
    routes: (server) => {
      ordinary(server)
      route(server, '/late', async (request, reply) => {
        await reply.send({})
        outcomes.push(await count(request).catch((error: unknown) => error))
        turns.shift()?.()
      })
      route(server, '/unseen', async (request, reply) => {
        await reply.send({})
        void request.session.update(() => {
          throw new Error('nobody hears this')
        })
      })
    },
  })
  const ann = it.visitor()
  const nobody = it.visitor()
  t.match(await late(nobody), { code: 'SESSION_RESPONSE_STARTED' })
  await ann.post('/login')
  t.equal(await late(ann), 1)
  t.match((await ann.get('/me')).json(), { data: { count: 1 } })
  await ann.post('/unseen')
  await new Promise((resolve) => setTimeout(resolve, 0))
  await new Promise((resolve) => setImmediate(resolve))
  t.match(it.log(), /nobody hears this/)
})

t.test('an update is refused where the session is not what the request came for', async (t) => {
  const it = await acting(t)
  const [ann, other] = [it.visitor(), it.visitor()]
  await ann.post('/note', { a: 1 })
  other.cookies.set('session', ann.cookie ?? '')
  await ann.post('/login')
  it.act.now = count
  t.match((await other.get('/act')).json(), { code: 'SESSION_SUPERSEDED' })
  it.act.now = async (request) => {
    const { session } = request
    await request.logout()
    await session.update('a', () => 1)
  }
  t.match((await ann.get('/act')).json(), { code: 'SESSION_ENDED' })
  await ann.post('/login')
  for (const when of ['before the write', 'before the read'] as const) {
    it.act.now = async (request) => {
      const busy = when === 'before the read' ? request.logout() : undefined
      const updating = request.session.update(async () => {
        if (busy === undefined) await request.logout()
      })
      await Promise.all([busy, updating])
    }
    t.match((await ann.get('/act')).json(), { code: 'SESSION_ENDED' }, when)
    await ann.post('/login')
  }
})

t.test('an update takes functions, plain data and free names only', async (t) => {
  const it = await acting(t)
  const ann = it.visitor()
  await ann.post('/login')
  const cases: [act: (request: FastifyRequest) => unknown, code: string][] = [
    [(request) => request.session.update('a' as never, 5 as never), 'SESSION_OPTION_INVALID'],
    [(request) => request.session.update(undefined as never), 'SESSION_OPTION_INVALID'],
    [(request) => request.session.update('__proto__', () => 1), 'SESSION_KEY_RESERVED'],
    [(request) => request.session.update((data) => void Object.assign(data, { save: 1 })), 'SESSION_KEY_RESERVED'],
    [(request) => request.session.update('a', () => new Map()), 'SESSION_VALUE_UNSERIALIZABLE'],
    [(request) => request.session.update('a', () => 'x'.repeat(70_000)), 'SESSION_RECORD_TOO_LARGE'],
  ]
  for (const [act, code] of cases) {
    it.act.now = act
    t.match((await ann.get('/act')).json(), { code })
  }
  t.strictSame((await ann.get('/me')).json<{ data: object }>().data, {})
})

t.test('a store where another write always comes first is no endless loop', async (t) => {
  let isBusy = false
  const it = await acting(t, (store) => {
    const update = store.update.bind(store)
    return Object.assign(store, {
      update: async (...args: Parameters<typeof update>) => !isBusy && (await update(...args)),
    })
  })
  const ann = it.visitor()
  await ann.post('/login')
  isBusy = true
  it.act.now = count
  t.match((await ann.get('/act')).json(), { statusCode: 503, code: 'SESSION_SUPERSEDED' })
})
