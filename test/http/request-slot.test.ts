import { EventEmitter, once } from 'node:events'
import type { FastifyReply, FastifyRequest } from 'fastify'
import t from 'tap'
import { addressOf, IS_BY_HEADER, REPLY, RequestClient, userAgentOf } from '../../lib/http/request-slot.ts'

/** A request as far as the client reads it. */
function clientOf(facts: object, use?: 'passive' | 'stale-user'): RequestClient {
  const request = { headers: {}, raw: { headers: {}, socket: {} }, routeOptions: { config: {} }, ...facts }
  return new RequestClient(request as unknown as FastifyRequest, use)
}

t.test('what is kept of an address and of a user agent is bounded', async (t) => {
  t.equal(addressOf('x'.repeat(500)).length, 64)
  t.equal(userAgentOf('x'.repeat(500)).length, 256)
  t.strictSame([addressOf('::1'), userAgentOf('Browser')], ['::1', 'Browser'])
  t.strictSame([addressOf(undefined), userAgentOf(undefined)], ['', ''])
})

t.test('a client says what its request says', async (t) => {
  const socket = {}
  const raw = { socket, headers: { cookie: 'a=1; b=2; b=3' } }
  const client = clientOf({ protocol: 'https', ip: '10.0.0.1', headers: { 'user-agent': 'Browser' }, raw })
  t.strictSame([client.protocol, client.ip, client.userAgent], ['https', '10.0.0.1', 'Browser'])
  t.equal(client.connection, socket)
  t.strictSame([client.cookieNamed('a'), client.cookieNamed('b'), client.cookieNamed('c')], ['1', '', ''])
  t.equal(clientOf({ [IS_BY_HEADER]: true }).isByHeader, true)
})

t.test('a request is passive by its route, and when the browser only guesses that the page is wanted', async (t) => {
  t.equal(clientOf({}, 'passive').isPassive, true)
  t.equal(clientOf({}, 'stale-user').isPassive, false)
  t.equal(clientOf({ routeOptions: { config: { session: 'passive' } } }).isPassive, true)
  t.equal(clientOf({ routeOptions: { config: undefined } }).isPassive, false, 'a route that does not exist')
  for (const purpose of ['prefetch', 'prefetch;prerender']) {
    t.equal(clientOf({ headers: { 'sec-purpose': purpose } }).isPassive, true, purpose)
  }
  t.equal(clientOf({ headers: { 'sec-purpose': 'other' } }).isPassive, false)
  t.equal(clientOf({}, 'stale-user').isStaleUserFine, true)
  t.equal(clientOf({}).isStaleUserFine, false)
})

t.test('a reply is taken once it is sent, or the app has begun to write it', async (t) => {
  const taken = (reply: unknown): boolean => clientOf({ [REPLY]: reply as FastifyReply | null }).isReplyTaken
  t.equal(taken(null), false)
  t.equal(taken({ sent: false, raw: { headersSent: false } }), false)
  t.equal(taken({ sent: true, raw: { headersSent: false } }), true)
  t.equal(taken({ sent: false, raw: { headersSent: true } }), true)
})

t.test('what waits for the end of the reply runs after it, and soon if the reply has ended', async (t) => {
  const open = Object.assign(new EventEmitter(), { closed: false, writableFinished: false })
  let ran = 0
  clientOf({ [REPLY]: { raw: open } }).afterReply(() => (ran += 1))
  await new Promise(setImmediate)
  t.equal(ran, 0)
  const closed = once(open, 'close')
  open.emit('close')
  await closed
  t.equal(ran, 0, 'other listeners come first')
  await new Promise(setImmediate)
  t.equal(ran, 1)
  for (const raw of [{ closed: true }, { closed: false, writableFinished: true }]) {
    clientOf({ [REPLY]: { raw } }).afterReply(() => (ran += 1))
  }
  clientOf({ [REPLY]: null }).afterReply(() => (ran += 1))
  t.equal(ran, 1)
  await new Promise(setImmediate)
  t.equal(ran, 4)
})
