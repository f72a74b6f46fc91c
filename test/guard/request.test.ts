import fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { RequestFacts } from '../../lib/guard/read/phase-facts.ts'
import { checkRequest } from '../../lib/guard/phases.ts'
import { requestFactsOf } from '../../lib/guard/read/request-facts.ts'
import { good, named } from './configs.ts'
import { REQUEST } from './phase-facts.ts'

/** What the plugin would see of a request. */
async function send(
  options: FastifyServerOptions,
  headers: Record<string, string>,
  version?: string,
): Promise<RequestFacts> {
  const app = fastify(options)
  let facts: RequestFacts | undefined
  app.get('/', async (request) => {
    facts = requestFactsOf(
      request,
      version === undefined ? app : Object.defineProperty(Object.create(app), 'version', { value: version }),
    )
  })
  await app.inject({ url: '/', headers: { host: 'app.example.com', ...headers }, remoteAddress: '10.0.0.1' })
  await app.close()
  if (facts === undefined) throw new Error('no request came')
  return facts
}

function judge(facts: Partial<RequestFacts>, environment = 'production'): string[] {
  return named(checkRequest(good(), environment, { ...REQUEST, ...facts }))
}

// The types leave a number of hops out; people use it all the same.
const HOP_COUNT: object = { trustProxy: 1 }

const THROUGH_PROXY = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.5' }

t.test('https behind a proxy that is not trusted is a warning', async (t) => {
  const facts = await send({}, THROUGH_PROXY)
  t.match(facts, { protocol: 'http', forwardedProto: 'https', trustProxy: 'off', hostname: 'app.example.com' })
  t.strictSame(judge(facts), ['warning trust-proxy-missing'])
  t.strictSame(judge(facts, 'development'), ['warning trust-proxy-missing'])
})

t.test('a trusted proxy is believed', async (t) => {
  for (const trustProxy of [true, ['10.0.0.0/8'], () => true]) {
    const facts = await send({ trustProxy }, THROUGH_PROXY)
    t.match(facts, { protocol: 'https', trustProxy: 'on' })
    t.strictSame(judge(facts), [])
  }
})

t.test('a proxy at another address than those trusted is not', async (t) => {
  t.strictSame(judge(await send({ trustProxy: ['192.0.2.1'] }, THROUGH_PROXY)), ['warning trust-proxy-missing'])
})

t.test('a number of hops is told apart, from the release on that ignores it', async (t) => {
  const facts = await send({ ...HOP_COUNT }, THROUGH_PROXY)
  t.match(facts, { protocol: 'http', trustProxy: 'hop-count' }, 'the Fastify of these tests ignores it')
  t.strictSame(judge(facts), ['warning trust-proxy-hop-count'])
  for (const version of ['5.12.1', '5.13.0', '6.0.0']) {
    t.strictSame(judge({ ...facts, fastifyVersion: version }), ['warning trust-proxy-hop-count'], version)
  }
  for (const version of ['5.12.0', '5.8.3', '4.29.0', '5']) {
    t.strictSame(judge({ ...facts, fastifyVersion: version }), ['warning trust-proxy-missing'], version)
  }
})

t.test('how Fastify keeps its options may change: then a number of hops is not seen', async (t) => {
  const request = { protocol: 'http', hostname: 'a.example', headers: {}, ips: ['10.0.0.1'] }
  for (const app of [{ version: '5.12.8' }, { version: '5.12.8', [Symbol('fastify.options')]: undefined }]) {
    t.equal(requestFactsOf(request, app).trustProxy, 'on')
  }
})

t.test('the first protocol that was forwarded counts', async (t) => {
  const proto = (value: string | string[] | undefined): string | null =>
    requestFactsOf({ protocol: 'http', hostname: 'a', headers: { 'x-forwarded-proto': value } }, { version: '5.8.3' })
      .forwardedProto
  t.equal(proto('HTTPS, http'), 'https')
  t.equal(proto(['https', 'http']), 'https')
  t.equal(proto([]), null)
  t.equal(proto(''), null)
  t.equal(proto(undefined), null)
})

t.test('plain http is a warning in production, once it is not this machine that asks', async (t) => {
  const facts = await send({}, {})
  t.strictSame(judge(facts), ['warning plain-http-in-production'])
  t.strictSame(judge(facts, 'test'), [])
  for (const host of ['localhost', 'localhost:3000', '127.0.0.1', '[::1]:3000', 'app.localhost']) {
    t.strictSame(judge(await send({}, { host })), [], host)
  }
})

t.test('findings of requests can be silenced', async (t) => {
  const options = good({ silence: [{ rule: 'plain-http-in-production', reason: 'health checks' }] })
  t.strictSame(named(checkRequest(options, 'production', { ...REQUEST, protocol: 'http' })), [])
})

t.test('a made-up protocol is shown as text, and bounded', async (t) => {
  const [finding] = checkRequest(good(), 'production', { ...REQUEST, protocol: 'http', forwardedProto: 'https' })
  t.match(finding?.at, [{ value: '"http"' }, { value: '"https"' }])
})
