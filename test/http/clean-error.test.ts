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
    [{ statusCode: 400 }, 400],
    [{ statusCode: 599 }, 599],
    [{ statusCode: 399 }, 500],
    [{ statusCode: 600 }, 500],
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

t.test('the headers of the error are sent, and what described the planned response is not', async (t) => {
  const described = [
    ...['accept-ranges', 'age', 'clear-site-data', 'content-digest', 'content-disposition', 'content-encoding'],
    ...['content-language', 'content-length', 'content-location', 'content-md5', 'content-range', 'content-type'],
    ...['etag', 'expires', 'last-modified', 'link', 'location', 'pragma', 'proxy-authenticate', 'refresh'],
    ...['retry-after', 'trailer', 'transfer-encoding', 'www-authenticate', 'cache-control', 'cdn-cache-control'],
  ]
  let left: object = {}
  await answer((reply) => {
    for (const name of [...described, 'x-frame-options']) reply.header(name, 'x')
    failCleanly(reply, { statusCode: 503, headers: { 'retry-after': '1' } })
    left = reply.getHeaders()
    for (const name of described) reply.removeHeader(name)
  })
  t.strictSame(left, { 'x-frame-options': 'x', 'cache-control': 'no-store', 'retry-after': '1' })
  await answer((reply) => {
    reply.header('retry-after', '3600')
    failCleanly(reply, new Error('oops'))
    left = reply.getHeaders()
  })
  t.strictSame(left, { 'cache-control': 'no-store' }, 'an error that is for good says nothing of a next time')
})

t.test('a reply whose headers are out is left alone', async (t) => {
  const reply = { raw: { headersSent: true } } as FastifyReply
  const error = new Error('too late')
  t.equal(failCleanly(reply, error), error)
})
