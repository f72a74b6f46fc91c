import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { good, judge, SECRET, STORE } from './configs.ts'

/** Options beside good ones, and the suggestion of their only finding. */
function suggestionFor(options: object): string | undefined {
  return checkConfig(good(options), 'production')[0]?.suggestion
}

t.test('correct options are met with silence, in every environment', async (t) => {
  for (const environment of ['production', 'development', 'test']) t.strictSame(judge(good(), environment), [])
  t.strictSame(judge({ secret: SECRET, store: STORE, tls: 'proxy' }), ['info max-sessions-unset'])
})

t.test('every option in its right shape passes', async (t) => {
  const options = good({
    environment: 'production',
    secret: [SECRET],
    cookie: {
      name: '__Host-id',
      path: '/',
      secure: true,
      httpOnly: true,
      sameSite: 'none',
      partitioned: true,
      priority: 'high',
    },
    assurance: 'aal2',
    idleTimeout: '1h',
    absoluteTimeout: '24h',
    renewalTimeout: '5m',
    rememberTimeout: '24h',
    maxSessions: { limit: () => 3, onLimit: 'refuse' },
    loadUser: async () => null,
    authHash: () => 'hash',
    authCheckInterval: '0s',
    storeTimeout: '500ms',
    sweepInterval: 0,
    maxRecordSize: 1000,
    crossOriginProtection: true,
    trustedOrigins: ['https://partner.example', 'http://localhost:3000'],
    tls: 'direct',
    clearSiteData: true,
    decorators: { login: 'signIn' },
    silence: [],
    clock: Date.now,
  })
  t.strictSame(judge(options), [])
})

t.test('members that Fastify adds to the options are not judged', async (t) => {
  t.strictSame(judge(good({ logLevel: 'warn', logSerializers: {}, prefix: '/api' })), [])
  t.strictSame(judge(good({ prefix: '' })), [])
  t.strictSame(judge(good({ prefix: 'sess:' })), ['fatal foreign-option'])
})

t.test('undefined is absence, at every depth', async (t) => {
  t.strictSame(judge(good({ idleTimeout: undefined, cookie: undefined, resave: undefined })), [])
  t.strictSame(judge(good({ cookie: { secure: undefined, sameSite: undefined } })), [])
})

t.test('a misspelt key is an unknown option, with the name that was meant', async (t) => {
  const misspelt: [object, string][] = [
    [{ cookie: { samesite: 'lax' } }, 'sameSite'],
    [{ cookie: { httponly: true } }, 'httpOnly'],
    [{ cookie: { HttpOnly: true } }, 'httpOnly'],
    [{ cookie: { 'same-site': 'lax' } }, 'sameSite'],
    [{ cookie: { secrue: true } }, 'secure'],
    [{ cookie: { maxage: 5 } }, 'absoluteTimeout'],
    [{ cookie: { idletimeout: '5m' } }, 'idleTimeout'],
    [{ cookie: { idleTimout: '5m' } }, 'idleTimeout'],
    [{ Secret: 'x' }, 'secret'],
    [{ secert: 'x' }, 'secret'],
    [{ httponly: true }, 'cookie.httpOnly'],
    [{ samesite: 'lax' }, 'cookie.sameSite'],
    [{ sameSit: 'lax' }, 'cookie.sameSite'],
    [{ idleTimeOut: '5m' }, 'idleTimeout'],
    [{ idle: '5m' }, 'idleTimeout'],
    [{ cookies_: {} }, 'cookie'],
    [{ decorators: { logIn: 'x' } }, 'login'],
    [{ maxSessions: { limit: 1, onlimit: 'evict' } }, 'onLimit'],
    [{ silence: [{ rule: 'path-narrow', reasons: 'x', reason: 'x' }] }, 'reason'],
  ]
  for (const [options, suggestion] of misspelt) {
    t.strictSame(judge(good(options)), ['fatal unknown-option'], JSON.stringify(options))
    t.equal(suggestionFor(options), suggestion, JSON.stringify(options))
  }
})

t.test('a key like no option is unknown, without a guess', async (t) => {
  for (const options of [
    { frobnicate: 1 },
    { __proto__x: 1 },
    { ['x'.repeat(500)]: 1 },
    { ab: 1 },
    { silence: [{ zz: 1 }] },
  ]) {
    t.match(judge(good(options))[0], 'fatal unknown-option')
    t.equal(suggestionFor(options), undefined)
  }
  t.match(judge(good({ trustProxy: true })), ['fatal unknown-option'])
})

t.test('a key named __proto__ is unknown, and inherits nothing', async (t) => {
  const parsed = JSON.parse(
    '{ "__proto__": { "secret": "x" }, "cookie": { "__proto__": { "secure": false } } }',
  ) as object
  t.strictSame(judge({ ...good(), ...parsed }), ['fatal unknown-option', 'fatal unknown-option'])
  t.strictSame(judge(Object.defineProperty(good(), '__proto__', { value: 1, enumerable: true })), [
    'fatal unknown-option',
  ])
})

t.test('an option at the wrong level is told where it belongs', async (t) => {
  for (const name of ['name', 'domain', 'path', 'secure', 'httpOnly', 'sameSite', 'partitioned', 'priority']) {
    t.strictSame(judge(good({ [name]: true })), ['fatal option-wrong-level'], name)
    t.equal(suggestionFor({ [name]: true }), `cookie.${name}`)
  }
  for (const name of ['secret', 'store', 'idleTimeout', 'maxSessions', 'silence', 'environment']) {
    t.strictSame(judge(good({ cookie: { [name]: 'x' } })), ['fatal option-wrong-level'], name)
    t.equal(suggestionFor({ cookie: { [name]: 'x' } }), name)
  }
})

t.test(
  'a store at the wrong level is replaced where it belongs, because nobody can write its value down',
  async (t) => {
    const [finding] = checkConfig({ secret: SECRET, cookie: { store: {} } }, 'production')
    const source = "sqliteStore({ database: new Database('sessions.db') })"
    t.strictSame(finding?.fix?.patch, [
      { op: 'remove', pointer: '/cookie/store' },
      { op: 'set', pointer: '/store', source },
    ])
  },
)

t.test('options of other libraries are known by name, at the root and under cookie', async (t) => {
  const foreign =
    'resave saveUninitialized rolling genid idGenerator cookieName cookiePrefix maxAge ttl key keys password expiry expires unset proxy salt algorithm signed cookieOptions sessionName overwrite'
  for (const name of foreign.split(' ')) {
    t.strictSame(judge(good({ [name]: 'x' })), ['fatal foreign-option'], name)
    t.strictSame(judge(good({ cookie: { [name]: 'x' } })), ['fatal foreign-option'], `cookie.${name}`)
  }
})

t.test('a wrong type is refused, and nothing is coerced', async (t) => {
  const wrong: object[] = [
    { environment: 5 },
    { secret: Buffer.alloc(32, 'x') },
    { secret: 5 },
    { secret: { sign: Date.now } },
    { secret: [SECRET, 5] },
    { cookie: 'x' },
    { cookie: null },
    { cookie: [] },
    { cookie: new Map() },
    { cookie: Promise.resolve({}) },
    { cookie: { secure: 'true' } },
    { cookie: { secure: 'false' } },
    { cookie: { secure: 1 } },
    { cookie: { secure: 'Auto' } },
    { cookie: { httpOnly: 'false' } },
    { cookie: { partitioned: 'yes' } },
    { cookie: { domain: null } },
    { cookie: { domain: false } },
    { cookie: { path: 5 } },
    { cookie: { name: 5 } },
    { cookie: { priority: 'High' } },
    { store: 'redis' },
    { store: null },
    { store: Map },
    { assurance: 'AAL2' },
    { idleTimeout: '-5m' },
    { idleTimeout: '0s' },
    { idleTimeout: -5 },
    { idleTimeout: Number.NaN },
    { idleTimeout: Infinity },
    { idleTimeout: true },
    { idleTimeout: '99999999999999999d' },
    { storeTimeout: '25d' },
    { sweepInterval: '30d' },
    { maxSessions: 0 },
    { maxSessions: -1 },
    { maxSessions: 1.5 },
    { maxSessions: '5' },
    { maxSessions: {} },
    { maxSessions: { limit: 0 } },
    { maxSessions: { limit: 1, onLimit: 'kick' } },
    { maxRecordSize: 0 },
    { maxRecordSize: Infinity },
    { loadUser: 'x', authHash: () => 'x' },
    { loadUser: async () => null, authHash: {} },
    { crossOriginProtection: 'false' },
    { trustedOrigins: 'https://partner.example' },
    { trustedOrigins: ['partner.example'] },
    { trustedOrigins: ['https://partner.example/'] },
    { trustedOrigins: ['*'] },
    { trustedOrigins: ['null'] },
    { trustedOrigins: [5] },
    { trustedOrigins: ['ftp://partner.example'] },
    { trustedOrigins: ['file://'] },
    { trustedOrigins: ['wss://partner.example'] },
    { trustedOrigins: ['data:text/html,x'] },
    { trustedOrigins: ['capacitor://localhost/'] },
    { trustedOrigins: ['capacitor://*'] },
    { trustedOrigins: ['chrome-extension://'] },
    { trustedOrigins: [{ origin: 'null' }] },
    { trustedOrigins: [{ origin: 'null', reason: ' ' }] },
    { trustedOrigins: [{ origin: 'file://' }] },
    { trustedOrigins: [{ origin: 'file:///home', reason: 'x' }] },
    { trustedOrigins: ['capacitor://LOCALHOST'] },
    { trustedOrigins: ['chrome-extension://ABC'] },
    { trustedOrigins: [{ origin: 'partner.example', reason: 'x' }] },
    { trustedOrigins: [{ reason: 'x' }] },
    { trustedOrigins: {} },
    { trustedOrigins: [`https://${'x'.repeat(2000)}.example`] },
    { tls: true },
    { tls: 'https' },
    { clearSiteData: 1 },
    { decorators: [] },
    { decorators: { login: '' } },
    { silence: {} },
    { silence: ['domain-wide'] },
    { silence: [{ rule: 5, reason: 'x' }] },
    { clock: 5 },
  ]
  for (const options of wrong) t.strictSame(judge(good(options)), ['fatal option-type'], JSON.stringify(options))
})

t.test('each wrong element of a list is named', async (t) => {
  const findings = checkConfig(good({ secret: [SECRET, 5, SECRET + 1, true] }), 'production')
  t.strictSame(
    findings.map(({ at }) => at[0]?.path),
    ['secret[1]', 'secret[3]'],
  )
})

t.test('a value that is no object of options is one finding', async (t) => {
  for (const options of [null, 'x', 5, true, [], () => ({}), Promise.resolve({}), new Map(), Symbol('x'), 10n]) {
    t.strictSame(judge(options), ['fatal option-type'])
  }
})

t.test('a duration without a unit offers its readings', async (t) => {
  const bare: [unknown, string][] = [
    [1800, "idleTimeout: '30m'"],
    ['1800', "idleTimeout: '30m'"],
    [1_800_000, "idleTimeout: '30m'"],
    [0, "idleTimeout: '1ms'"],
    [0.5, "idleTimeout: '500ms'"],
    ['30 minutes', "idleTimeout: '30m'"],
    ['30min', "idleTimeout: '30m'"],
    ['1h30m', "idleTimeout: '90m'"],
    ['1 hour', "idleTimeout: '1h'"],
    ['1w', "idleTimeout: '12h'"],
    ['1 day', "idleTimeout: '12h'"],
    ['0.5 day', "idleTimeout: '12h'"],
    ['1.5h', "idleTimeout: '90m'"],
    ['20 secs', "idleTimeout: '20s'"],
    ['500 millis', "idleTimeout: '500ms'"],
    ['2 days', "idleTimeout: '12h'"],
    ['5 fortnights', "idleTimeout: '30m'"],
    ['soon', "idleTimeout: '30m'"],
    ['', "idleTimeout: '30m'"],
  ]
  for (const [value, snippet] of bare) {
    const options = good({ idleTimeout: value })
    t.strictSame(judge(options), ['fatal duration-unit'], String(value))
    t.equal(checkConfig(options, 'production')[0]?.fix.snippet, snippet, String(value))
  }
})

t.test('a lifetime may be a function of the user, and another duration may not', async (t) => {
  for (const name of ['idleTimeout', 'absoluteTimeout', 'rememberTimeout']) {
    t.strictSame(judge(good({ [name]: () => '1h' })), [])
  }
  for (const name of ['renewalTimeout', 'storeTimeout', 'authCheckInterval']) {
    t.strictSame(judge(good({ [name]: () => '1h' })), ['fatal option-type'])
  }
})

t.test('zero needs no unit where it switches something off', async (t) => {
  t.strictSame(judge(good({ renewalTimeout: 0 })), ['warning renewal-off'])
  t.strictSame(judge(good({ sweepInterval: 0 })), [])
})

t.test('sameSite is one of three lower-case words', async (t) => {
  const wrong: [unknown, string][] = [
    [true, 'strict'],
    [false, 'lax'],
    ['Lax', 'lax'],
    ['STRICT', 'strict'],
    ['None', 'none'],
    [' none ', 'none'],
    ['', 'lax'],
    ['no_restriction', 'none'],
    ['unspecified', 'lax'],
    [null, 'lax'],
    [0, 'lax'],
    [{}, 'lax'],
  ]
  for (const [sameSite, word] of wrong) {
    const options = good({ cookie: { sameSite } })
    t.strictSame(judge(options), ['fatal samesite-invalid'], String(sameSite))
    t.equal(checkConfig(options, 'production')[0]?.suggestion, word, String(sameSite))
  }
})

t.test('an attribute of the wrong shape breaks one rule, and silences those that build on it', async (t) => {
  t.strictSame(judge(good({ cookie: { sameSite: 'None', secure: true, partitioned: true } })), [
    'fatal samesite-invalid',
  ])
  t.strictSame(judge(good({ cookie: { sameSite: 'none', secure: 'yes' } })), ['fatal option-type'])
  t.strictSame(judge(good({ cookie: { name: '__Host-x', domain: 5 } })), ['fatal option-type'])
  t.strictSame(judge(good({ idleTimeout: 5, absoluteTimeout: '1m' })), ['fatal duration-unit'])
  t.strictSame(judge(good({ store: 'redis' })), ['fatal option-type'])
  t.strictSame(judge(good({ maxSessions: 'many' })), ['fatal option-type'])
  t.strictSame(judge(good({ cookie: { name: 5, secure: false } })), ['fatal option-type', 'fatal secure-required'])
})

t.test('authHash and userMaxAge do nothing without loadUser, and are refused alone', async (t) => {
  t.strictSame(judge(good({ loadUser: async () => null })), [])
  for (const options of [{ userMaxAge: '5m' }, { authHash: () => 'x' }]) {
    const [finding] = checkConfig(good(options), 'development')
    t.match(finding, {
      rule: 'session/option-type',
      severity: 'fatal',
      fix: { text: /Give loadUser a function, which authHash and userMaxAge need; it is missing/ },
    })
  }
})

t.test('an origin with a wildcard would match nothing, and is refused', async (t) => {
  for (const origin of ['https://*.example', 'https://*', '*']) {
    t.strictSame(judge(good({ trustedOrigins: [origin] })), ['fatal option-type'], origin)
  }
})

t.test('origins of app shells, an origin with a reason, and a function are taken', async (t) => {
  const right: unknown[] = [
    ...[
      'capacitor://localhost',
      'ionic://localhost',
      'tauri://localhost',
      'app://.',
      'app://',
      'exp://192.168.1.5:8081',
    ],
    ...['chrome-extension://abcdefghijklmnopabcdefghijklmnop', 'moz-extension://8a9f3c1e-0b7d-4a51-9a61-000000000000'],
    ...['https://b\u00fccher.example', 'https://app.example:443', 'https://App.Example'].map(
      (url) => new URL(url).origin,
    ),
    { origin: 'null', reason: 'the reports page posts from a sandboxed frame' },
    'safari-web-extension://140BB581-A2C0-422A-9DD3-6982A5ABEE5E',
    { origin: 'file://', reason: 'the desktop app loads its page from its own folder' },
    { origin: 'https://app.example', reason: 'our front end' },
  ]
  t.strictSame(judge(good({ trustedOrigins: right })), [])
  t.strictSame(judge(good({ trustedOrigins: () => true })), [])
})

t.test('a misspelt member of an origin with a reason is told like any other', async (t) => {
  t.match(checkConfig(good({ trustedOrigins: [{ origin: 'null', resaon: 'x' }] }), 'production'), [
    { rule: 'session/unknown-option', at: [{ path: 'trustedOrigins[0].resaon' }] },
    {
      rule: 'session/option-type',
      at: [{ path: 'trustedOrigins[0].reason' }],
      message: /must be a reason that a reviewer/,
    },
  ])
})

t.test("an origin that is nearly right comes back as the user's own in the fix", async (t) => {
  const meant: [given: unknown, snippet: string][] = [
    ['https://shop.example.com/', "'https://shop.example.com'"],
    ['https://shop.example.com/login?x=1#y', "'https://shop.example.com'"],
    ['HTTPS://Shop.Example.com', "'https://shop.example.com'"],
    ['https://shop.example.com:443', "'https://shop.example.com'"],
    ['https://ann:hunter2@shop.example.com', "'https://shop.example.com'"],
    ['shop.example.com', "'https://shop.example.com'"],
    ['shop.example.com:8443/', "'https://shop.example.com:8443'"],
    ['Capacitor://localhost/', "'capacitor://localhost'"],
    ['null', "{ origin: 'null', reason: '\u2026' }"],
    ['file://', "{ origin: 'file://', reason: '\u2026' }"],
    [{ origin: 'file://' }, "{ origin: 'file://', reason: '\u2026' }"],
    ['Safari-Web-Extension://140BB581/', "'safari-web-extension://140BB581'"],
  ]
  for (const given of ['https://*.example.com', 'ftp://shop.example.com', 'hunter2hunter2', 5]) {
    const [finding] = checkConfig(good({ trustedOrigins: [given] }), 'production')
    t.match(finding?.fix, { snippet: undefined, patch: [{ op: 'remove', pointer: '/trustedOrigins' }] }, String(given))
  }
  for (const [given, snippet] of meant) {
    const [finding] = checkConfig(good({ trustedOrigins: [given] }), 'production')
    t.equal(finding?.fix.snippet, `trustedOrigins: [${snippet}]`, String(given))
    t.notMatch(finding?.fix.snippet, 'hunter2')
  }
  const [finding] = checkConfig(good({ trustedOrigins: 'https://shop.example.com/' }), 'production')
  t.equal(finding?.fix.snippet, "trustedOrigins: ['https://shop.example.com']")
})

t.test('two decorators of one name are refused here, where they can be told apart', async (t) => {
  const clashing: [object, ...string[]][] = [
    [{ login: 'enter', logout: 'enter' }, 'decorators.login', 'decorators.logout'],
    [{ login: 'logout' }, 'decorators.login'],
    [{ user: 'session' }, 'decorators.user'],
    [{ sessions: 'requireLogin' }, 'decorators.sessions'],
  ]
  for (const [decorators, ...places] of clashing) {
    const findings = checkConfig(good({ decorators }), 'production')
    t.strictSame(
      findings.map(({ rule, at }) => [rule, at[0]?.path]),
      places.map((place) => ['session/option-type', place]),
    )
    t.match(findings[0]?.fix.text, 'a name that no other decorator has')
  }
  const apart = [{ user: 'sessions' }, { login: 'logout', logout: 'leave' }, { user: undefined }]
  for (const decorators of apart) t.strictSame(judge(good({ decorators })), [], JSON.stringify(decorators))
  t.strictSame(judge(good({ decorators: { login: '', logout: '' } })), ['fatal option-type', 'fatal option-type'])
})

t.test('only a text is told to be parsed', async (t) => {
  const text = (options: object): string | undefined => checkConfig(good(options), 'production')[0]?.fix.text
  t.match(text({ maxSessions: '5' }), 'parse environment variables first')
  t.notMatch(text({ maxSessions: 0 }), 'parse')
  t.notMatch(text({ cookie: { domain: null } }), 'parse')
})

t.test('a duration in words is told how it is written, and a bare number that it has two readings', async (t) => {
  const finding = (idleTimeout: unknown): { message: string; fix: { text: string } } | undefined =>
    checkConfig(good({ idleTimeout }), 'production')[0]
  t.match(finding('10 minutes'), {
    message: /not written as a duration: "10 minutes"/,
    fix: { text: "Write it as '10m'." },
  })
  t.match(finding('1 day')?.fix.text, /Write it as '1d'\..*12h at most/)
  t.match(finding(600), {
    message: /needs a unit: 600/,
    fix: { text: /Seconds\? Then '10m'\. Milliseconds\? Then '600ms'/ },
  })
})

t.test('a clock returns milliseconds since 1970', async (t) => {
  const wrong = [
    () => Number.NaN,
    () => Date.now() / 1000,
    () => new Date(),
    () => BigInt(5),
    async () => Date.now(),
    () => Number.POSITIVE_INFINITY,
    () => 9e15,
    (): never => {
      throw new Error('no time')
    },
  ]
  for (const clock of wrong) t.strictSame(judge(good({ clock })), ['fatal option-type'], String(clock))
  const units: [() => unknown, RegExp][] = [
    [() => performance.now() + 0.5 - (performance.now() % 1), /^clock counts from the start of the process/],
    [() => process.uptime() + 0.25, /^clock counts from the start of the process/],
    [() => Date.now() * 1000, /^clock returns microseconds;/],
    [() => Date.now() * 1e6, /^clock returns nanoseconds;/],
    [() => Math.floor(Date.now() / 1000), /^clock returns seconds;/],
    [() => process.hrtime.bigint(), /^clock returns a bigint/],
    [() => new Date(), /^clock returns a Date: call getTime\(\);/],
    [() => '5', /^clock returns no number;/],
    [() => Number.NaN, /^clock returns no finite number;/],
    [wrong.at(-1) as () => unknown, /^clock throws;/],
  ]
  for (const [clock, message] of units) {
    t.match(checkConfig(good({ clock }), 'production'), [{ rule: 'session/option-type', message }], String(clock))
  }
  t.match(checkConfig(good({ clock: 5 }), 'production')[0]?.message, /^clock must be a function/)
  for (const clock of [Date.now, () => 0, () => 5_000_000, () => performance.timeOrigin]) {
    t.strictSame(judge(good({ clock })), [], String(clock))
  }
})

t.test('a header that browsers set by themselves is refused for session ids', async (t) => {
  const byBrowsers = ['accept', 'accept-language', 'user-agent', 'referer', 'cookie', 'range', 'cache-control', 'dnt']
  const ofConnections = ['connection', 'keep-alive', 'transfer-encoding', 'te', 'if-none-match', 'x-forwarded-for']
  for (const header of [...byBrowsers, ...ofConnections]) {
    t.strictSame(judge(good({ headerTransport: { header } })), ['fatal option-type'], header)
  }
  for (const header of ['authorization', 'x-session', 'session']) {
    t.strictSame(judge(good({ headerTransport: { header } })), [], header)
  }
})

t.test('a value below headerTransport is shown, and set right where only its case is wrong', async (t) => {
  const [named] = checkConfig(good({ headerTransport: { header: 'X-Session' } }), 'production')
  t.match(named, {
    at: [{ path: 'headerTransport.header', value: '"X-Session"' }],
    fix: { text: /it is "X-Session" now\.$/, snippet: "headerTransport: { header: 'x-session' }", confidence: 'safe' },
  })
  const [word] = checkConfig(good({ headerTransport: { scheme: 'Bearer ' } }), 'production')
  t.match(word, { at: [{ value: '"Bearer "' }], fix: { snippet: "headerTransport: { scheme: 'Bearer' }" } })
  const options = good({ headerTransport: { header: 'Cookie', scheme: 'a b' } })
  t.equal(checkConfig(options, 'production').length, 2)
  t.strictSame(options['headerTransport'], { header: 'Cookie', scheme: 'a b' })
})

t.test('an entry of trustedOrigins that is no plain object is one finding', async (t) => {
  for (const entry of [new URL('https://a.example'), /a\.example$/, new Map(), new Date(0)]) {
    const found = checkConfig(good({ trustedOrigins: ['https://b.example', entry] }), 'production')
    t.equal(found.length, 1, JSON.stringify(found.map(({ message }) => message)))
    t.match(found[0]?.message, /^trustedOrigins\[1\] must be an origin/)
    t.equal(found[0]?.fix.snippet, "trustedOrigins: ['https://b.example']")
  }
})

t.test('only a text in the place of another type is told to be parsed', async (t) => {
  const hint = /parse environment variables first/
  for (const options of [
    { maxSessions: 'many' },
    { crossOriginProtection: 'false' },
    { cookie: 'session' },
    { trustedOrigins: 'https://a.example' },
    { decorators: '{}' },
    { clearSiteData: 'maybe' },
  ]) {
    t.match(checkConfig(good(options), 'production')[0]?.fix.text, hint, JSON.stringify(options))
  }
  for (const options of [
    { assurance: 'AAL4' },
    { tls: 'https' },
    { cookie: { priority: 'urgent' } },
    { onCopiedSession: 'ignore' },
    { trustedOrigins: ['*'] },
    { namespace: 'Läden' },
    { headerTransport: { header: 'Cookie' } },
    { idleTimeout: '-5m' },
    { storeTimeout: '25d' },
    { maxSessions: { limit: 5, onLimit: 'kick' } },
  ]) {
    t.notMatch(checkConfig(good(options), 'production')[0]?.fix.text, hint, JSON.stringify(options))
  }
})

t.test('a duration that is out of range is told its range', async (t) => {
  for (const [options, range] of [
    [{ idleTimeout: '0s' }, 'longer than 0s'],
    [{ absoluteTimeout: '-5m' }, 'longer than 0s'],
    [{ storeTimeout: '25d' }, 'longer than 0s and at most 24d'],
    [{ sweepInterval: '40d' }, 'from 0s to 24d'],
    [{ renewalTimeout: '-1h' }, 'from 0s'],
    [{ absoluteTimeout: '999999999999d' }, 'longer than 0s and at most 104249991d'],
  ] as const) {
    t.match(checkConfig(good(options), 'production')[0]?.message, range, JSON.stringify(options))
  }
})
