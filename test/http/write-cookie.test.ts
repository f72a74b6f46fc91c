import cookie from '@fastify/cookie'
import type { FastifyReply } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import type { Settings } from '../../lib/options.ts'
import {
  clearVariants,
  forbidCaching,
  isCookieSet,
  removeCookie,
  replaceCookie,
  writeCookie,
} from '../../lib/http/write-cookie.ts'

const SETTINGS = {
  cookie: { name: 'sid', path: '/', secure: true, httpOnly: true, sameSite: 'lax', partitioned: false },
  headerTransport: undefined,
  clearSiteData: false,
  clock: () => 0,
} as unknown as Settings

const NOTHING = { cookie: undefined, renewedId: undefined, isTokenRead: false, isRead: false, isLoggedOut: false }

/** Returns the headers of a response after `act` worked on it. */
async function headersAfter(act: (reply: FastifyReply) => void): Promise<Record<string, unknown>> {
  const app = Fastify()
  await app.register(cookie)
  let headers: Record<string, unknown> = {}
  app.get('/', async (_request, reply) => {
    act(reply)
    headers = { ...reply.getHeaders() }
    return ''
  })
  await app.inject('/')
  await app.close()
  return headers
}

/** The names and values of the cookies that a response sets. */
async function cookiesAfter(act: (reply: FastifyReply) => void): Promise<string[]> {
  const app = Fastify()
  await app.register(cookie)
  app.get('/', async (_request, reply) => {
    act(reply)
    return ''
  })
  const { cookies, statusCode } = await app.inject('/')
  await app.close()
  if (statusCode !== 200) throw new Error(`answered ${statusCode}`)
  return cookies.map(({ name, value }) => `${name}=${value}`)
}

t.test('one cookie is taken out of a response, and the others stay', async (t) => {
  const both = (reply: FastifyReply): FastifyReply => reply.header('set-cookie', ['sid=1', 'sid2=2'])
  t.strictSame(await cookiesAfter((reply) => removeCookie(both(reply), 'sid')), ['sid2=2'])
  t.strictSame(await cookiesAfter((reply) => removeCookie(reply.header('set-cookie', 'sid=1'), 'sid')), [])
  t.strictSame(await cookiesAfter((reply) => removeCookie(reply.header('set-cookie', 'a=1'), 'sid')), ['a=1'])
  const change = { kind: 'set', value: 'new', expiresAt: undefined, renewedAt: undefined, binds: undefined } as const
  t.strictSame(await cookiesAfter((reply) => replaceCookie(both(reply), SETTINGS, change)), ['sid2=2', 'sid=new'])
  for (const nothing of [undefined, { kind: 'clear' } as const]) {
    t.strictSame(await cookiesAfter((reply) => replaceCookie(both(reply), SETTINGS, nothing)), ['sid2=2'])
  }
})

t.test('a cookie is set if a line has its whole name', async (t) => {
  await headersAfter((reply) => {
    t.equal(isCookieSet(reply, 'sid'), false)
    reply.header('set-cookie', 'sid2=1')
    t.equal(isCookieSet(reply, 'sid'), false)
    reply.header('set-cookie', 'sid=1')
    t.equal(isCookieSet(reply, 'sid'), true)
  })
})

t.test('a response that read the session varies by its cookie, named once', async (t) => {
  for (const [present, vary] of [
    [undefined, 'Cookie'],
    ['Accept', 'Accept, Cookie'],
    ['Accept ,  COOKIE', 'Accept ,  COOKIE'],
    ['*', '*'],
  ] as const) {
    const headers = await headersAfter((reply) => {
      if (present !== undefined) reply.header('vary', present)
      writeCookie(reply, SETTINGS, { ...NOTHING, isRead: true }, false)
    })
    t.equal(headers['vary'], vary)
    t.equal(headers['cache-control'], undefined)
  }
})

t.test(
  'a renewed id of an attempt that failed is taken out, and nothing is kept of a response with an id',
  async (t) => {
    const failed = await headersAfter((reply) => {
      reply.headers({ 'session-renewed': 'old', 'set-cookie': 'sid=old' })
      writeCookie(reply, SETTINGS, NOTHING, true)
    })
    t.strictSame([failed['session-renewed'], failed['set-cookie']], [undefined, undefined])
    const first = await headersAfter((reply) => {
      reply.headers({ 'session-renewed': 'new', 'set-cookie': 'sid=new' })
      writeCookie(reply, SETTINGS, NOTHING, false)
    })
    t.strictSame(first, { 'session-renewed': 'new', 'set-cookie': 'sid=new' })
    const renewed = await headersAfter((reply) => writeCookie(reply, SETTINGS, { ...NOTHING, renewedId: 'new' }, false))
    t.match(renewed, { 'session-renewed': 'new', 'cache-control': 'no-store' })
    const read = await headersAfter((reply) => writeCookie(reply, SETTINGS, { ...NOTHING, isTokenRead: true }, false))
    t.match(read, { 'cache-control': 'no-store' })
  },
)

t.test('a logout asks the browser to drop what it kept, if the app wants so', async (t) => {
  const out = { ...NOTHING, isLoggedOut: true }
  for (const clearSiteData of [true, false]) {
    const settings = { ...SETTINGS, clearSiteData } as Settings
    const headers = await headersAfter((reply) => writeCookie(reply, settings, out, false))
    t.equal(headers['clear-site-data'], clearSiteData ? '"cache", "storage"' : undefined)
    const stays = await headersAfter((reply) => writeCookie(reply, settings, NOTHING, false))
    t.equal(stays['clear-site-data'], undefined)
  }
})

t.test('every cache that a header speaks to is forbidden to keep the response', async (t) => {
  const headers = await headersAfter((reply) => {
    reply.headers({ 'cdn-cache-control': 'max-age=60', 'surrogate-control': 'max-age=60', 'x-other': 'stays' })
    forbidCaching(reply)
  })
  t.match(headers, { 'cache-control': 'no-store', 'cdn-cache-control': 'no-store', 'x-other': 'stays' })
})

t.test('a response that clears a cookie of other settings is for no cache, and one that clears none is', async (t) => {
  const variant = { domain: undefined, path: '/app', partitioned: false }
  const both = { 'cache-control': 'max-age=60' }
  const clearing = await headersAfter((reply) => clearVariants(reply.headers(both), SETTINGS, [variant]))
  t.match(clearing, { 'cache-control': 'no-store' })
  t.strictSame(await headersAfter((reply) => clearVariants(reply.headers(both), SETTINGS, [])), both)
})
