import { readFileSync } from 'node:fs'
import t from 'tap'
import { RequestPhase, checkNeighbours, checkSource } from '../../lib/guard/phases.ts'
import { secretsInSource } from '../../lib/guard/read/source-secrets.ts'
import { ROOT } from '../support/imports.ts'
import { good, named } from './configs.ts'
import { ANSWER, NEIGHBOURS } from './phase-facts.ts'

function judge(facts: object, options: object = good(), environment = 'production'): string[] {
  return named(new RequestPhase(options, environment).answer({ ...ANSWER, ...facts }))
}

t.test('a login by GET is a warning, unless its query brings a proof', async (t) => {
  t.strictSame(judge({ isLogin: true }), ['warning login-by-get'])
  t.strictSame(judge({ isLogin: true, parameters: ['next'] }), ['warning login-by-get'])
  t.strictSame(judge({ isLogin: true }, good(), 'development'), ['info login-by-get'])
  for (const proof of ['code', 'state', 'ticket', 'token', 'SAMLResponse', 'sig']) {
    t.strictSame(judge({ isLogin: true, parameters: ['next', proof] }), [], proof)
  }
  t.strictSame(judge({ isLogin: true, isSafeMethod: false }), [])
  const silence = [{ rule: 'login-by-get', reason: 'a kiosk' }]
  t.strictSame(judge({ isLogin: true }, good({ silence })), [])
})

t.test('a logout by GET is a warning, unless an identity provider asks for it', async (t) => {
  t.strictSame(judge({ isLogout: true }), ['warning logout-by-get'])
  t.strictSame(judge({ isLogout: true, parameters: ['iss', 'sid'] }), [])
  t.strictSame(judge({ isLogout: true, isSafeMethod: false }), [])
})

t.test('a CSRF cookie has Secure in production', async (t) => {
  for (const name of ['_csrf', 'XSRF-TOKEN', 'csrfToken']) {
    t.strictSame(judge({ insecureCookies: ['theme', name] }), ['warning csrf-cookie-insecure'], name)
    t.strictSame(judge({ insecureCookies: [name] }, good(), 'development'), [])
  }
  t.strictSame(judge({ insecureCookies: ['theme'] }), [])
})

t.test('an origin that CORS lets in with credentials is trusted too', async (t) => {
  const origin = 'https://app.example'
  const cors = [{ probeOrigin: 'https://x.invalid', allowOrigin: origin, allowCredentials: true }]
  t.strictSame(judge({ allowedOrigin: origin }), ['warning cors-trusted-mismatch'])
  t.strictSame(named(checkNeighbours(good(), 'production', { ...NEIGHBOURS, cors })), ['warning cors-trusted-mismatch'])
  const [finding] = new RequestPhase(good({ trustedOrigins: ['https://other.example'] }), 'production').answer({
    ...ANSWER,
    allowedOrigin: origin,
  })
  t.match(finding?.message, origin)
  const silent: object[] = [
    { trustedOrigins: [origin] },
    { crossOriginProtection: false },
    { trustedOrigins: 'https://app.example' },
  ]
  for (const options of silent) t.strictSame(judge({ allowedOrigin: origin }, good(options)), [])
  t.strictSame(judge({ allowedOrigin: 'https://app.example/x' }), [])
})

t.test('a secret in the source text is found with its place', async (t) => {
  const sources: [string, string[]][] = [
    ["app.register(secureSession, { secret: 'abc' })", ['1:39']],
    ["const SESSION_SECRET = 'abc'\nconst x = 5", ['1:24']],
    ["const sessionSecret: string = 'abc'", ['1:31']],
    ['{\n  secret: [process.env.NEW, "abc"]\n}', ['2:29']],
    ["secret: process.env.SESSION_SECRET ?? 'dev only'", ['1:39']],
    ["secret: process.env['SESSION_SECRET'] || 'dev only'", ['1:42']],
    ["{ 'secret': `abc` }", ['1:13']],
    ['secret: process.env.SESSION_SECRET', []],
    ["secret: process.env['SESSION_SECRET']", []],
    ["// secret: 'abc'\n/* secret: 'abc' */", []],
    ["secret: ''", []],
    ['secret: `${prefix}-${random}`', []],
    ["const text = 'my secret: ' + name", []],
    ["throw new Error('secret: missing')", []],
    ["secretary: 'Ada'", []],
  ]
  for (const [source, places] of sources) {
    t.strictSame(
      secretsInSource(source).map(({ line, column }) => `${line}:${column}`),
      places,
      source,
    )
  }
  const [finding] = checkSource(sources[0]?.[0] as string, 'production')
  t.match(finding, { rule: 'session/secret-in-source', severity: 'warning', phase: 'source', at: [{ path: '1:39' }] })
  t.equal(secretsInSource("secret: 'x'\n".repeat(1000)).length, 50)
})

t.test('the source text of this project names no secret', async (t) => {
  t.strictSame(checkSource(readFileSync(`${ROOT}lib/registration.ts`, 'utf8'), undefined), [])
})
