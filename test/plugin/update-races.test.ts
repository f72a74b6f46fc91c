import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import type { Visitor, World } from './world.ts'
import { isNobody, ordinary, route, world } from './world.ts'

type Act = (request: FastifyRequest, handle: string, app: World['app']) => unknown

/** Answers one request of a user with what an act returns; `null` stands for a visitor without a session. */
async function answerOf(
  t: Test,
  userId: string | null,
  act: Act,
  session = {},
): Promise<{ page: unknown; ann: Visitor }> {
  const it = await world(t, {
    session,
    routes: (server) => {
      ordinary(server)
      route(server, '/act', (request) => act(request, request.session.sessionId, it.app))
    },
  })
  const ann = it.visitor()
  if (userId !== null) await ann.post('/login')
  const response = await ann.post('/act')
  return { page: response.json(), ann }
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> =>
  work.then(
    () => 'done',
    (error: { code?: string }) => error.code,
  )

t.test('an update whose session ends before its turn, or while its function runs, is refused', async (t) => {
  const { page, ann } = await answerOf(t, 'ann', async (request) => {
    const { session } = request
    const out = request.logout()
    let calls = 0
    const late = await codeOf(session.update('count', () => (calls += 1)))
    await out
    return { late, calls }
  })
  t.strictSame(page, { late: 'SESSION_ENDED', calls: 0 })
  isNobody(t, await ann.get('/me'))
  for (const userId of ['ann', null]) {
    const meanwhile = await answerOf(t, userId, async ({ session }) => ({
      code: await codeOf(
        session.update('count', async () => {
          await session.destroy()
          return 1
        }),
      ),
    }))
    t.strictSame(meanwhile.page, { code: 'SESSION_ENDED' })
    isNobody(t, await meanwhile.ann.get('/me'))
  }
})

t.test('without a record a change is made again if the request wrote meanwhile, and counts once', async (t) => {
  const { page } = await answerOf(t, null, async ({ session }) => {
    let calls = 0
    await session.update('count', (value = 0) => {
      calls += 1
      if (calls === 1) Object.assign(session, { other: 'x' })
      return (value as number) + 1
    })
    return { calls, data: session.data() }
  })
  t.strictSame(page, { calls: 2, data: { count: 1, other: 'x' } })
})

t.test('a change that met another write and then fails leaves nothing in the request', async (t) => {
  const { page } = await answerOf(t, 'ann', async ({ session }, handle, app) => {
    let calls = 0
    const failed = await codeOf(
      session.update('count', async () => {
        calls += 1
        if (calls === 2) throw Object.assign(new Error('stop'), { code: 'STOP' })
        await app.sessions.update(handle, (data) => void Object.assign(data, { other: 1 }))
        return 1
      }),
    )
    return { failed, calls, hasCount: 'count' in session.data() }
  })
  t.strictSame(page, { failed: 'STOP', calls: 2, hasCount: false })
})

t.test('what an update wrote is not written a second time over what came after it', async (t) => {
  const { ann } = await answerOf(t, 'ann', async ({ session }, handle, app) => {
    await session.update('count', () => 1)
    await app.sessions.update(handle, (data) => void Object.assign(data, { count: 7 }))
    Object.assign(session, { other: 1 })
    return {}
  })
  t.match((await ann.get('/me')).json(), { data: { count: 7, other: 1 } })
})

t.test('the size of the data is counted in bytes', async (t) => {
  const { page } = await answerOf(
    t,
    'ann',
    async ({ session }) => ({
      small: await codeOf(session.update('text', () => 'é'.repeat(480))),
      large: await codeOf(session.update('text', () => 'é'.repeat(900))),
    }),
    { maxRecordSize: 1024 },
  )
  t.strictSame(page, { small: 'done', large: 'SESSION_RECORD_TOO_LARGE' })
})
