import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import Fastify from 'fastify'
import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { secureSession } from '../../lib/index.ts'
import { parseDuration } from '../../lib/session/duration.ts'
import type { Finding } from '../../types/index.ts'
import { follow, good, named, paste, SECRET, STORE, valueAt } from './configs.ts'

type Options = Record<string, unknown>

const SESSION_SECRET = process.env['SESSION_SECRET']
t.teardown(() => {
  if (SESSION_SECRET === undefined) delete process.env['SESSION_SECRET']
})

const fatal = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ severity, silenced }) => severity === 'fatal' && silenced === undefined)

/** The fixes of a configuration, by what they are about. */
function fixOf(options: Options, environment = 'production'): Finding['fix'] | undefined {
  return checkConfig(options, environment)[0]?.fix
}

t.test('a name that the app chose stays its own', async (t) => {
  const names: [string, string, string][] = [
    ['__host-sid', 'production', '__Host-sid'],
    ['__HostHttp-sid', 'production', '__Host-Http-sid'],
    ['my session', 'production', '__Host-my-session'],
    ['my session', 'development', 'my-session'],
    ['séance', 'development', 'seance'],
    ['', 'test', 'session'],
    ['shop', 'production', '__Host-shop'],
  ]
  for (const [name, environment, better] of names) {
    t.equal(fixOf(good({ cookie: { name } }), environment)?.snippet, `cookie: { name: '${better}' }`, name)
  }
  t.strictSame(fixOf(good({ cookie: { name: '__Host-sid', secure: 'auto' } }), 'development')?.patch, [
    { op: 'set', pointer: '/cookie/secure', source: 'true' },
  ])
})

t.test('no snippet is one that the same environment refuses', async (t) => {
  const { listIndex: _, ...withoutIndex } = STORE
  const cases: [Options, string][] = [
    [good({ cookie: { name: 'my session' } }), 'development'],
    [good({ cookieName: 'sid' }), 'development'],
    [good({ cookie: { nam: 5 } }), 'development'],
    [good({ store: withoutIndex, maxSessions: undefined }), 'production'],
    [good({ idleTimeout: 1800, absoluteTimeout: '10m' }), 'production'],
    [good({ cookie: { sameSite: 'None' } }), 'development'],
    [good({ cookie: { sameSite: 'no_restriction', secure: 'auto' } }), 'development'],
  ]
  for (const [options, environment] of cases) {
    for (const finding of checkConfig(options, environment)) {
      const pasted = paste(follow(options, [{ ...finding, fix: onlyRemovals(finding) }]), finding)
      t.strictSame(named(fatal(checkConfig(pasted, environment))), [], finding.rule)
    }
  }
  const [unset] = checkConfig(cases[3]?.[0], 'production')
  t.equal(unset?.rule, 'session/max-sessions-unset')
  t.equal(unset?.fix.snippet, undefined, 'the store cannot count sessions')
})

/** A reader of a snippet takes the wrong key out as well. */
function onlyRemovals({ fix }: Finding): Finding['fix'] {
  const patch = (fix.patch ?? []).map((step) =>
    step.op === 'move' ? { op: 'remove' as const, pointer: step.from } : step,
  )
  return { ...fix, patch: patch.filter(({ op }) => op === 'remove') }
}

t.test('the advice in words leaves nothing wrong either', async (t) => {
  const [none] = checkConfig(good({ cookie: { sameSite: 'none', secure: 'auto' } }), 'production')
  t.match(none?.fix.text, "{ sameSite: 'lax', secure: true }")
})

t.test('a list keeps what is right in it', async (t) => {
  const weak = 'keyboard cat'
  const [rotation] = checkConfig(good({ secret: [SECRET, weak] }), 'production')
  t.strictSame(rotation?.fix.patch, [{ op: 'remove', pointer: '/secret/1' }])
  t.match(rotation?.fix.snippet, /^secret: \[.*, .*\]$/)
  const [signing] = checkConfig(good({ secret: [weak, SECRET] }), 'production')
  t.strictSame(signing?.fix.patch, [{ op: 'set', pointer: '/secret/0', source: 'process.env.SESSION_SECRET' }])
  const trustedOrigins = ['https://a.example', 'https://b.example/', 'c.example', '*', 'ftp://d.example']
  t.equal(
    fixOf(good({ trustedOrigins }))?.snippet,
    "trustedOrigins: ['https://a.example', 'https://b.example', 'https://c.example']",
  )
  t.equal(fixOf(good({ trustedOrigins: 'https://a.example' }))?.snippet, "trustedOrigins: ['https://a.example']")
})

t.test('a value that is right is carried along', async (t) => {
  const carried: [Options, string | undefined][] = [
    [{ idletimeout: '5m' }, "idleTimeout: '5m'"],
    [{ sameSite: 'strict' }, "cookie: { sameSite: 'strict' }"],
    [{ sameSite: 'Strict' }, "cookie: { sameSite: 'strict' }"],
    [{ cookie: { samesite: 'Strict' } }, "cookie: { sameSite: 'strict' }"],
    [{ name: 'sid' }, "cookie: { name: '__Host-sid' }"],
    [{ cookie: { Name: 'sid' } }, "cookie: { name: '__Host-sid' }"],
    [{ cookie: { maxRecordSize: 700 } }, 'maxRecordSize: 700'],
    [{ cookie: { httponly: false } }, 'cookie: { httpOnly: true }'],
    [{ crossoriginprotection: false }, 'crossOriginProtection: true'],
    [{ cookie: { sameSite: 'strict', samesite: 'lax' } }, undefined],
    [{ assurance: 'AAL2' }, "assurance: 'aal2'"],
    [{ cookie: { priority: 'High' } }, "cookie: { priority: 'high' }"],
    [{ maxSessions: '5' }, 'maxSessions: 5'],
    [{ maxRecordSize: '1000' }, 'maxRecordSize: 1000'],
    [{ clearSiteData: 'false' }, 'clearSiteData: false'],
    [{ clearSiteData: 'yes' }, 'clearSiteData: true'],
    [{ cookie: { secure: 'false' } }, 'cookie: { secure: true }'],
    [{ cookie: { secert: SECRET } }, 'secret: process.env.SESSION_SECRET'],
    [{ decorators: { sessions: 5 } }, "decorators: { sessions: 'userSessions' }"],
    [{ decorators: { session: 'x' } }, undefined],
    [{ tls: true }, "tls: 'proxy'"],
    [{ idleTimeout: Number.NaN }, "idleTimeout: '30m'"],
    [{ cookie: { domain: 5 } }, undefined],
    [{ environment: 5 }, undefined],
    [{ clock: 5 }, undefined],
    [{ cookies: {} }, undefined],
    [{ maxAge: 5 }, "idleTimeout: '30m', absoluteTimeout: '12h'"],
    [{ maxAge: 5, idleTimeout: '5m' }, undefined],
    [{ proxy: true }, undefined],
  ]
  for (const [options, snippet] of carried) {
    const without = 'cookie' in options && 'secert' in (options['cookie'] as object) ? { secret: undefined } : {}
    t.equal(fixOf(good({ ...options, ...without }))?.snippet, snippet, JSON.stringify(options))
  }
  const { tls: _, ...bare } = good()
  t.match(fixOf({ ...bare, proxy: true }, 'development')?.snippet, "tls: 'proxy'")
  const [direct] = checkConfig({ ...bare, tls: true }, 'production', { https: true })
  t.equal(direct?.fix.snippet, "tls: 'direct'")
  t.equal(fixOf({ ...bare, cookieName: 'sid' })?.snippet, "cookie: { name: '__Host-sid' }")
  t.equal(fixOf(good({ cookieName: 'sid', cookie: { name: '__Host-x' } }))?.snippet, undefined)
  t.equal(fixOf(good({ [`key ${SECRET}`]: 1 }))?.patch, undefined, 'a place whose name is hidden')
})

t.test('lifetimes are put in order by shortening, and read so that they fit', async (t) => {
  const fixed: [Options, Options][] = [
    [
      { idleTimeout: '8h', absoluteTimeout: '1h' },
      { idleTimeout: '1h', absoluteTimeout: '1h' },
    ],
    [{ rememberTimeout: '1h' }, { absoluteTimeout: '1h', rememberTimeout: '1h' }],
    [
      { idleTimeout: 1800, absoluteTimeout: 43_200 },
      { idleTimeout: '30m', absoluteTimeout: '12h' },
    ],
    [
      { idleTimeout: 1_800_000, absoluteTimeout: 604_800 },
      { idleTimeout: '30m', absoluteTimeout: '7d' },
    ],
    [{ rememberTimeout: 1_209_600 }, { rememberTimeout: '14d' }],
    [
      { idleTimeout: 1800, absoluteTimeout: '10m' },
      { idleTimeout: '10m', absoluteTimeout: '10m' },
    ],
    [
      { idleTimeout: '1h', absoluteTimeout: 600 },
      { idleTimeout: '1h', absoluteTimeout: '1h' },
    ],
    [{ sweepInterval: 600 }, { sweepInterval: '10m' }],
    [{ storeTimeout: 2_000_000_000_000 }, { storeTimeout: undefined }],
  ]
  for (const [options, expected] of fixed) {
    const findings = fatal(checkConfig(good(options), 'production'))
    const after = follow(good(options), findings)
    for (const [name, value] of Object.entries(expected)) t.equal(after[name], value, JSON.stringify(options))
  }
})

t.test('a fix that uncovers faults in a list brings their fixes along', async (t) => {
  for (const secret of [
    [SECRET, 'x'],
    [SECRET, 'x', 'y'],
    ['x', SECRET, 'y'],
    ['', 'x', SECRET, 'y'],
  ]) {
    const options = { ...good({ secret }), environment: 'development' }
    const findings = fatal(checkConfig(options, 'production'))
    t.equal(findings[0]?.rule, 'session/environment-conflict')
    t.strictSame(named(fatal(checkConfig(follow(options, findings), 'production'))), [], JSON.stringify(secret))
  }
})

const pick = <Value>(...values: Value[]): fc.Arbitrary<Value> => fc.constantFrom(...values)

const DURATIONS = pick<unknown>('5m', '1h', '30d', '2d', 1800, 1_800_000, '1 day', '', 0, '0s', -5, '13h', 43_200)

const WRONG_COOKIE = fc.record(
  {
    name: pick<unknown>('sid', '__Host-sid', '__secure-x', 'my session', '', '__Host-Http-a', 'connect.sid', 5),
    domain: pick<unknown>('example.com', 'https://example.com', 'localhost', 'github.io', '::1', null, '*'),
    path: pick<unknown>('/', '/app', 'app', 5),
    secure: pick<unknown>(true, false, 'auto', 'true', 'false', 1),
    httpOnly: pick<unknown>(true, false, 'yes'),
    sameSite: pick<unknown>('lax', 'none', 'None', true, false, 'no_restriction', 5),
    partitioned: pick<unknown>(true, false, 'true'),
    priority: pick<unknown>('high', 'High', 5),
    samesite: pick<unknown>('none', 'lax', 5),
    httponly: pick<unknown>(false, true),
    maxAge: pick<unknown>(3600),
    idleTimeout: pick<unknown>('5m', 5),
  },
  { requiredKeys: [] },
)

const { listIndex: _, ...STORE_WITHOUT_INDEX } = STORE

const WRONG_OPTIONS = fc.record(
  {
    environment: pick<unknown>('development', 'production', 'dev', 'prod', 5),
    secret: pick<unknown>(SECRET, '', 'keyboard cat', [SECRET, 'x'], ['x', SECRET], [], [5], 5, 918273645546372),
    cookie: fc.oneof({ weight: 5, arbitrary: WRONG_COOKIE }, { weight: 1, arbitrary: pick<unknown>('x', 5) }),
    store: pick<unknown>(STORE, undefined, {}, 'redis', STORE_WITHOUT_INDEX, { ...STORE, volatile: true }, null),
    assurance: pick<unknown>('aal1', 'aal3', 'AAL3', 5),
    idleTimeout: DURATIONS,
    absoluteTimeout: DURATIONS,
    renewalTimeout: DURATIONS,
    rememberTimeout: DURATIONS,
    storeTimeout: DURATIONS,
    maxSessions: pick<unknown>(5, '5', 0, {}, { limit: 0 }, { limit: 1, onLimit: 'kick' }),
    loadUser: pick<unknown>(async () => null, 'x'),
    authHash: pick<unknown>(() => 'x', 5),
    crossOriginProtection: pick<unknown>(true, false, 'false'),
    trustedOrigins: pick<unknown>(['https://a.example', 'b.example'], '*', ['*'], [5]),
    tls: pick<unknown>('proxy', true, 'https'),
    decorators: pick<unknown>({ login: 'logout' }, { session: 'x' }, { login: 5, logIn: 'x' }, 5),
    silence: pick<unknown>(
      [{ rule: 'domain-wide', reason: '' }, { rule: 'secure-required', reason: 'lab' }, 5],
      [
        { rule: 'secret-missing', reason: 'x' },
        { rule: 'memory-store', reasons: 'x' },
      ],
    ),
    clock: pick<unknown>(Date.now, () => Number.NaN, 5),
    sameSite: pick<unknown>('strict', 5),
    name: pick<unknown>('sid'),
    idletimeout: DURATIONS,
    secert: pick<unknown>(SECRET, 'x'),
    password: pick<unknown>(SECRET, 'x'),
    cookieName: pick<unknown>('sid', 'my sid', 5),
    ttl: pick<unknown>(3600),
    resave: pick<unknown>(false),
    proxy: pick<unknown>(true),
    frobnicate: pick<unknown>(1),
  },
  { requiredKeys: [] },
)

const ENVIRONMENTS = pick('production', 'development', 'test', 'prod', 'dev')

const LONGER_IS_WEAKER = ['idleTimeout', 'absoluteTimeout', 'rememberTimeout', 'renewalTimeout']

/** What following fixes may never do, whatever was wrong. */
function harmOf(before: Options, after: Options, findings: readonly Finding[]): string | undefined {
  const wrong = findings.flatMap(({ at }) => at.map(({ pointer }) => pointer))
  for (const pointer of ['/cookie/secure', '/cookie/httpOnly', '/crossOriginProtection']) {
    if (valueAt(before, pointer) === true && valueAt(after, pointer) !== true) return `${pointer} was switched off`
  }
  for (const name of LONGER_IS_WEAKER) {
    const [one, other] = [parseDuration(before[name]), parseDuration(after[name])]
    const isRefused = wrong.includes(`/${name}`) && one === 0
    if (one !== undefined && other !== undefined && other > one && !isRefused) return `${name} became longer`
  }
  if (before['environment'] !== after['environment'] && after['environment'] !== undefined) {
    if (after['environment'] !== 'production') return 'the environment was relaxed'
  }
  if (valueAt(before, '/cookie/sameSite') === 'lax' && valueAt(after, '/cookie/sameSite') === 'none') return 'SameSite'
  for (const [key, value] of Object.entries(before)) {
    const isTouched = wrong.some((pointer) => pointer === `/${key}` || pointer.startsWith(`/${key}/`))
    // Without the relaxed environment production rules apply, to the store too.
    const isStage = wrong.includes('/environment')
    const isRelated = isStage || LONGER_IS_WEAKER.includes(key) || key === 'cookie' || key === 'secret'
    if (!isTouched && !isRelated && !isDeepStrictEqual(after[key], value)) return `${key} was right, and was touched`
  }
  return undefined
}

t.test(
  'following all fixes of the fatal findings boots, weakens nothing and touches nothing that was right',
  async (t) => {
    const property = fc.property(WRONG_OPTIONS, ENVIRONMENTS, (options, environment) => {
      const findings = checkConfig(options, environment)
      const after = follow(options, fatal(findings))
      const left = fatal(checkConfig(after, environment))
      if (left.length > 0) throw new Error(`still fatal: ${left.map(({ rule, at }) => rule + at[0]?.path).join()}`)
      const harm = harmOf(options, after, fatal(findings))
      if (harm !== undefined) throw new Error(harm)
    })
    t.doesNotThrow(() => fc.assert(property, { numRuns: 150 }))
  },
)

t.test('an app with all fixes followed starts', async (t) => {
  process.env['SESSION_SECRET'] ??= SECRET
  const property = fc.asyncProperty(WRONG_OPTIONS, async (wrong) => {
    const options = { ...wrong, environment: 'production' }
    const app = Fastify()
    await app.register(secureSession, follow(options, fatal(checkConfig(options, 'production'))) as object)
    await app.close()
  })
  await t.resolves(fc.assert(property, { numRuns: 25 }))
})
