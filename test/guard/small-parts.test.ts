import t from 'tap'
import { checkConfig, readFacts } from '../../lib/guard/check.ts'
import { fixChooser } from '../../lib/guard/choose-fix.ts'
import type { Trial } from '../../lib/guard/choose-fix.ts'
import { adviceAbout } from '../../lib/guard/probe/store-advice.ts'
import { readingsOf } from '../../lib/guard/read/duration-readings.ts'
import { bestPrefix } from '../../lib/guard/read/good-name.ts'
import { clockFlaw } from '../../lib/guard/read/clock-flaw.ts'
import { FOREIGN } from '../../lib/guard/read/foreign-options.ts'
import { closest } from '../../lib/guard/read/nearest-name.ts'
import { readOptions } from '../../lib/guard/read/read-options.ts'
import type { ReadOptions } from '../../lib/guard/read/read-options.ts'
import { OPTIONS_SCHEMA } from '../../lib/guard/read/schema.ts'
import type { SchemaNode } from '../../lib/guard/read/schema-node.ts'
import { showPath } from '../../lib/guard/read/show-value.ts'
import { RequestPhase, checkNeighbours, checkScan } from '../../lib/guard/phases.ts'
import type { Fix } from '../../lib/guard/rules/fix.ts'
import { remove, safely, set } from '../../lib/guard/rules/fix.ts'
import type { Rule } from '../../lib/guard/rules/rule.ts'
import type { Finding } from '../../types/index.ts'
import { evaluate, good, SECRET } from './configs.ts'
import { ANSWER, NEIGHBOURS, REQUEST, SCAN } from './phase-facts.ts'

/** Returns the finding of one rule. */
function findingOf(rule: string, options: object, environment = 'production'): Finding | undefined {
  return checkConfig(good(options), environment).find((finding) => finding.rule === `session/${rule}`)
}

t.test('a fix that a joint trial asks for counts a list as before the fixes accepted earlier', async (t) => {
  const judge = ({ root }: ReadOptions): Trial[] => {
    const list = root['list'] as string[]
    const trialOf = (slug: string, pointer: string, fix: Fix): Trial => ({ slug, pointer, isFatal: true, fixes: [fix] })
    const at = (word: string): Fix => safely(remove(['list', list.indexOf(word)]))
    const isOld = root['mode'] === 'strict' && !list.includes('bad') && list.includes('old')
    return [
      ...(list.includes('bad') ? [trialOf('bad', '/list/1', at('bad'))] : []),
      ...(root['mode'] === 'loose' ? [trialOf('loose', '/mode', safely(set(['mode'], 'strict')))] : []),
      ...(isOld ? [trialOf('old', '/list/0', at('old'))] : []),
    ]
  }
  const read = readOptions({ list: ['old', 'bad'], mode: 'loose' })
  const choose = fixChooser(read, judge)
  const chosen = judge(read).map(({ slug, pointer, fixes }) => {
    const at = [{ pointer, path: '', value: '', redacted: false }]
    return choose({ slug } as Rule, { at, message: '', text: '', fixes })?.changes
  })
  t.strictSame(chosen, [[remove(['list', 1])], [set(['mode'], 'strict'), remove(['list', 0])]])
})

t.test('the first cause of an error that the project knows gives the advice', async (t) => {
  const caused = (message: string, cause: unknown): Error => new Error(message, { cause })
  const known = new Error('NOAUTH Authentication required.')
  t.match(adviceAbout(known), 'wants a password')
  t.match(adviceAbout(caused('no luck', caused('again', known))), 'wants a password')
  t.match(adviceAbout(caused('READONLY You can not write', known)), 'not to a replica')
  t.equal(adviceAbout(caused('no luck', 'NOAUTH')), undefined)
  t.equal(adviceAbout('NOAUTH'), undefined)
  t.equal(adviceAbout(new Error('constructor is no code')), undefined)
  const client = Object.assign(new Error('The client is closed'), { name: 'ClientClosedError' })
  t.match(adviceAbout(client), 'await client.connect()')
  t.equal(adviceAbout(new Error("Stream isn't writeable and enableOfflineQueue options is false")), adviceAbout(client))
  const own = caused('in a ring', undefined)
  own.cause = own
  t.equal(adviceAbout(own), undefined)
  const byCode: [message: string, advice: string][] = [
    ['WRONGPASS', 'password of the client is wrong'],
    ['NOPERM', 'grant the user the keys'],
    ['LOADING', 'start the app later'],
    ['MISCONF', 'cannot write its data to the disk'],
    ['MASTERDOWN', 'lost its primary'],
    ['CLUSTERDOWN', 'lacks nodes'],
    ['MOVED', 'createCluster'],
  ]
  for (const [message, advice] of byCode) t.match(adviceAbout(new Error(`${message} 1234`)), advice, message)
})

t.test('an amount with a unit in words is read down to a millisecond', async (t) => {
  t.strictSame(readingsOf('1 msec'), { kind: 'words', text: "Write it as '1ms'.", durations: [1] })
  const { kind, durations } = readingsOf('0.4 msec')
  t.strictSame({ kind, durations }, { kind: 'unreadable', durations: [] })
  t.match(readingsOf('0.6 msec'), { durations: [1] })
})

t.test('a name is near another by one letter more, less, other or swapped', async (t) => {
  for (const name of ['tls', 'ttls', 'tlls', 'tlss', 'tl', 'ls', 'tlz', 'tsl', 'TLS', 't-ls']) {
    t.equal(closest(name, ['tls']), 'tls', name)
  }
  for (const name of ['tlzz', 'zzls', 'slt', 'x'.repeat(41)]) t.equal(closest(name, ['tls']), undefined, name)
  // A nearer name counts, though it comes later.
  t.equal(closest('abcdefghi', ['abcdefxyi', 'abcdexghi']), 'abcdexghi')
  t.equal(closest('abcdefghi', ['bcdefgh', 'abcdefgi']), 'abcdefgi')
  t.equal(closest('abcdefghi', ['xabcdefghiy', 'abcdefghix']), 'abcdefghix')
  const long = 'y'.repeat(40)
  t.equal(closest(long, [long]), long)
})

t.test('the prefix of a cookie is the strictest that its attributes allow', async (t) => {
  const prefixFor = (cookie: object): string => bestPrefix(readFacts(good({ cookie }), 'production', {}))
  t.equal(prefixFor({}), '__Host-')
  t.equal(prefixFor({ path: '/' }), '__Host-')
  t.equal(prefixFor({ path: '/app' }), '__Secure-')
  t.equal(prefixFor({ domain: 'example.com' }), '__Secure-')
  t.equal(prefixFor({ domain: 'example.com', path: '/' }), '__Secure-')
  t.equal(prefixFor({ secure: 'auto' }), '')
})

t.test('a name that may be a secret is shown as its length', async (t) => {
  t.equal(showPath([SECRET, 0, 'name']), `<name, ${SECRET.length} bytes>[0].name`)
  t.equal(showPath(['cookie', 'a key']), 'cookie.<name, 5 bytes>')
})

t.test('a text that holds the secret is shown nowhere, and is no part of a fix', async (t) => {
  const secret = 'tulip granite'
  const finding = checkConfig(good({ secret, cookieName: 'tulip granite' }), 'production')
  t.notMatch(JSON.stringify(finding), /tulip|granite/)
  const inside = findingOf('foreign-option', { secret: 'tulip-granite', cookieName: 'a-tulip-granite' })
  t.match(inside, { fix: { snippet: "cookie: { name: '__Host-session' }" } })
  const other = findingOf('foreign-option', { secret: 'tulip-granite', cookieName: 'a-rose-b' })
  t.match(other, { fix: { snippet: "cookie: { name: '__Host-a-rose-b' }" } })
})

t.test('an element of the secrets that is no text: the first is made anew, an older one goes', async (t) => {
  t.match(findingOf('option-type', { secret: [SECRET, 5] }), {
    fix: { patch: [{ op: 'remove', pointer: '/secret/1' }] },
  })
  const [first] = findingOf('option-type', { secret: [5, SECRET] })?.fix.patch ?? []
  t.match(first, { op: 'set', pointer: '/secret/0', source: 'process.env.SESSION_SECRET' })
})

t.test('in development the fix of a cookie without Secure follows the request', async (t) => {
  const insecure = { cookie: { secure: false } }
  t.match(findingOf('secure-required', insecure, 'development'), { fix: { snippet: "cookie: { secure: 'auto' }" } })
  t.match(findingOf('secure-required', insecure), { fix: { snippet: 'cookie: { secure: true }' } })
})

t.test('a finding names what it found, and what to do', async (t) => {
  const cases: [rule: string, options: object, finding: object][] = [
    ['cookie-name-invalid', { cookie: { name: '' } }, { message: 'the cookie has no name' }],
    ['cookie-name-invalid', { cookie: { name: 'a b' } }, { message: /holds characters that a name cannot have/ }],
    ['option-type', { store: Promise.resolve() }, { at: [{ value: '<Promise>' }] }],
    ['option-type', { store: () => undefined }, { fix: { text: 'Call it where the options are put together.' } }],
    ['option-type', { store: 5 }, { message: /^store must be a store, like/ }],
    ['option-type', { clock: () => undefined }, { message: /^clock .*; it must be/ }],
    [
      'store-plaintext',
      { store: { ...(good()['store'] as object), connections: [{ host: 'a.internal', encrypted: false }] } },
      { at: [{ path: 'store', value: '"a.internal"' }] },
    ],
    [
      'remember-too-long',
      { rememberTimeout: '500d' },
      { message: 'rememberTimeout is over 400 days, and browsers keep no cookie longer' },
    ],
    ['device-bound-lifetime', { deviceBound: { lifetime: '2h' } }, { message: /for longer than it has to/ }],
    ['device-bound-lifetime', { deviceBound: { lifetime: '2m' } }, { message: /^browsers do not refresh/ }],
  ]
  for (const [rule, options, finding] of cases) t.match(findingOf(rule, options), finding, JSON.stringify(options))
})

t.test('https that Fastify does not see is explained by how trustProxy is set', async (t) => {
  const messageFor = (request: object): string | undefined =>
    new RequestPhase(good(), 'production')
      .request({ ...REQUEST, protocol: 'http', forwardedProto: ['https'], ...request })
      .find(({ rule }) => rule === 'session/trust-proxy-missing')?.message
  t.match(messageFor({ trustProxy: 'off' }), "Fastify's trustProxy is off, so it is taken for http")
  t.match(messageFor({ trustProxy: 'on', peer: '10.1.2.3' }), "from the address 10.1.2.3, which Fastify's trustProxy")
  t.match(messageFor({ trustProxy: 'on', peer: null }), 'from a unix socket')
})

t.test('origins that CORS lets in are named where they are known', async (t) => {
  const probeOrigin = 'https://probe.invalid'
  const open = (allowOrigin: string | null, trustedOrigins: string[]): string | undefined => {
    const cors = [{ probeOrigin, allowOrigin, allowCredentials: true }]
    return checkNeighbours(good({ trustedOrigins }), 'production', { ...NEIGHBOURS, cors }).find(
      ({ rule }) => rule === 'session/cors-trusted-mismatch',
    )?.message
  }
  t.match(open('https://app.example', []), /^CORS lets "https:\/\/app\.example" in with credentials/)
  t.match(open(null, []), /^CORS lets some origins in with credentials/)
  t.equal(open(null, ['https://app.example']), undefined)
})

t.test('a hidden header is named with the option of @fastify/cors that shows it', async (t) => {
  const textFor = (isResponse: boolean): string | undefined =>
    new RequestPhase(good({ headerTransport: {} }), 'production')
      .answer({ ...ANSWER, hiddenId: { origin: 'https://app.example', header: 'session', isResponse } })
      .find(({ rule }) => rule === 'session/cors-header-hidden')?.fix.text
  t.match(textFor(true), "exposedHeaders: ['session']")
  t.match(textFor(false), "allowedHeaders: ['session']")
})

t.test('a scan that finds plain http only says so', async (t) => {
  const found = checkScan({ ...SCAN, plainHttp: 'serves', sendsHsts: null }, undefined)
  t.match(found, [
    {
      rule: 'session/plain-http-in-production',
      at: [{ path: 'http', value: 'a page' }],
      message: 'the deployment answers over plain http, and has no https',
    },
  ])
})

t.test('a limit shortens each lifetime that is given and readable', async (t) => {
  const finding = findingOf('absolute-too-long', {
    assurance: 'aal2',
    idleTimeout: 'soon',
    absoluteTimeout: '40d',
    rememberTimeout: '300d',
    renewalTimeout: '30d',
  })
  t.match(finding?.fix.snippet, "absoluteTimeout: '24h', rememberTimeout: '24h'")
  t.notMatch(finding?.fix.snippet, 'idleTimeout')
  for (const options of [{ assurance: 'aal2', idleTimeout: '48h' }, { idleTimeout: '31d' }]) {
    const both = findingOf('absolute-too-long', { ...options, absoluteTimeout: '40d' })
    t.match(both?.fix.snippet, /^idleTimeout: '(24h|30d)', absoluteTimeout: '\1'/)
  }
})

/** Returns the nodes of a schema that have a place of their own in the options, with their paths. */
function nodesBelow(node: SchemaNode, path: readonly string[] = []): [readonly string[], SchemaNode][] {
  const own: [readonly string[], SchemaNode][] = path.length === 0 ? [] : [[path, node]]
  const members = [node, ...(node.anyOf ?? [])].flatMap(({ properties }) => Object.entries(properties ?? {}))
  return [...own, ...members.flatMap(([name, member]) => nodesBelow(member, [...path, name]))]
}

t.test('the schema says what each option takes, and each of its examples is taken', async (t) => {
  const nodes = nodesBelow(OPTIONS_SCHEMA)
  t.ok(nodes.length > 50)
  for (const [path, { description, examples = [] }] of nodes) {
    t.match(description, /^\S.*\S$/, `${path.join('.')} must be …`)
    for (const example of examples) {
      const root = path.length === 1 ? `${path[0]}: ${example}` : `${path[0]}: { ${path[1]}: ${example} }`
      const found = path.length > 2 ? [] : checkConfig(good(evaluate(root)), 'production')
      t.strictSame(
        found.filter(({ rule, at }) => rule === 'session/option-type' && at[0]?.path === path.join('.')),
        [],
        root,
      )
    }
  }
  const listed = nodes
    .flatMap(([, node]) => [node, ...(node.anyOf ?? [])])
    .flatMap(({ items }): SchemaNode[] => {
      return items === undefined ? [] : [items]
    })
  t.ok(listed.length > 3)
  for (const item of listed) {
    t.match(item.description, /^\S.*\S$/)
    for (const [, member] of nodesBelow(item)) t.match(member.description, /^\S.*\S$/)
  }
})

t.test('an option of another library is told with its library and what takes its place', async (t) => {
  for (const [name, { of, instead, suggestion }] of Object.entries(FOREIGN)) {
    t.match(of, /^[@a-z]/, name)
    t.match(instead, /^[A-Z].*\.$/, name)
    const finding = findingOf('foreign-option', { [name]: 'x' })
    t.match(finding, { message: `${name} is an option of ${of}, not of this plugin`, fix: { text: instead } }, name)
    t.equal(finding?.suggestion, suggestion, name)
  }
})

t.test('a clock of seconds is told from one of a test up to the year 2286', async (t) => {
  t.equal(
    clockFlaw(() => 9_999_999_999),
    'returns seconds',
  )
  t.equal(
    clockFlaw(() => 1_000_000_000),
    'returns seconds',
  )
  for (const time of [10_000_000_000, 999_999_999, 0]) {
    t.equal(
      clockFlaw(() => time),
      undefined,
    )
  }
})

t.test('a secret of digits is hidden wherever it stands', async (t) => {
  const hiddenAt = (path: string, options: object): boolean | undefined =>
    checkConfig(good(options), 'production')
      .flatMap(({ at }) => at)
      .find((place) => place.path === path)?.redacted
  t.equal(hiddenAt('cookie.secret', { cookie: { secret: 1234 } }), true)
  t.equal(hiddenAt('secret', { secret: 12_345_678 }), true)
  t.equal(hiddenAt('idleTimeout', { secret: 12_345_678, idleTimeout: 12_345_678 }), true)
  t.not(hiddenAt('idleTimeout', { secret: 12_345_678, idleTimeout: 87_654_321 }), true)
  t.equal(hiddenAt('idleTimeout', { secret: '12345678', idleTimeout: '12345678' }), true)
})
