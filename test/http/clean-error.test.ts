import Fastify from 'fastify'
import type { FastifyReply } from 'fastify'
import t from 'tap'
import { failCleanly } from '../../lib/http/clean-error.ts'

/** Answers with what `act` does to the reply, after it had become a redirect. */
async function answer(act: (reply: FastifyReply) => unknown): Promise<{ status: number; headers: object }> {
  const app = Fastify()
  app.get('/', async (_request, reply) => {
    reply.header('location', '/welcome').code(302)
    act(reply)
    return reply.send({})
  })
  const { statusCode, headers } = await app.inject('/')
  await app.close()
  return { status: statusCode, headers }
}

t.test('the status is that of the error, or 500', async (t) => {
  for (const [error, status] of [
    [{ statusCode: 413 }, 413],
    [{ statusCode: 503, headers: { 'retry-after': '1' } }, 503],
    [{ statusCode: 200 }, 500],
    [{ statusCode: '404' }, 500],
    [new Error('oops'), 500],
    ['oops', 500],
    [undefined, 500],
  ] as const) {
    const given = await answer((reply) => t.equal(failCleanly(reply, error), error))
    t.equal(given.status, status)
    t.notOk('location' in given.headers)
    t.match(given.headers, { 'cache-control': 'no-store' })
  }
})

t.test('a reply whose headers are out is left alone', async (t) => {
  const reply = { raw: { headersSent: true } } as FastifyReply
  t.doesNotThrow(() => failCleanly(reply, new Error('too late')))
})
