import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { good, judge } from './configs.ts'

type Case = [cookie: object, ...findings: string[]]

function table(environment: string, cases: Case[]): void {
  for (const [cookie, ...findings] of cases) {
    t.strictSame(
      judge(good({ cookie }), environment),
      findings,
      `${environment} ${JSON.stringify(cookie).slice(0, 90)}`,
    )
  }
}

function suggestionFor(cookie: object): string | undefined {
  return checkConfig(good({ cookie }), 'production')[0]?.suggestion
}

t.test('Secure is asked for in production', async () => {
  table('production', [
    [{ secure: true }],
    [{ secure: false }, 'fatal secure-required'],
    [{ secure: 'auto' }, 'fatal secure-auto'],
    [{ httpOnly: false }, 'fatal httponly-disabled'],
    [{ secure: false, httpOnly: false }, 'fatal secure-required', 'fatal httponly-disabled'],
  ])
  table('development', [
    [{}],
    [{ secure: false }, 'info secure-required'],
    [{ secure: 'auto' }],
    [{ httpOnly: false }, 'warning httponly-disabled'],
  ])
})

t.test('SameSite=None and Partitioned need Secure, whatever the environment', async () => {
  for (const environment of ['production', 'development', 'test']) {
    table(environment, [
      [{ sameSite: 'none', secure: 'auto' }, 'fatal samesite-none-requires-secure'],
      [{ sameSite: 'none', secure: false }, 'fatal samesite-none-requires-secure'],
      [{ sameSite: 'none', secure: true }],
      [{ partitioned: true, secure: 'auto' }, 'fatal partitioned-requires-secure'],
      [{ partitioned: true, secure: true }, 'warning partitioned-without-none'],
      [{ partitioned: true, secure: true, sameSite: 'none' }],
      [
        { partitioned: true, secure: false, sameSite: 'none' },
        'fatal samesite-none-requires-secure',
        'fatal partitioned-requires-secure',
      ],
    ])
  }
  table('development', [[{ sameSite: 'none' }, 'fatal samesite-none-requires-secure']])
  table('production', [[{ sameSite: 'none' }]])
})

t.test('__Host- is kept to its promises, in any case', async () => {
  for (const environment of ['production', 'development']) {
    table(environment, [
      [{ name: '__Host-id', secure: true }],
      [{ name: '__Host-id', secure: 'auto' }, 'fatal prefix-host'],
      [{ name: '__Host-id', secure: false }, 'fatal prefix-host'],
      [{ name: '__host-id', secure: false }, 'fatal prefix-host', 'warning prefix-case'],
      [{ name: '__HOST-id', secure: true }, 'warning prefix-case'],
      [{ name: '__Host-id', secure: true, path: '/app' }, 'fatal prefix-host', 'warning path-narrow'],
    ])
  }
  table('production', [
    [{ name: '__Host-id', domain: 'example.com' }, 'fatal prefix-host', 'warning domain-wide'],
    [{ path: '/app' }, 'fatal prefix-host', 'warning path-narrow'],
    [{ name: '__Host-id', domain: 'https://example.com' }, 'fatal prefix-host', 'fatal domain-malformed'],
    [{ name: '__Host-id', path: 'app' }, 'fatal path-invalid'],
  ])
})

t.test('a name that is only a default breaks no promise by itself', async (t) => {
  table('production', [[{ secure: false }, 'fatal secure-required']])
  const silence = [{ rule: 'secure-required', reason: 'a lab without TLS' }]
  t.strictSame(
    judge(good({ cookie: { secure: false }, silence })),
    ['fatal prefix-host'],
    'once silenced, the browser would still drop it',
  )
  const auto = [{ rule: 'secure-auto', reason: 'a lab without TLS' }]
  t.strictSame(judge(good({ cookie: { secure: 'auto' }, silence: auto })), ['fatal prefix-host'])
  t.strictSame(judge(good({ cookie: { secure: 'auto', name: 'id' }, silence: auto })), ['warning prefix-missing'])
})

t.test('the other cookie prefixes are held to their promises', async () => {
  table('production', [
    [{ name: '__Secure-id', secure: false }, 'fatal prefix-secure', 'warning prefix-missing'],
    [{ name: '__Secure-id', secure: 'auto' }, 'fatal prefix-secure', 'warning prefix-missing'],
    [{ name: '__secure-id', secure: 'auto' }, 'fatal prefix-secure', 'warning prefix-case', 'warning prefix-missing'],
    [{ name: '__Http-id', httpOnly: false }, 'fatal prefix-http', 'warning prefix-missing'],
    [{ name: '__Http-id', secure: 'auto' }, 'fatal prefix-http', 'warning prefix-missing'],
    [{ name: '__Host-Http-id' }],
    [{ name: '__Host-Http-id', httpOnly: false }, 'fatal prefix-http'],
    [{ name: '__Host-Http-id', path: '/x' }, 'fatal prefix-http', 'warning path-narrow'],
    [{ name: '__Host-Http-id', domain: 'example.com' }, 'fatal prefix-http', 'warning domain-wide'],
    [{ name: '__HostHttp-id' }, 'warning prefix-case'],
    [{ name: '__hosthttp-id' }, 'warning prefix-case'],
    [{ name: '__host-http-id' }, 'warning prefix-case'],
  ])
})

t.test('a name without the best prefix it could have is a warning in production', async () => {
  table('production', [
    [{ name: 'id' }, 'warning prefix-missing'],
    [{ name: 'Host-id' }, 'warning prefix-missing'],
    [{ name: '__Secure-id' }, 'warning prefix-missing'],
    [{ name: '__Http-id' }, 'warning prefix-missing'],
    [{ name: '__Secure-id', domain: 'example.com' }, 'warning domain-wide'],
    [{ name: '__Secure-id', path: '/app' }, 'warning path-narrow'],
    [{ name: 'id', domain: 'example.com' }, 'warning prefix-missing', 'warning domain-wide'],
    [{ domain: 'example.com' }, 'warning domain-wide'],
  ])
  table('development', [[{ name: 'id' }]])
})

t.test('a name is a token of RFC 9110', async () => {
  for (const name of ['', ' ', 'my session', 'a;b', 'a=b', 'a,b', '"id"', 'séance', 'a\nb', 'koa:sess', 'a\u0000b']) {
    table('development', [[{ name }, 'fatal cookie-name-invalid']])
  }
  table('development', [[{ name: "!#$%&'*+-.^_`|~09azAZ" }]])
})

t.test('a name that belongs to a framework is a note', async () => {
  for (const name of [
    'connect.sid',
    'sessionId',
    'PHPSESSID',
    'JSESSIONID',
    'koa.sess',
    'ASP.NET_SessionId',
    'laravel_session',
    '_app_session',
  ]) {
    table('production', [[{ name: `__Host-${name}` }, 'info cookie-name-fingerprint']])
    table('development', [[{ name }]])
  }
})

t.test('a cookie that browsers would cut or drop for its size is refused', async () => {
  table('production', [
    [{ name: `__Host-${'x'.repeat(3893)}` }],
    [{ name: `__Host-${'x'.repeat(3894)}` }, 'fatal cookie-too-big'],
    [{ path: `/${'x'.repeat(1024)}` }, 'fatal cookie-too-big'],
    [{ domain: `${'x'.repeat(60)}.`.repeat(20) + 'example.com' }, 'fatal cookie-too-big'],
  ])
})

t.test('a domain is a bare host name', async (t) => {
  const malformed: [string, string | undefined][] = [
    ['https://example.com', 'example.com'],
    ['https://x', undefined],
    ['http://user:pw@example.com:8080/path?q#f', 'example.com'],
    ['example.com:8080', 'example.com'],
    ['example.com/app', 'example.com'],
    ['*.example.com', 'example.com'],
    ['*', undefined],
    ['', undefined],
    [' ', undefined],
    [' example.com', 'example.com'],
    ['münchen.de', 'xn--mnchen-3ya.de'],
    ['example.com.', 'example.com'],
    ['..example.com', 'example.com'],
    ['a..example.com', undefined],
    ['.', undefined],
    ['1.2.3.256', undefined],
    ['xn--ü.example.com', undefined],
    ['a_b.example.com', undefined],
    ['-a.example.com', undefined],
    ['example.com;Secure', undefined],
    ['exam\u0000ple.com', undefined],
    [`${'a'.repeat(64)}.example.com`, undefined],
    [`${'a.'.repeat(150)}example.com`, undefined],
  ]
  for (const [domain, host] of malformed) {
    for (const environment of ['production', 'development']) {
      table(environment, [[{ domain }, 'fatal domain-malformed']])
    }
    t.equal(suggestionFor({ domain }), host, JSON.stringify(domain))
  }
})

t.test('an address or a single label is no domain to share a cookie below', async (t) => {
  for (const domain of [
    'localhost',
    'LOCALHOST',
    'intranet',
    '127.0.0.1',
    '192.168.1.1',
    '127.1',
    '2130706433',
    '0x7f000001',
    '.localhost',
  ]) {
    table('production', [[{ domain }, 'fatal domain-local']])
    table('development', [[{ domain }, 'warning domain-local']])
  }
  for (const domain of ['[::1]', '::1', '2001:db8::1']) {
    table('development', [[{ domain }, 'fatal domain-local']])
    t.equal(
      checkConfig(good({ cookie: { domain } }), 'production')[0]?.silenceable,
      false,
      'it cannot even be written into a header',
    )
  }
})

t.test('a public suffix is refused, private ones and top-level domains too', async () => {
  for (const domain of [
    'github.io',
    'co.uk',
    'vercel.app',
    'herokuapp.com',
    'com',
    '.github.io',
    'GitHub.io',
    's3.amazonaws.com',
    'xn--p1ai',
  ]) {
    table('development', [[{ domain }, 'fatal domain-public-suffix']])
  }
  table('development', [[{ domain: 'me.github.io' }], [{ domain: 'example.co.uk' }]])
})

t.test('any other domain is wide', async () => {
  for (const domain of [
    'example.com',
    '.example.com',
    'a.b.example.com',
    'Example.COM',
    'me.github.io',
    'app.internal',
    'xn--mnchen-3ya.de',
  ]) {
    table('production', [[{ domain }, 'warning domain-wide']])
    table('development', [[{ domain }]])
  }
})

t.test('a path starts with a slash and holds no separator', async () => {
  for (const path of ['', 'app', ' /', '/a;b', '/a\nb', '/\u0000', '/é', '/a<b', '\\', '*']) {
    table('development', [[{ path }, 'fatal path-invalid']])
  }
  for (const path of ['/app', '/a b', '//']) table('development', [[{ path }, 'warning path-narrow']])
})
