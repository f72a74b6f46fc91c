import type { RequestListener } from 'node:http'
import t from 'tap'
import { isIdByName, isSelfContained, isSessionCookie } from '../../lib/scan/session-cookies.ts'
import type { LoginPlan } from '../../lib/scan/login.ts'
import { scanDeployment } from '../../lib/scan/scan.ts'
import type { ScanPlan } from '../../lib/scan/scan.ts'
import { parseSetCookie } from '../../lib/scan/set-cookie.ts'
import type { SetCookie } from '../../lib/scan/set-cookie.ts'
import { named } from '../guard/configs.ts'
import { CERTIFICATE, fresh, ID, page, read, redirect, serve, serveTls } from './deployments.ts'

const COOKIE = `__Host-session=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax`

const HSTS = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }

async function judge(url: URL, plan: Partial<ScanPlan> = {}): Promise<string[]> {
  const { findings } = await scanDeployment({
    url,
    pages: [],
    httpUrl: new URL('http://127.0.0.1:1/'),
    login: undefined,
    environment: undefined,
    timeout: 20_000,
    ca: CERTIFICATE,
    clock: Date.now,
    ...plan,
  })
  return named(findings)
}

async function notesOf(url: URL, login: LoginPlan): Promise<string[]> {
  const bounds = { environment: undefined, timeout: 20_000, ca: undefined, clock: Date.now }
  return (await scanDeployment({ url, pages: [], httpUrl: undefined, login, ...bounds })).notes
}

t.test('an answer with a session cookie that shared caches may keep is found', async (t) => {
  for (const header of [
    'public',
    'max-age=60',
    'public, max-age="60"',
    'max-age=0, s-maxage=9',
    'immutable, max-age=1',
  ]) {
    const url = await serveTls(t, page({ 'set-cookie': COOKIE, 'cache-control': header, ...HSTS }))
    t.strictSame(await judge(url), ['fatal session-cacheable'], header)
  }
})

t.test(
  'an answer with a session cookie that shared caches may not keep, or must ask about, is not found',
  async (t) => {
    const headers = [
      'no-store',
      'public, no-store, max-age=60',
      'public, no-cache, max-age=60',
      'private, max-age=60',
      'no-cache',
      'public, max-age=0',
      'max-age=60, s-maxage=0',
      'max-age=x',
    ]
    for (const header of headers) {
      const url = await serveTls(t, page({ 'set-cookie': COOKIE, 'cache-control': header, ...HSTS }))
      t.strictSame(await judge(url), [], header)
    }
    const none = await serveTls(t, page({ 'set-cookie': COOKIE, ...HSTS }))
    t.strictSame(await judge(none), [])
    const failed = await serveTls(t, (_request, response) => {
      const publicly = { 'set-cookie': fresh(COOKIE), 'cache-control': 'public, max-age=60', ...HSTS }
      response.writeHead(404, publicly).end()
    })
    t.strictSame(await judge(failed), [], 'an error that is not shown to others as a page')
    const asset = await serveTls(t, page({ 'cache-control': 'public, max-age=60', ...HSTS }))
    t.strictSame(await judge(asset), [])
  },
)

t.test('a session id in a link, in a form or in the address of a page is found', async (t) => {
  const bodies = [
    '<a href="/account;jsessionid=0123456789ABCDEF0123">',
    "<form action='/in?PHPSESSID=0123456789abcdef0123'>",
    '<img src=/a.png?x=1&sid=0123456789abcdef0123>',
  ]
  for (const body of bodies) {
    t.strictSame(
      await judge(await serveTls(t, page({ 'set-cookie': COOKIE, ...HSTS }, body))),
      ['fatal session-id-in-url'],
      body,
    )
  }
  const own = await serveTls(t, (_request, response) => {
    const cookie = fresh(COOKIE)
    const id = cookie.slice('__Host-session='.length, cookie.indexOf(';'))
    response.writeHead(200, { 'set-cookie': cookie, ...HSTS }).end(`<a href="/s/${id}/">`)
  })
  t.strictSame(await judge(own), ['fatal session-id-in-url'])
  const moving: RequestListener = (request, response) => {
    if (request.url === '/') redirect(response, '/in?PHPSESSID=0123456789abcdef0123', HSTS)
    else page({ 'set-cookie': COOKIE, ...HSTS })(request, response)
  }
  t.strictSame(await judge(await serveTls(t, moving)), ['fatal session-id-in-url'])
})

t.test('places of ids are named without the ids, and short values stand in addresses by chance', async (t) => {
  const url = await serveTls(t, (request, response) => {
    const cookie = fresh(COOKIE)
    const id = cookie.slice('__Host-session='.length, cookie.indexOf(';'))
    if (request.url === '/') redirect(response, `/s/${id};jsessionid=${id}/x`, { 'set-cookie': cookie, ...HSTS })
    else response.writeHead(200, HSTS).end()
  })
  const bounds = { environment: undefined, timeout: 20_000, ca: CERTIFICATE, clock: Date.now }
  const httpUrl = new URL('http://127.0.0.1:1/')
  const { findings } = await scanDeployment({ url, pages: [], httpUrl, login: undefined, ...bounds })
  const [finding] = findings.filter(({ rule }) => rule === 'session/session-id-in-url')
  t.strictSame(
    finding?.at.map(({ path }) => path),
    ['the address of /s/…'],
  )
  const short = await serveTls(
    t,
    page({ 'set-cookie': '__Host-sid=abc; Path=/; Secure; HttpOnly; SameSite=Lax', ...HSTS }, '<a href="/abc/">'),
  )
  t.notOk((await judge(short)).includes('fatal session-id-in-url'))
})

t.test('the id of a user in a link is found, whatever the name of its cookie', async (t) => {
  const live = new Map<string, string>()
  const url = await serveTls(t, (request, response) => {
    void read(request).then(({ path, form, cookie }) => {
      const [, value = ''] = /(?:^|; )t=([^;]*)/.exec(cookie) ?? []
      if (path === '/login' && request.method === 'POST') {
        const id = fresh(ID)
        live.set(id, form.get('user') ?? '')
        // One letter later the cookie is another one, and the id in the link is that of the login.
        return redirect(response, '/', { 'set-cookie': `t=${id}; Path=/; Secure; HttpOnly; SameSite=Lax` })
      }
      if (path === '/login') return response.end(FORM)
      const user = live.get(value)
      return response
        .writeHead(200, HSTS)
        .end(user === undefined ? 'hello stranger' : `hello ${user} <a href="/x?t=${value}">`)
    })
  })
  t.ok((await judgeLogin(url)).includes('fatal session-id-in-url'))
})

t.test('an address with an ordinary parameter, or very many of them, holds no session id', async (t) => {
  const body = `<a href="/?sid=7&side=left"> ${'<a href=/x>'.repeat(2000)} <a href="/?sid=0123456789abcdef0123">`
  t.strictSame(await judge(await serveTls(t, page({ 'set-cookie': COOKIE, ...HSTS }, body))), [])
})

t.test('ids that can be guessed are found', async (t) => {
  let count = 1000
  const values: Record<string, () => string> = {
    'the ids are counted': () => `user${(count += 1)}x`,
    'different visitors got the same id': () => 'q3Jm0s8vYw2rT5uXzA7cE9gKdNf',
    'the id has room for 26 random bits': () => String(10_000_000 + Math.floor(Math.random() * 80_000_000)),
    'the id has room for 40 random bits': () => fresh(ID).slice(0, 10),
    'the id has room for 31 random bits': () => `${fresh(ID).slice(0, 5)}z`,
    'the id has room for 36 random bits': () => `s%3A${fresh(ID).slice(0, 5)}Z`,
  }
  for (const [why, value] of Object.entries(values)) {
    const url = await serveTls(t, (_request, response) => {
      response
        .writeHead(200, { 'set-cookie': `__Host-sid=${value()}; Path=/; Secure; HttpOnly; SameSite=Lax`, ...HSTS })
        .end()
    })
    const { findings } = await scanDeployment({
      url,
      pages: [],
      httpUrl: new URL('http://127.0.0.1:1/'),
      login: undefined,
      environment: undefined,
      timeout: 20_000,
      ca: CERTIFICATE,
      clock: Date.now,
    })
    t.match(findings, [{ rule: 'session/session-id-weak', message: `session ids can be guessed: ${why}` }], why)
    t.equal(findings.length, 1, why)
  }
})

t.test('values that say nothing about an id, and sessions that stand in the cookie, are not called weak', async (t) => {
  const json = Buffer.from('{"views":1}').toString('base64')
  for (const pair of [
    'session_timeout=1800',
    'has_session=1',
    `koa.sess=${json}`,
    'session=eyJhIjoxfQ.aaaa.bbbbbbbb',
  ]) {
    const url = await serveTls(t, page({ 'set-cookie': `${pair}; Path=/; Secure; HttpOnly; SameSite=Lax`, ...HSTS }))
    t.notOk((await judge(url)).includes('fatal session-id-weak'), pair)
  }
})

t.test('HSTS for less than a year, or without subdomains, is weak', async (t) => {
  for (const [value, weak] of [
    ['max-age=31535999; includeSubDomains', true],
    ['max-age=31536000', true],
    ['max-age="63072000" ; IncludeSubDomains; preload', false],
  ] as const) {
    const url = await serveTls(t, page({ 'set-cookie': COOKIE, 'strict-transport-security': value }))
    t.strictSame(await judge(url), weak ? ['info hsts-weak'] : [], value)
  }
})

t.test('a password that is asked for over plain http is found, except on this machine', async (t) => {
  const form = '<form method=post action="/in"><input type=password></form>'
  const url = await serve(t, page({}, form))
  t.strictSame(await judge(url), [])
  // Another address of this machine, that does not look like one.
  url.hostname = '0.0.0.0'
  t.ok((await judge(url)).includes('fatal login-over-http'))
  const at = (path: string): URL => new URL(path, url)
  const login = { page: at('/login'), user: 'anna', password: 'right', check: at('/'), logout: undefined }
  const quiet = await serve(t, (request, response) => {
    response.end(request.url === '/login' ? form : 'hello')
  })
  quiet.hostname = '0.0.0.0'
  const plan = { ...login, page: new URL('/login', quiet), check: quiet }
  t.ok((await judge(quiet, { login: plan })).includes('fatal login-over-http'))
})

t.test(
  'a session cookie that one response sets twice is found, and one that is cleared beside it, or another cookie, is not',
  async (t) => {
    const clearing = '__Host-session=; Path=/; Secure; Max-Age=0'
    const twice = await serveTls(t, page({ 'set-cookie': [COOKIE, COOKIE], ...HSTS }))
    t.strictSame(await judge(twice), ['warning cookie-set-twice'])
    t.strictSame(await judge(await serveTls(t, page({ 'set-cookie': [clearing, COOKIE], ...HSTS }))), [])
    const other = ['lang=en', 'lang=de', COOKIE]
    t.strictSame(await judge(await serveTls(t, page({ 'set-cookie': other, ...HSTS }))), [])
  },
)

t.test('a page that any site may frame is found where the session goes along', async (t) => {
  const cookie = COOKIE.replace('Lax', 'None')
  t.strictSame(await judge(await serveTls(t, page({ 'set-cookie': cookie, ...HSTS }))), ['warning embeddable'])
  for (const header of [
    { 'content-security-policy': "default-src 'self'; frame-ancestors 'self'" },
    { 'x-frame-options': 'DENY' },
    { 'content-type': 'application/json' },
  ]) {
    t.strictSame(await judge(await serveTls(t, page({ 'set-cookie': cookie, ...HSTS, ...header }))), [])
  }
  const xhtml = { 'set-cookie': cookie, ...HSTS, 'content-type': 'application/xhtml+xml' }
  t.strictSame(await judge(await serveTls(t, page(xhtml))), ['warning embeddable'])
  const failed = await serveTls(t, (_request, response) => {
    response.writeHead(404, { 'set-cookie': fresh(cookie), 'content-type': 'text/html', ...HSTS }).end('nothing here')
  })
  t.strictSame(await judge(failed), [], 'an error shows nothing worth a click')
})

const FORM = '<form method=post action=/login><input name=user><input type=password></form>'

/** Returns an app whose login sets a cookie of this value, and whose pages show the user behind it. */
function app(valueOf: (user: string) => string, headers: Record<string, string> = {}): RequestListener {
  const live = new Map<string, string>()
  return (request, response) => {
    void read(request).then(({ path, form, cookie }) => {
      const [, value = ''] = /(?:^|; )t=([^;]*)/.exec(cookie) ?? []
      if (path === '/login' && request.method === 'POST') {
        const given = valueOf(form.get('user') ?? '')
        live.set(given, form.get('user') ?? '')
        return redirect(response, '/', { 'set-cookie': `t=${given}; Path=/; Secure; HttpOnly; SameSite=Lax` })
      }
      if (path === '/login') return response.end(FORM)
      return response.writeHead(200, { ...HSTS, ...headers }).end(`hello ${live.get(value) ?? 'stranger'}`)
    })
  }
}

async function judgeLogin(url: URL): Promise<string[]> {
  const login = { page: new URL('/login', url), user: 'anna', password: 'right', check: url, logout: undefined }
  return judge(url, { login })
}

t.test(
  'a login that is answered with an error is refused with the status, and with a doubt where it may be a check',
  async (t) => {
    for (const [status, message] of [
      [401, 'status 401. Are SCAN_USER and SCAN_PASSWORD right?'],
      [
        419,
        'status 419. Are SCAN_USER and SCAN_PASSWORD right? Or does the app check something that a browser would send?',
      ],
    ] as const) {
      const url = await serve(t, (request, response) => {
        response.writeHead(request.method === 'POST' ? status : 200).end(FORM)
      })
      const login = { page: new URL('/login', url), user: 'anna', password: 'right', check: url, logout: undefined }
      t.match(await notesOf(url, login), [`the login was refused: it was answered with ${message}`, /no session/])
    }
  },
)

t.test('an error that follows a login which worked is refused all the same', async (t) => {
  let isIn = false
  const url = await serve(t, (request, response) => {
    if (request.method === 'POST') isIn = true
    const isUser = isIn && request.headers.cookie !== undefined
    response.writeHead(request.method === 'POST' ? 500 : 200, { 'set-cookie': 't=1' })
    response.end(isUser ? 'hello anna' : FORM)
  })
  const login = { page: new URL('/login', url), user: 'anna', password: 'right', check: url, logout: undefined }
  t.match(await notesOf(url, login), [/answered with status 500/, /no session/])
})

t.test('a page of a user that still has a form with a password is a login', async (t) => {
  const url = await serve(t, (request, response) => {
    const isUser = request.headers.cookie !== undefined
    if (request.method === 'POST') redirect(response, '/', { 'set-cookie': `t=${fresh(ID)}` })
    else response.end(isUser ? `hello anna ${FORM}` : FORM)
  })
  const login = { page: new URL('/login', url), user: 'anna', password: 'right', check: url, logout: undefined }
  t.strictSame(await notesOf(url, login), [])
})

t.test('a cookie that is the name of the user is found, whatever its own name', async (t) => {
  for (const value of [
    (user: string) => user,
    (user: string) => Buffer.from(user).toString('base64'),
    (user: string) => Buffer.from(`user=${user}`).toString('hex'),
  ]) {
    t.strictSame(await judgeLogin(await serveTls(t, app(value))), ['fatal session-id-weak', 'warning prefix-missing'])
  }
})

t.test('ids of visitors are judged under any name, where the cookie carries the login', async (t) => {
  let count = 1000
  const live = new Map<string, string>()
  const url = await serveTls(t, (request, response) => {
    void read(request).then(({ path, form, cookie }) => {
      const [, known] = /(?:^|; )t=([^;]*)/.exec(cookie) ?? []
      const value = known ?? `visitor-of-the-shop-${(count += 1)}-x`
      if (path === '/login' && request.method === 'POST') live.set(value, form.get('user') ?? '')
      const headers = { 'set-cookie': `t=${value}; Path=/; Secure; HttpOnly; SameSite=Lax`, ...HSTS }
      response.writeHead(200, known === undefined ? headers : HSTS)
      response.end(path === '/login' && request.method === 'GET' ? FORM : `hello ${live.get(value) ?? 'stranger'}`)
    })
  })
  t.ok((await judgeLogin(url)).includes('fatal session-id-weak'))
})

t.test('the page of a user may be the only one that any site may frame', async (t) => {
  const shop = app(() => fresh(ID))
  const url = await serveTls(t, (request, response) => {
    const setHeader = response.setHeader.bind(response)
    setHeader('content-type', 'text/html')
    if (request.url === '/') setHeader('x-frame-options', 'DENY')
    const writeHead = response.writeHead.bind(response) as (
      status: number,
      headers: Record<string, string>,
    ) => typeof response
    response.writeHead = ((status: number, headers: Record<string, string> = {}) => {
      const cookie = headers['set-cookie']?.replace('SameSite=Lax', 'SameSite=None')
      return writeHead(status, { ...headers, ...(cookie === undefined ? {} : { 'set-cookie': cookie }) })
    }) as typeof response.writeHead
    shop(request, response)
  })
  const login = {
    page: new URL('/login', url),
    user: 'anna',
    password: 'right',
    check: new URL('/me', url),
    logout: undefined,
  }
  t.ok((await judge(url, { login })).includes('warning embeddable'))
})

t.test('the page of a user that shared caches may keep is found, except where it varies by the cookie', async (t) => {
  const id = (): string => fresh(ID)
  const cached = { 'cache-control': 'public, max-age=60' }
  t.strictSame(await judgeLogin(await serveTls(t, app(id, cached))), [
    'fatal session-cacheable',
    'warning prefix-missing',
  ])
  for (const vary of ['Accept, Cookie', '*']) {
    const varying = { ...cached, vary }
    t.strictSame(await judgeLogin(await serveTls(t, app(id, varying))), ['warning prefix-missing'], vary)
  }
})

t.test('values that are addresses, settings or known names of other cookies are no sessions', async (t) => {
  const is = (header: string): boolean => isSessionCookie(parseSetCookie(header, 0) as SetCookie)
  const json = Buffer.from(JSON.stringify({ theme: 'dark', columns: [1, 2, 3] })).toString('base64')
  const others = [
    `next-auth.callback-url=https%3A%2F%2Fapp.example.com%2F; HttpOnly`,
    `__Host-lang=${ID}; HttpOnly`,
    `__Http-theme=${ID}; HttpOnly`,
    '__Secure-authjs.callback-url=https%3A%2F%2Fa.example; HttpOnly',
    'returnTo=%2Faccount%2Fsettings%2Fsecurity; HttpOnly',
    'auth_from=%2Faccount%2Fsettings%2Fsecurity; HttpOnly',
    `view=${json}; HttpOnly`,
    `view=${encodeURIComponent('{"theme":"dark"}')}; HttpOnly`,
    ...[
      '_fbp',
      'ajs_anonymous_id',
      'i18next',
      'cf_clearance',
      'datadome',
      'visid_incap_12345',
      'incap_ses_99_12345',
    ].map((name) => `${name}=${ID}; HttpOnly`),
    'has_session=true',
  ]
  for (const header of others) t.equal(is(header), false, header)
  const sessions = [
    'prefs=Fe26.2*1*0123*abc*def',
    'prefs=Fe26.2%2A1%2A0123%2Aabc',
    `koa.sess=${json}; HttpOnly`,
    `next-auth.session-token=${ID}`,
    'id=100%; HttpOnly',
  ]
  for (const header of sessions) t.equal(is(header), true, header)
})

t.test('names that speak about a session, a login or another purpose carry none', async (t) => {
  const is = (header: string): boolean => isSessionCookie(parseSetCookie(header, 0) as SetCookie)
  const token = 'eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'
  const others = [
    ...['session_expiry=1700000000', 'session_timeout=1800', 'login_hint=anna', 'lastLoginMethod=google'],
    ...['last_login=2024-01-01', 'auth_provider=google', 'author=anna', 'authority=x', 'comment_author_1=Anna'],
    ...['sidebar=open', 'side=left', 'obsession=x', 'possession=1', 'assessment=9', 'session_count=3'],
    ...['oauth_state', 'authjs.state', 'authjs.pkce.code_verifier', 'nonce', 'cart', 'cart_id', 'device_id'].map(
      (name) => `${name}=${ID}`,
    ),
    ...['anonymous_id', 'experiment', 'gdpr', 'geo', 'tracking_id', 'build_id', 'etag', '_GRECAPTCHA', 'hcaptcha'].map(
      (name) => `${name}=${ID}`,
    ),
    ...['GCLB', 'TS01abcdef', 'citrix_ns_id', 'NSC_abc', 'FPID', 'IDE', 'NID', 'announcement_dismissed'].map(
      (name) => `${name}=${ID}`,
    ),
    `.AspNetCore.Antiforgery.x=${ID}`,
    `__RequestVerificationToken=${ID}`,
    `authjs.state=${token}`,
    'auth_token=true',
  ]
  for (const header of others) t.equal(is(`${header}; HttpOnly`), false, header)
  const sessions = [
    `sb-access-token=${token}`,
    `CF_Authorization=${token}; HttpOnly`,
    `whatever=${token}`,
    `connect.sid=${ID}`,
    `phpbb3_x_sid=${ID}`,
    `SSESSabcdef=${ID}`,
    `appSession=${ID}`,
    `auth=${ID}`,
    `authToken=${ID}`,
    `user_session=${ID}`,
    `my_session=${Buffer.from('{"user":1}').toString('base64')}`,
    `_oauth2_proxy=${ID}; HttpOnly`,
  ]
  for (const header of sessions) t.equal(is(header), true, header)
})

t.test(
  'cookies of measuring, chats, debuggers and frameworks that have session in their names carry none',
  async (t) => {
    const is = (header: string): boolean => isSessionCookie(parseSetCookie(header, 0) as SetCookie)
    const others = [
      ...['ai_session', 'rl_session', 'statsig-session-id', 'qualified_session', 'wcsid', 'ttcsid_ABC', '_hjSession_1'],
      ...['ABTastySession', 'crisp-client%2Fsession%2F1a2b', 's_sess', 'sbjs_session', 'pys_start_session'],
      ...['XDEBUG_SESSION', 'session_start', 'session_views', 'login_attempts', 'login_source', 'remember_username'],
      ...['.AspNetCore.Culture', '.AspNetCore.Mvc.CookieTempDataProvider', 'wordpress_test_cookie'],
    ].map((name) => `${name}=${ID}`)
    const short = [
      'authMode=sso',
      'session_day=20270131',
      'user_session_theme=dark',
      'loginStep=2',
      'sessionizer=on-top',
    ]
    for (const header of [...others, ...short]) t.equal(is(header), false, header)
    const sessions = [
      ...['.AspNetCore.Session', 'wordpress_logged_in_1a2b', 'MoodleSession'].map((name) => `${name}=${ID}`),
      `.AspNetCore.Identity.Application=${ID}; HttpOnly`,
      ...['user_session=17', 'auth=anna', 'authToken=1041', 'phpbb3_x_sid=1041', `KEYCLOAK_SESSION="master/${ID}"`],
    ]
    for (const header of sessions) t.equal(is(header), true, header)
  },
)

t.test('a value is taken for an id where the name is that of an id, and the value is no flag', async (t) => {
  const isId = (header: string): boolean => isIdByName(parseSetCookie(header, 0) as SetCookie)
  for (const header of ['PHPSESSID=1041', 'JSESSIONID=1041', 'sid=1041', 'my.session_id=1041', '__Host-session=1041']) {
    t.equal(isId(header), true, header)
  }
  for (const header of ['connect.sid=true', 'sid=none', 'session_timeout=1800', 'auth_token=1041', 'lang=en']) {
    t.equal(isId(header), false, header)
  }
})

t.test('sessions that stand in the cookie are known by their shape', async (t) => {
  const json = Buffer.from('{"user":"anna"}').toString('base64url')
  for (const value of [
    'Fe26.2*1*0123*abc',
    json,
    `${json}.ZxY1aa.signature`,
    `eyJhbGciOiJIUzI1NiJ9.${json}.signature`,
    '.eJyrVoovSC3KTcxLzStRslJKzMtLVKoFAFSqB3c.ZxY1aa.signature',
    `${'A'.repeat(60)}--${'B'.repeat(20)}--${'C'.repeat(20)}`,
  ]) {
    t.equal(isSelfContained(value), true, value)
  }
  t.equal(isSelfContained(`s:${json}.signature`), true, 'signed by express')
  for (const value of [ID, `s%3A${ID}.signature`, 'abc.node1', '']) t.equal(isSelfContained(value), false, value)
})
