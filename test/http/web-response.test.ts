import { Readable } from 'node:stream'
import Fastify from 'fastify'
import t from 'tap'
import { isStream, isWebResponse, takeSharedHeaders } from '../../lib/http/web-response.ts'

t.test('a Response is told by its tag, whatever package it comes from', async (t) => {
  const tagged = { [Symbol.toStringTag]: 'Response' }
  t.ok(isWebResponse(new Response('')))
  t.ok(isWebResponse({ ...tagged, status: 200, headers: new Headers() }))
  for (const payload of [undefined, null, 'Response', tagged, { status: 200 }, Buffer.from('x'), Readable.from([])]) {
    t.notOk(isWebResponse(payload))
  }
})

t.test('what is read piece by piece may stay open, and what is there as a whole may not', async (t) => {
  for (const payload of [Readable.from(['x']), new ReadableStream(), new Response('x')]) t.ok(isStream(payload))
  for (const payload of [undefined, null, '', 'text', Buffer.from('x'), new Uint8Array(1)]) t.notOk(isStream(payload))
})

t.test('the headers about caches move from a Response to the reply, and the rest of it stays as it was', async (t) => {
  const headers = {
    'cache-control': 'max-age=60',
    'clear-site-data': '"cache"',
    vary: 'Accept',
    'x-other': 'stays',
    'content-type': 'text/plain',
  }
  const original = new Response('text', { status: 201, headers })
  const app = Fastify()
  t.teardown(() => app.close())
  app.get('/', async (_request, reply) => {
    const left = takeSharedHeaders(reply, original) as Response
    const moved = reply.getHeaders()
    const rest = Object.fromEntries(left.headers)
    return { moved, rest, status: left.status, text: await left.text() }
  })
  const { moved, rest, status, text } = (await app.inject('/')).json<Record<string, object>>()
  t.strictSame(moved, { 'cache-control': 'max-age=60', 'clear-site-data': '"cache"', vary: 'Accept' })
  t.strictSame(rest, { 'x-other': 'stays', 'content-type': 'text/plain' })
  t.strictSame([status, text], [201, 'text'])
  t.equal(original.headers.get('vary'), 'Accept', 'the app may send the same one again')
})
