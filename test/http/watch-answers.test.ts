import cookie from '@fastify/cookie'
import type { FastifyReply, FastifyServerOptions } from 'fastify'
import Fastify from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { watchAnswers } from '../../lib/http/watch-answers.ts'
import type { AnswerFacts } from '../../lib/guard/read/phase-facts.ts'

const ORIGIN = 'https://page.example'

/** An app whose answers are watched, and what was reported of them. */
async function watched(
  t: Test,
  answer: (reply: FastifyReply) => void,
  clock: () => number = Date.now,
  options: FastifyServerOptions = {},
) {
  const reported: AnswerFacts[] = []
  const app = Fastify(options)
  t.teardown(() => app.close())
  await app.register(cookie)
  app.addHook(
    'onRequest',
    watchAnswers({ clock, headerTransport: undefined }, (facts) => void reported.push(facts)),
  )
  app.route({
    method: ['GET', 'POST'],
    url: '/page/:id',
    handler: async (_request, reply) => {
      answer(reply)
      return ''
    },
  })
  return { app, reported }
}

t.test('cookies without Secure are named, and those with it are not', async (t) => {
  const { app, reported } = await watched(t, (reply) => {
    reply.setCookie('plain', '1').setCookie('safe', '2', { secure: true }).setCookie('other', 'secure=1', { path: '/' })
  })
  await app.inject({ url: '/page/7?a=1&b=2&a=3' })
  t.match(reported, [
    {
      route: 'GET /page/:id',
      isSafeMethod: true,
      parameters: ['a', 'b'],
      isLogin: false,
      isLogout: false,
      insecureCookies: ['plain', 'other'],
      allowedOrigin: null,
      hiddenId: null,
    },
  ])
  await app.inject({ method: 'HEAD', url: '/page/7' })
  await app.inject({ method: 'POST', url: '/page/7' })
  t.strictSame(
    reported.map(({ route, isSafeMethod }) => [route, isSafeMethod]),
    [
      ['GET /page/:id', true],
      ['HEAD /page/:id', true],
      ['POST /page/:id', false],
    ],
  )
})

t.test('a parser that makes nothing of a query leaves no parameters', async (t) => {
  const querystringParser = (): never => undefined as never
  const { app, reported } = await watched(t, (reply) => void reply.setCookie('plain', '1'), Date.now, {
    routerOptions: { querystringParser },
  })
  t.equal((await app.inject({ url: '/page/7?a=1' })).statusCode, 200)
  t.match(reported, [{ insecureCookies: ['plain'] }])
  t.strictSame(reported[0]?.parameters, [])
})

t.test('an answer that says nothing is not reported', async (t) => {
  const { app, reported } = await watched(t, (reply) => void reply.setCookie('safe', '1', { secure: true }))
  await app.inject({ url: '/page/7', headers: { origin: ORIGIN } })
  await app.inject({ url: '/elsewhere' })
  t.strictSame(reported, [])
})

t.test('an origin that CORS lets in with credentials is named, up to 1024 characters', async (t) => {
  let headers: Record<string, string> = {}
  const { app, reported } = await watched(t, (reply) => void reply.headers(headers))
  const ask = async (given: Record<string, string>, origin?: string): Promise<void> => {
    headers = given
    await app.inject({ url: '/page/7', headers: origin === undefined ? {} : { origin } })
  }
  const credentials = { 'access-control-allow-credentials': 'true' }
  await ask({ 'access-control-allow-origin': ORIGIN, ...credentials }, ORIGIN)
  await ask({ 'access-control-allow-origin': ORIGIN }, ORIGIN)
  await ask({ 'access-control-allow-origin': '*', ...credentials }, ORIGIN)
  await ask({ 'access-control-allow-origin': 'https://other.example', ...credentials }, ORIGIN)
  await ask(credentials)
  const long = `https://${'x'.repeat(2_000)}`
  await ask({ 'access-control-allow-origin': long, ...credentials }, long)
  t.strictSame(
    reported.map(({ allowedOrigin }) => allowedOrigin),
    [ORIGIN, long.slice(0, 1024)],
  )
})

t.test('what one request makes the guard look at is bounded', async (t) => {
  const { app, reported } = await watched(t, (reply) => {
    for (let nth = 0; nth < 60; nth += 1) reply.setCookie(`c${nth}`, '1')
  })
  const query = Array.from({ length: 60 }, (_, nth) => `p${nth}=1`).join('&')
  await app.inject({ url: `/page/7?${query}` })
  t.strictSame([reported[0]?.parameters.length, reported[0]?.insecureCookies.length], [50, 50])
})

t.test('the first thousand answers are looked at', async (t) => {
  const { app, reported } = await watched(t, (reply) => void reply.setCookie('plain', '1'))
  for (let nth = 0; nth < 1_010; nth += 1) await app.inject({ url: '/page/7' })
  t.equal(reported.length, 1_000)
})

t.test('a clock that fails is no failure of a request', async (t) => {
  const { app, reported } = await watched(
    t,
    (reply) => void reply.setCookie('plain', '1'),
    () => {
      throw new Error('no clock')
    },
  )
  t.equal((await app.inject({ url: '/page/7' })).statusCode, 200)
  t.match(reported, [{ isLogin: false }])
})

t.test('an answer without a route is told by its method and the root, because its path may be anything', async (t) => {
  const { app, reported } = await watched(t, () => undefined)
  app.addHook('onSend', async (_request, reply) => void reply.setCookie('plain', '1'))
  t.equal((await app.inject({ url: '/secret-token-in-a-path' })).statusCode, 404)
  t.match(reported, [{ route: 'GET /', insecureCookies: ['plain'] }])
})
