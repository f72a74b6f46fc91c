import fastify from 'fastify'
import type { FastifyServerOptions } from 'fastify'
import t from 'tap'
import type { RequestFacts } from '../../lib/guard/read/phase-facts.ts'
import { RequestPhase } from '../../lib/guard/phases.ts'
import { requestFactsOf } from '../../lib/guard/read/request-facts.ts'
import type { Finding } from '../../types/index.ts'
import { good, named } from './configs.ts'
import { REQUEST } from './phase-facts.ts'

/** Returns the facts that the plugin would see of a request. */
async function send(
  options: FastifyServerOptions,
  headers: Record<string, string>,
  { version, remoteAddress = '10.0.0.1' }: { version?: string; remoteAddress?: string } = {},
): Promise<RequestFacts> {
  const app = fastify(options)
  let facts: RequestFacts | undefined
  app.get('/', async (request) => {
    const asked = version === undefined ? app : Object.defineProperty(Object.create(app), 'version', { value: version })
    facts = requestFactsOf(request, asked as { version: string }, true)
  })
  await app.inject({ url: '/', headers: { host: 'app.example.com', ...headers }, remoteAddress })
  await app.close()
  if (facts === undefined) throw new Error('no request came')
  return facts
}

function findings(facts: Partial<RequestFacts>): Finding[] {
  return new RequestPhase(good(), 'production').request({ ...REQUEST, ...facts })
}

function judge(facts: Partial<RequestFacts>, environment = 'production'): string[] {
  return named(new RequestPhase(good(), environment).request({ ...REQUEST, ...facts }))
}

// The types leave a number of hops out; people use it all the same.
const HOP_COUNT: object = { trustProxy: 1 }

const THROUGH_PROXY = { 'x-forwarded-proto': 'https', 'x-forwarded-for': '203.0.113.5' }

t.test('https behind a proxy that is not trusted is a warning', async (t) => {
  const facts = await send({}, THROUGH_PROXY)
  t.match(facts, { protocol: 'http', forwardedProto: ['https'], trustProxy: 'off', hostname: 'app.example.com' })
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

t.test('a proxy that the list of trustProxy lacks is named', async (t) => {
  for (const remoteAddress of ['10.0.0.1', '::ffff:10.0.0.1']) {
    const facts = await send({ trustProxy: ['192.0.2.1'] }, THROUGH_PROXY, { remoteAddress })
    const [finding] = findings(facts)
    t.match(finding, {
      rule: 'session/trust-proxy-missing',
      message: /from the address 10\.0\.0\.1, which Fastify's trustProxy does not name/,
      fix: { text: /trustProxy: \['10\.0\.0\.1'\]/ },
    })
  }
  const facts = await send({ trustProxy: ['192.0.2.1'] }, THROUGH_PROXY)
  t.match(findings({ ...facts, peer: null })[0], { message: /a unix socket/, fix: { text: /address === undefined/ } })
})

t.test('of a list of protocols Fastify takes the last, and the finding says so', async (t) => {
  for (const options of [{ trustProxy: true }, {}]) {
    const facts = await send(options, { ...THROUGH_PROXY, 'x-forwarded-proto': 'https,http' })
    t.match(facts, { protocol: 'http', forwardedProto: ['https', 'http'] })
    t.match(findings(facts), [{ rule: 'session/trust-proxy-missing', message: /takes the last entry.*"http"/ }])
  }
  t.strictSame(judge(await send({ trustProxy: true }, { 'x-forwarded-proto': 'http, https' })), [])
})

t.test('a header that says https, and that Fastify does not read, is named', async (t) => {
  const headers: [name: string, value: string][] = [
    ['Forwarded', 'for=203.0.113.5;proto=https;by=10.0.0.1'],
    ['Forwarded', 'for=203.0.113.5, for=10.0.0.2;proto="https"'],
    ['CF-Visitor', '{"scheme":"https"}'],
    ['X-Forwarded-Ssl', 'on'],
    ['X-ARR-SSL', '2048|256|C=US'],
    ['Front-End-Https', 'On'],
    ['X-Forwarded-Scheme', 'https'],
    ['X-Forwarded-Protocol', 'ssl'],
    ['X-Scheme', 'https'],
    ['X-AppEngine-Https', 'on'],
    ['Fastly-SSL', '1'],
    ['X-Forwarded-Port', '443'],
    ['X-Url-Scheme', 'https'],
    ['CloudFront-Forwarded-Proto', 'https'],
  ]
  for (const [name, value] of headers) {
    for (const options of [{}, { trustProxy: true }]) {
      const facts = await send(options, { [name]: value })
      t.match(
        findings(facts),
        [{ rule: 'session/trust-proxy-missing', message: `${name} says https, and Fastify does not read that header` }],
        value,
      )
    }
  }
  const both = await send({ trustProxy: true }, { 'x-forwarded-proto': 'http', forwarded: 'proto=https' })
  t.match(findings(both), [{ message: /^Forwarded says https/ }])
  for (const value of ['proto=http', 'for=1.2.3.4']) {
    t.strictSame(judge(await send({}, { forwarded: value })), ['warning plain-http-in-production'], value)
  }
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
    t.equal(requestFactsOf(request, app, false).trustProxy, 'on')
  }
})

t.test('X-Forwarded-Proto is read in any letter case, as a list, and bounded', async (t) => {
  const entries = (value: string | string[] | undefined): readonly string[] =>
    requestFactsOf(
      { protocol: 'http', hostname: 'a', headers: { 'x-forwarded-proto': value } },
      { version: '5.8.3' },
      false,
    ).forwardedProto
  t.strictSame(entries('HTTPS, http'), ['https', 'http'])
  t.strictSame(entries(['https', 'http']), ['https', 'http'])
  t.strictSame(entries([]), [])
  t.strictSame(entries(' , '), [])
  t.strictSame(entries(undefined), [])
  t.equal(entries('x,'.repeat(5000)).length, 8)
  t.strictSame(entries('x'.repeat(5000)), ['x'.repeat(16)])
})

t.test('plain http is a warning in production when a session came over it for a public host', async (t) => {
  const facts = await send({}, {})
  t.strictSame(judge(facts), ['warning plain-http-in-production'])
  t.strictSame(judge(facts, 'test'), [])
  t.strictSame(judge({ ...facts, hasSessionCookie: false }), [], 'a health probe has no session')
  for (const host of ['203.0.113.5', '203.0.113.5:3000', '[2001:db8::1]:3000', 'app.example.com.', 'APP.example']) {
    t.strictSame(judge(await send({}, { host })), ['warning plain-http-in-production'], host)
  }
  const inside = [
    ...['localhost', 'localhost:3000', '127.0.0.1', '[::1]:3000', 'app.localhost', 'app', 'app:3000', 'web.local'],
    ...['10.42.0.17:3000', '172.16.3.4', '192.168.1.5:8080', '100.64.0.9', '169.254.1.1', '[fd00::17]:3000'],
    ...['app.default.svc.cluster.local:3000', 'app.default.svc', 'app.internal', 'nas.lan', 'box.home.arpa'],
  ]
  for (const host of inside) t.strictSame(judge(await send({}, { host })), [], host)
})

t.test('two session cookies of one name are a warning', async (t) => {
  t.strictSame(judge({ sessionCookies: 1 }), [])
  t.strictSame(judge({ sessionCookies: 2 }), ['warning duplicate-cookie'])
  t.strictSame(judge({ sessionCookies: 2 }, 'development'), ['warning duplicate-cookie'])
})

t.test('an origin that CORS lets in and that was refused is a warning that names it', async (t) => {
  t.match(findings({ refusedOrigin: 'https://web.example' }), [
    { rule: 'session/cors-trusted-mismatch', fix: { text: /trustedOrigins: \['https:\/\/web\.example'\]/ } },
  ])
})

t.test(
  'an origin that a function decides about is named, and no list is written in place of the function',
  async (t) => {
    const phase = new RequestPhase(good({ trustedOrigins: () => false }), 'production')
    const [finding] = phase.request({ ...REQUEST, refusedOrigin: 'https://web.example' })
    t.match(finding, { rule: 'session/cors-trusted-mismatch', message: /web\.example/ })
    t.equal(finding?.fix.patch, undefined)
  },
)

t.test('findings of requests can be silenced', async (t) => {
  const options = good({ silence: [{ rule: 'plain-http-in-production', reason: 'health checks' }] })
  t.strictSame(
    named(new RequestPhase(options, 'production').request({ ...REQUEST, protocol: 'http', hasSessionCookie: true })),
    [],
  )
})

t.test('a made-up protocol is shown as text, and bounded', async (t) => {
  const [finding] = new RequestPhase(good(), 'production').request({
    ...REQUEST,
    protocol: 'http',
    forwardedProto: ['https'],
  })
  t.match(finding?.at, [{ value: '"http"' }, { value: '"https"' }])
})
