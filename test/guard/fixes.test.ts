import { isDeepStrictEqual } from 'node:util'
import * as fc from 'fast-check'
import Fastify from 'fastify'
import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { fixChooser } from '../../lib/guard/choose-fix.ts'
import type { Trial } from '../../lib/guard/choose-fix.ts'
import { perhaps, set } from '../../lib/guard/rules/fix.ts'
import type { Fix } from '../../lib/guard/rules/fix.ts'
import type { Rule } from '../../lib/guard/rules/rule.ts'
import { secureSession } from '../../lib/index.ts'
import { readOptions } from '../../lib/guard/read/read-options.ts'
import type { ReadOptions } from '../../lib/guard/read/read-options.ts'
import { ROOT_NAMES } from '../../lib/guard/read/schema.ts'
import { parseDuration } from '../../lib/session/duration.ts'
import type { Finding } from '../../types/index.ts'
import { follow, good, named, paste, SECRET, STORE, valueAt } from './configs.ts'
import { ENVIRONMENTS, WRONG_OPTIONS, WRONG_VALUES } from './wrong-options.ts'

type Options = Record<string, unknown>

const SESSION_SECRET = process.env['SESSION_SECRET']
t.teardown(() => {
  if (SESSION_SECRET === undefined) delete process.env['SESSION_SECRET']
})

const fatal = (findings: readonly Finding[]): Finding[] =>
  findings.filter(({ severity, silenced }) => severity === 'fatal' && silenced === undefined)

/** Returns the fixes of a configuration, by what they are about. */
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

/** Returns the fix without what it adds: a reader of a snippet takes the wrong key out as well. */
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
    [{ maxSessions: { limit: 3, onLimit: 'reject' } }, "maxSessions: { onLimit: 'refuse' }"],
    [{ maxSessions: { limit: 3, onLimit: 'Deny' } }, "maxSessions: { onLimit: 'refuse' }"],
    [{ maxSessions: { limit: 3, onLimit: 'kick' } }, "maxSessions: { onLimit: 'evict' }"],
    [{ maxSessions: { limit: 3, onLimit: 5 } }, "maxSessions: { onLimit: 'evict' }"],
    [{ maxSessions: { limit: 3, onExceed: 'reject' } }, "maxSessions: { onLimit: 'refuse' }"],
    [{ maxSessions: { max: 3 } }, 'maxSessions: { limit: 3 }'],
    [{ maxRecordSize: '1000' }, 'maxRecordSize: 1000'],
    [{ clearSiteData: 'false' }, 'clearSiteData: false'],
    [{ clearSiteData: 'yes' }, 'clearSiteData: true'],
    [{ cookie: { secure: 'false' } }, 'cookie: { secure: true }'],
    [{ cookie: { secert: SECRET } }, 'secret: process.env.SESSION_SECRET'],
    [{ decorators: { sessions: 5 } }, "decorators: { sessions: 'userSessions' }"],
    [{ decorators: { session: 'x' } }, undefined],
    [{ tls: true }, "tls: 'proxy'"],
    [{ idleTimeout: Number.NaN }, "idleTimeout: '30m'"],
    [{ idletimeout: 1800 }, "idleTimeout: '30m'"],
    [{ frobnicate: Promise.resolve() }, undefined],
    [{ cookie: { name: `__host-${SECRET}` } }, undefined],
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

t.test('a limit keeps its number and what its author wanted at the limit', async (t) => {
  for (const maxSessions of [
    { max: 3, onLimit: 'reject' },
    { maximum: 3, strategy: 'block' },
    { max: 3, onlimit: 'refuse' },
    { limit: 3, onLimit: 'Refuse' },
  ]) {
    const findings = fatal(checkConfig(good({ maxSessions }), 'production'))
    const after = follow(good({ maxSessions }), findings)
    t.strictSame(after['maxSessions'], { limit: 3, onLimit: 'refuse' })
    t.strictSame(named(fatal(checkConfig(pasteAll(good({ maxSessions }), findings), 'production'))), [])
  }
})

t.test('a fix that changes the secret, or takes a guess, is never a safe one', async (t) => {
  const cases: Options[] = [
    { secret: 918273645546372 },
    { secret: 'keyboard cat' },
    { secret: [SECRET, SECRET] },
    { secret: undefined, secert: SECRET },
    { secret: undefined, password: SECRET },
    { secret: [5] },
    { cookie: { sameSite: 5 } },
  ]
  for (const options of cases) {
    for (const { rule, fix } of checkConfig(good(options), 'production')) {
      t.equal(fix.confidence, 'review', `${rule} ${JSON.stringify(options)}`)
    }
  }
  t.equal(fixOf(good({ cookie: { sameSite: 'Lax' } }))?.confidence, 'safe')
  t.equal(fixOf(good({ cookie: { sameSite: true } }))?.confidence, 'safe')
})

t.test('findings come with the worst first', async (t) => {
  const options = { silence: [{ rule: 'memory-store', reason: 'x' }], cookie: { name: 'x', sameSite: 5 }, tls: 5 }
  const severities = checkConfig(options, 'prod').map(({ severity }) => severity)
  const order = ['fatal', 'warning', 'info']
  t.strictSame(
    severities,
    severities.toSorted((left, right) => order.indexOf(left) - order.indexOf(right)),
  )
  t.ok(severities.includes('warning'))
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
    const options = { ...good({ secret, trustedOrigins: ['https://a.example'] }), environment: 'development' }
    const findings = fatal(checkConfig(options, 'production'))
    t.equal(findings[0]?.rule, 'session/environment-conflict')
    const worse = { ...options, silence: [5, { rule: 'domain-wide', reason: 'x' }, 5] }
    const others = fatal(checkConfig(worse, 'production'))
    t.strictSame(named(fatal(checkConfig(follow(worse, others), 'production'))), [], 'another list shrinks before')
    t.strictSame(named(fatal(checkConfig(follow(options, findings), 'production'))), [], JSON.stringify(secret))
  }
})

t.test('each option is among those that the next tests make mistakes in', async (t) => {
  t.strictSame(
    ROOT_NAMES.filter((name) => !Object.hasOwn(WRONG_VALUES, name)),
    [],
  )
})

const LONGER_IS_WEAKER = ['idleTimeout', 'absoluteTimeout', 'rememberTimeout', 'renewalTimeout']

/** Returns the harm that fixes did. Fixes may never do it, whatever was wrong. */
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
    // Production rules apply without the relaxed environment, to the store too.
    const isStage = wrong.includes('/environment')
    // A level that somebody meant forbids what was allowed without one.
    const isForbidden = key === 'onCopiedSession' && ['aal2', 'aal3'].includes(String(after['assurance']))
    const isRelated = isStage || isForbidden || LONGER_IS_WEAKER.includes(key) || key === 'cookie' || key === 'secret'
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

t.test('a member of a silence under another name is put under its own', async (t) => {
  for (const [entry, fixed] of [
    [
      { rule: 'cross-origin-off', reason: 'lab', until: '2099-01-31' },
      { rule: 'cross-origin-off', reason: 'lab', expires: '2099-01-31' },
    ],
    [
      { rule: 'cross-origin-off', why: 'lab' },
      { rule: 'cross-origin-off', reason: 'lab' },
    ],
    [
      { id: 'cross-origin-off', reason: 'lab' },
      { rule: 'cross-origin-off', reason: 'lab' },
    ],
  ]) {
    const options = good({ crossOriginProtection: false, silence: [entry] })
    const findings = fatal(checkConfig(options, 'production'))
    t.ok(
      findings.some(({ rule }) => rule === 'session/unknown-option'),
      JSON.stringify(named(findings)),
    )
    t.match(
      follow(
        options,
        findings.filter(({ rule }) => rule === 'session/unknown-option'),
      ),
      { silence: [fixed] },
    )
  }
})

t.test('the fix of a relaxed environment brings the fixes of all that production refuses', async (t) => {
  const options: Options = {
    environment: 'development',
    secret: ['keyboard cat', 'changeme'],
    cookie: { domain: 'localhost', path: 'app', secure: 'auto', httpOnly: false },
    deviceBound: true,
    assurance: 'aal3',
    absoluteTimeout: '30d',
  }
  for (const reduced of [options, { ...options, secret: undefined }, { ...options, deviceBound: false }]) {
    const findings = fatal(checkConfig(reduced, 'production'))
    t.ok(findings.find(({ rule }) => rule === 'session/environment-conflict')?.fix.patch)
    t.strictSame(named(fatal(checkConfig(follow(reduced, findings), 'production'))), [])
  }
})

/** Rules about a key that means nothing where it stands; the words of their findings tell to take the key out. */
const MISPLACED = ['session/unknown-option', 'session/foreign-option', 'session/option-wrong-level']

/** Takes misplaced keys out, does by the steps what no snippet says, and pastes what is printed. */
function pasteAll(options: Options, findings: readonly Finding[]): Options {
  // Other rules apply without the relaxed environment, so its finding is followed last.
  const [stage, others] = [true, false].map((isStage) =>
    findings.filter(({ rule }) => (rule === 'session/environment-conflict') === isStage),
  ) as [Finding[], Finding[]]
  const inWords = others.filter(({ rule, fix }) => fix.snippet === undefined || MISPLACED.includes(rule))
  const steps = inWords.map((finding) => {
    return finding.fix.snippet === undefined ? finding : { ...finding, fix: onlyRemovals(finding) }
  })
  const pasted = others.reduce((before, finding) => paste(before, finding), follow(options, steps))
  return follow(pasted, stage)
}

t.test('pasting every printed snippet leaves nothing fatal', async (t) => {
  const property = fc.property(WRONG_OPTIONS, ENVIRONMENTS, (options, environment) => {
    const after = pasteAll(options, fatal(checkConfig(options, environment)))
    const left = fatal(checkConfig(after, environment))
    if (left.length > 0) throw new Error(`still fatal: ${left.map(({ rule, at }) => rule + at[0]?.path).join()}`)
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 60 }))
  const forbidden: Options[] = [
    { name: '__Host-sid', domain: 'example.com', secure: 'auto' },
    { name: '__Host-sid', domain: 'https://example.com', httpOnly: false },
    { name: '__Host-Http-a', domain: 'example.com', path: '/app', httpOnly: false },
    { domain: 'github.io', secure: false },
    { name: '__Host-sid', domain: 'example.com', sameSite: 'None' },
  ]
  for (const cookie of forbidden) {
    for (const environment of ['production', 'development']) {
      const options = good({ cookie })
      const findings = fatal(checkConfig(options, environment))
      t.strictSame(named(fatal(checkConfig(pasteAll(options, findings), environment))), [], JSON.stringify(cookie))
    }
  }
  const bound = good({ deviceBound: true, cookie: { name: '__secure-x', domain: 'https://example.com' } })
  const found = fatal(checkConfig(bound, 'production'))
  t.strictSame(named(fatal(checkConfig(pasteAll(bound, found), 'production'))), [], 'a bound session takes no domain')
})

t.test('a snippet takes out what it has no room for, and leaves other findings alone', async (t) => {
  t.equal(
    fixOf(good({ cookie: { name: '__Host-sid', domain: 'example.com', path: '/app' } }))?.snippet,
    "cookie: { path: '/', domain: undefined }",
  )
  const { store: _, ...bare } = good()
  const [conflict] = checkConfig({ ...bare, environment: 'development' }, 'production')
  t.match(conflict, { rule: 'session/environment-conflict', fix: { patch: [{ op: 'remove' }, { op: 'set' }] } })
  t.equal(conflict?.fix.snippet, undefined, 'the store is the business of another finding')
})

t.test('options with more mistakes than fixes are tried for are judged all the same', async (t) => {
  const many = (count: number, prefix: string): Options =>
    Object.fromEntries(Array.from({ length: count }, (_, index) => [`${prefix}${index}`, index]))
  const silence = Array.from({ length: 45 }, () => ({ rule: 'none', reason: 'x' }))
  const trustedOrigins = Array.from({ length: 45 }, () => 5)
  const options = good({ ...many(45, 'frobnicate'), silence, trustedOrigins })
  const findings = checkConfig(options, 'production')
  t.ok(findings.length > 100)
  t.ok(findings.some(({ fix }) => fix.patch !== undefined))
  t.ok(findings.some(({ fix }) => fix.patch === undefined))
})

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

t.test('a list or a function under a wrong name moves to the right name', async (t) => {
  const cases: [Options, string, string][] = [
    [{ trustedOrigin: ['https://app.example'] }, '/trustedOrigin', '/trustedOrigins'],
    [{ silences: [] }, '/silences', '/silence'],
    [{ clok: Date.now }, '/clok', '/clock'],
  ]
  for (const [options, from, pointer] of cases) {
    t.match(fixOf(good(options))?.patch, [{ op: 'move', from, pointer }], from)
  }
})

t.test('a fix that is only right together with the fix of another finding is not offered', async (t) => {
  const fix = (name: string): Fix => perhaps(set([name], true))
  const refusing = (slug: string, ...fixes: Fix[]): Trial => ({ slug, pointer: `/${slug}`, isFatal: true, fixes })
  // Both options together need a third one, and the third is wrong without the first.
  const judgeBoth = ({ root }: ReadOptions): Trial[] => [
    ...(root['first'] === true ? [] : [refusing('first', fix('first'))]),
    ...(root['second'] === true ? [] : [refusing('second', fix('second'))]),
    ...(root['first'] === true && root['second'] === true && root['third'] !== true
      ? [refusing('third', fix('third'))]
      : []),
    ...(root['third'] === true && root['first'] !== true ? [refusing('lonely')] : []),
  ]
  const choose = fixChooser(readOptions({}), judgeBoth)
  const offered = (slug: string): Fix | undefined => {
    const at = [{ pointer: `/${slug}`, path: slug, value: 'absent', redacted: false }]
    return choose({ slug } as Rule, { at, message: '', text: '', fixes: [fix(slug)] })
  }
  t.strictSame(offered('first')?.changes, [set(['first'], true)])
  t.equal(offered('second'), undefined)
})
