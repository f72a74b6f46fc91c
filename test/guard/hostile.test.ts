import * as fc from 'fast-check'
import t from 'tap'
import { checkConfig, environmentLine } from '../../lib/guard/check.ts'
import { FOREIGN } from '../../lib/guard/read/foreign-options.ts'
import { RequestPhase, checkNeighbours } from '../../lib/guard/phases.ts'
import { renderReport } from '../../lib/guard/report/text.ts'
import { renderGithub } from '../../lib/guard/report/github.ts'
import { renderJson } from '../../lib/guard/report/json.ts'
import { renderSarif } from '../../lib/guard/report/sarif.ts'
import { COOKIE_NAMES, OPTIONS_SCHEMA, ROOT_NAMES } from '../../lib/guard/read/schema.ts'
import { good, judge, STORE } from './configs.ts'
import { NEIGHBOURS, REQUEST } from './phase-facts.ts'

const explosive = (): never => {
  throw new Error('a getter that throws')
}

/** Returns everything that anybody could read of the findings. */
function everythingPrinted(options: unknown, environment: string | undefined): string {
  const findings = [
    ...checkConfig(options, environment),
    ...checkNeighbours(options, environment, NEIGHBOURS),
    ...new RequestPhase(options, environment).request(REQUEST),
  ]
  const source = { version: '1.0.0', target: 'app.js', environment: environmentLine(options, environment) }
  const layout = { ...source, spellOut: 'all', showSilenced: true, color: true } as const
  return [
    renderReport(findings, layout),
    renderJson(findings, source),
    renderSarif(findings, source),
    renderGithub(findings, source),
  ].join('\n')
}

t.test('getters and proxies that throw are a wrong type, wherever they are', async (t) => {
  const trap = (handler: ProxyHandler<object>, target: object = {}): object => new Proxy(target, handler)
  const { proxy: revoked, revoke } = Proxy.revocable({}, {})
  revoke()
  const { proxy: revokedList, revoke: revokeList } = Proxy.revocable([], {})
  revokeList()
  const getter = (name: string): object => Object.defineProperty({}, name, { get: explosive, enumerable: true })
  for (const options of [
    trap({ ownKeys: explosive }),
    trap({ getPrototypeOf: explosive, get: explosive, has: explosive }),
    revoked,
  ]) {
    t.ok(judge(options).includes('fatal option-type'))
    t.ok(judge(good({ cookie: options })).includes('fatal option-type'))
    t.ok(judge(good({ silence: [options] })).includes('fatal option-type'))
    t.ok(judge(good({ maxSessions: options })).includes('fatal option-type'))
  }
  for (const list of [trap({ get: explosive }, []), revokedList]) {
    t.ok(judge(good({ secret: list })).includes('fatal option-type'))
    t.ok(judge(good({ trustedOrigins: list })).includes('fatal option-type'))
  }
  t.strictSame(judge(Object.assign(getter('clock'), good())), ['fatal option-type'])
  t.strictSame(judge(trap({ has: explosive }, good())), [], 'what a proxy cannot say is absent')
  t.strictSame(judge(good({ frobnicate: Promise.resolve() })), ['fatal option-type'])
  t.strictSame(judge(Object.defineProperties({ ...good() }, { frob: { get: explosive, enumerable: true } })), [
    'fatal option-type',
  ])
  t.strictSame(judge(good({ cookie: getter('secure') })), ['fatal option-type'])
  t.strictSame(judge(good({ store: revoked })), ['fatal option-type'])
  t.strictSame(judge(good({ store: getter('get') })), ['fatal store-incomplete'])
  t.strictSame(
    judge(good({ store: { ...STORE, weaker: revokedList, connections: [revoked, getter('host'), null] } })),
    [],
  )
  t.strictSame(judge(good(), getter('NODE_ENV') as never), ['info environment-unset'])
  t.strictSame(judge(good(), 5 as never), ['info environment-unset'])
  t.strictSame(judge(good(), null as never), ['info environment-unset'])
})

t.test('what cannot be read is said once, by name', async (t) => {
  const strict = new Proxy(good(), {
    get: (target, key) => (Reflect.has(target, key) ? Reflect.get(target, key) : explosive()) as unknown,
  })
  t.strictSame(judge(strict), [], 'a name that a strict proxy does not know is absent')
  const [finding, ...others] = checkConfig(
    Object.defineProperties(good(), {
      clock: { get: explosive, enumerable: true },
      idleTimeout: { get: explosive, enumerable: true },
    }),
    'production',
  )
  t.strictSame(others, [])
  t.equal(finding?.message, 'reading options.clock, options.idleTimeout threw')
  t.strictSame(
    finding?.at.map(({ path }) => path),
    ['clock', 'idleTimeout'],
  )
})

/** Members without which an option is faulty anyway. */
const OTHERS: Readonly<Record<string, object>> = {
  maxSessions: { limit: 3 },
  trustedOrigins: { origin: 'null', reason: 'an app shell' },
}

t.test('every option that holds members, or a list of them, is read as deep as the schema goes', async (t) => {
  const places = Object.entries(OPTIONS_SCHEMA.properties ?? {}).flatMap(([name, node]) => {
    const throwing = (member: string): object =>
      Object.defineProperty({ ...OTHERS[name] }, member, { get: explosive, enumerable: true })
    return [node, ...(node.anyOf ?? [])].flatMap(({ properties = {}, items = {} }) => [
      ...Object.keys(properties).map((member) => ({ path: `${name}.${member}`, value: throwing(member) })),
      ...[items, ...(items.anyOf ?? [])].flatMap(({ properties: members = {} }) =>
        Object.keys(members).map((member) => ({ path: `${name}[0].${member}`, value: [throwing(member)] })),
      ),
    ])
  })
  t.ok(places.length > 20, String(places.length))
  for (const { path, value } of places) {
    const [name = ''] = path.split(/[.[]/)
    const found = checkConfig(good({ [name]: value }), 'production')
    t.strictSame(
      found.filter(({ rule }) => rule === 'session/option-type').map(({ message }) => message),
      [`reading options.${path} threw`],
      path,
    )
  }
})

t.test('a Promise below an option is one finding, and not one about the option too', async (t) => {
  const promise = Promise.resolve('x')
  for (const options of [
    { trustedOrigins: [promise] },
    { maxSessions: { limit: promise } },
    { headerTransport: { header: promise } },
    { secret: [promise] },
  ]) {
    const found = checkConfig(good(options), 'production')
    t.equal(found.length, 1, JSON.stringify(found.map(({ message }) => message)))
    t.match(found[0]?.message, /is a Promise: await it$/)
  }
})

t.test('a Promise in the place of a value is told to be awaited', async (t) => {
  const thenable = Object.defineProperty({}, ['th', 'en'].join(''), { value: () => undefined })
  for (const name of ['secret', 'store', 'cookie', 'idleTimeout', 'maxSessions']) {
    for (const promise of [Promise.resolve('x'), thenable]) {
      const findings = checkConfig(good({ [name]: promise }), 'production')
      t.equal(findings.find(({ rule }) => rule === 'session/option-type')?.message, `${name} is a Promise: await it`)
    }
  }
  const [inList] = checkConfig(good({ secret: [Promise.resolve('x')] }), 'production')
  t.equal(inList?.message, 'secret[0] is a Promise: await it')
  t.equal(checkConfig(Promise.resolve({}), 'production')[0]?.message, 'the options are a Promise: await it')
})

t.test('a secret of any type stays hidden, at its place and wherever else it stands', async (t) => {
  const secret = 918273645546372
  const places: object[] = [
    { secret },
    { secret: [secret] },
    { secert: secret },
    { password: secret, cookie: { secret } },
    { secret, maxRecordSize: -secret, cookie: { name: `id ${secret}` } },
  ]
  for (const options of places) t.notMatch(everythingPrinted(good(options), 'production'), String(secret))
  t.match(checkConfig(good({ secret }), 'production')[0]?.at, [{ value: '<number>', redacted: true }])
  t.match(checkConfig(good({ maxage: 2_592_000_000 }), 'production')[0]?.at, [{ value: '2592000000' }])
})

t.test('options that hold themselves are read once', async (t) => {
  const options: Record<string, unknown> = good()
  Object.assign(options, {
    cookie: options,
    store: options,
    silence: [options],
    secret: [options],
    decorators: options,
  })
  t.ok(judge(options).length > 0)
  const list: unknown[] = []
  list.push(list)
  t.ok(judge(good({ silence: list, secret: list })).length > 0)
})

t.test('a value is read once, so it cannot be another one the next time', async (t) => {
  let reads = 0
  const cookie = Object.defineProperty({}, 'secure', { enumerable: true, get: () => (reads++ === 0 ? true : 'auto') })
  t.strictSame(judge(good({ cookie })), [])
  t.equal(reads, 1)
})

t.test('an option is seen through the prototype, as the plugin would see it', async (t) => {
  class Config {
    get idleTimeout(): number {
      return 5
    }
  }
  t.strictSame(judge(Object.assign(new Config(), good())), ['fatal duration-unit'])
  t.strictSame(judge(Object.assign(Object.create(null), good())), [])
})

t.test('huge options are judged in time, and the report stays short', async (t) => {
  const keys = Object.fromEntries(Array.from({ length: 1000 }, (_, index) => [`key${index}`, 1]))
  t.equal(judge(keys).filter((finding) => finding === 'fatal unknown-option').length, 50)
  t.strictSame(judge({ ...good(), ...keys, one: 1, more: 2 }), ['fatal option-type'])
  t.strictSame(judge(good({ secret: Array.from({ length: 1001 }, () => 'x') })), ['fatal option-type'])
  const endless = new Proxy([], { get: (_, key) => (key === 'length' ? Infinity : 'x') })
  t.ok(judge(good({ secret: endless })).includes('fatal option-type'))
  const long = 'x'.repeat(5_000_000)
  for (const options of [
    { secret: long },
    { cookie: { name: long, path: `/${long}`, domain: long } },
    { idleTimeout: `${long}5` },
    { environment: long },
    { cookie: { sameSite: long } },
    { [long]: 1 },
    { silence: [{ rule: long, reason: long, expires: long }] },
    { trustedOrigins: [long] },
  ]) {
    t.ok(everythingPrinted(good(options), 'production').length < 100_000, Object.keys(options).join().slice(0, 20))
  }
})

t.test('control and direction characters never reach a terminal', async (t) => {
  const text = 'a\u001b[31m\u202e\u0007\u009b1m\r\nb'
  const options = good({
    environment: text,
    cookie: { name: text, domain: text, path: text },
    [text]: text,
    tls: text,
    silence: [{ rule: text, reason: text }],
  })
  const pretty = renderReport(checkConfig(options, text), {
    environment: environmentLine(options, text),
    spellOut: 'all',
    showSilenced: true,
  })
  t.notMatch(pretty, /[^\n\P{C}]/u)
})

t.test('a password in an address is not printed', async (t) => {
  const options = good({
    store: 'redis://app:hunter22222@redis.internal',
    cookie: { domain: 'https://app:hunter22222@example.com' },
  })
  t.notMatch(everythingPrinted(options, 'production'), 'hunter22222')
})

t.test('a generated text is hidden wherever it was put by mistake, and an ordinary one is shown', async (t) => {
  const secret = 'Zq7Lm2Vx9Rt4Kp1Wn6Yb3Hc8Jd5Fg0Ts'
  const misplaced: object[] = [
    { environment: secret },
    { [secret]: true },
    { tls: secret, assurance: secret, idleTimeout: secret, clock: secret, store: secret },
    { cookie: { name: secret, domain: `${secret}.example.com`, path: `/${secret}`, sameSite: secret, [secret]: 1 } },
    { cookie: { secret, name: `${secret} x` } },
    { silence: [secret, { rule: secret, reason: secret }] },
    { trustedOrigins: [secret], decorators: { [secret]: secret }, maxSessions: secret },
  ]
  for (const options of misplaced) t.notMatch(everythingPrinted(good(options), 'production'), secret)
  t.notMatch(everythingPrinted(secret, 'production'), secret)
  t.notMatch(everythingPrinted(good(), secret), secret)
  const [finding] = checkConfig(good({ environment: secret }), 'production')
  t.match(finding?.at, [{ value: '<string, 32 bytes>', redacted: true }])
  const ordinary = 'staging-eu-west-1-blue-2024'
  t.match(everythingPrinted(good({ environment: ordinary }), 'production'), ordinary)
})

const SECRET_TEXT = fc.string({ minLength: 12, maxLength: 60 }).map((text) => `${text}zQ7x${text.length}`)

const NAMES = fc.oneof(
  fc.constantFrom(
    ...ROOT_NAMES,
    ...COOKIE_NAMES,
    ...Object.keys(FOREIGN),
    'samesite',
    'secert',
    'limit',
    'rule',
    'reason',
  ),
  fc.string({ maxLength: 30 }),
)

const VALUES = fc.oneof(
  { depthSize: 'small' },
  fc.anything({
    withBigInt: true,
    withDate: true,
    withMap: true,
    withNullPrototype: true,
    withSparseArray: true,
    withTypedArray: true,
  }),
  fc.constantFrom(
    'lax',
    'none',
    'auto',
    true,
    false,
    '15m',
    '0s',
    0,
    '__Host-x',
    '/',
    'example.com',
    'aal3',
    'development',
  ),
  fc.func(fc.anything()),
)

const NESTED = fc.dictionary(NAMES, VALUES, { noNullPrototype: false })

const OPTIONS = fc.oneof(VALUES, fc.dictionary(NAMES, fc.oneof(VALUES, NESTED, fc.array(NESTED))))

/** Places where somebody could have put a secret: the right one, and the wrong ones. */
const SECRET_PLACES: ((options: object, secret: string) => object)[] = [
  (options, secret) => ({ ...options, secret }),
  (options, secret) => ({ ...options, secret: ['x', secret, secret] }),
  (options, secret) => ({ ...options, secert: secret }),
  (options, secret) => ({ ...options, password: secret }),
  (options, secret) => ({ ...options, key: secret }),
  (options, secret) => ({ ...options, cookie: { secret } }),
  (options, secret) => ({ ...options, cookie: { key: secret } }),
  (options, secret) => ({ ...options, secret: { value: secret } }),
  (options, secret) => ({ ...options, store: { ...STORE, url: secret } }),
  (options, secret) => ({ ...options, secret, cookie: { name: secret, domain: secret, path: secret } }),
]

t.test('whatever the options are, checkConfig answers', async (t) => {
  const property = fc.property(OPTIONS, fc.option(fc.string(), { nil: undefined }), (options, environment) => {
    for (const finding of checkConfig(options, environment)) {
      JSON.stringify(finding)
      if (!finding.rule.startsWith('session/') || finding.at.length === 0) throw new Error('a finding without a place')
    }
    everythingPrinted(options, environment)
  })
  for (const cookie of [new Int16Array(1), new Date(0), []]) {
    t.doesNotThrow(() => checkConfig({ sameSite: {}, cookie }, 'production'))
  }
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})

t.test('wherever a secret is put, it is never printed', async (t) => {
  const property = fc.property(OPTIONS, SECRET_TEXT, fc.constantFrom(...SECRET_PLACES), (options, secret, put) => {
    const base = typeof options === 'object' && options !== null ? options : {}
    const printed = everythingPrinted(put(base, secret), 'production')
    const escaped = JSON.stringify(secret).slice(1, -1)
    if (printed.includes(secret) || printed.includes(escaped)) throw new Error('a secret was printed')
  })
  t.doesNotThrow(() => fc.assert(property, { numRuns: 200 }))
})
