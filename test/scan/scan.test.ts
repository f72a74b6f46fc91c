import { randomBytes } from 'node:crypto'
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http'
import formbody from '@fastify/formbody'
import session from 'express-session'
import fastify from 'fastify'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { Browser, Budget } from '../../lib/scan/browser.ts'
import { formsOf, loginFormOf, untypedFieldsOf } from '../../lib/scan/form.ts'
import { scanDeployment } from '../../lib/scan/scan.ts'
import type { ScanPlan, ScanResult } from '../../lib/scan/scan.ts'
import { isSessionCookie } from '../../lib/scan/session-cookies.ts'
import { parseSetCookie } from '../../lib/scan/set-cookie.ts'
import type { SetCookie } from '../../lib/scan/set-cookie.ts'
import { checkScan } from '../../lib/guard/phases.ts'
import { secureSession } from '../../lib/index.ts'
import { cookieFindings } from '../../lib/scan/cookie-findings.ts'
import { RULES } from '../../lib/guard/rules/index.ts'
import { evaluate, named } from '../guard/configs.ts'
import { CERTIFICATE, fresh, ID, page, read, redirect, serve, serveTls } from './deployments.ts'
import { SCAN } from '../guard/phase-facts.ts'

const GOOD_COOKIE = `__Host-session=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax`

const HSTS = { 'strict-transport-security': 'max-age=31536000; includeSubDomains' }

const LOGIN_PAGE =
  '<form method="post" action="/login"><input type="hidden" name="csrf" value="a&amp;b"><input name="email" type="email"><input type=password name=pw></form>'

async function scan(url: URL, plan: Partial<ScanPlan> = {}): Promise<ScanResult> {
  return await scanDeployment({
    url,
    pages: [],
    httpUrl: undefined,
    login: undefined,
    environment: undefined,
    timeout: 20_000,
    ca: CERTIFICATE,
    clock: Date.now,
    ...plan,
  })
}

async function judge(url: URL, plan: Partial<ScanPlan> = {}): Promise<string[]> {
  return named((await scan(url, plan)).findings)
}

function loginPlan(url: URL, paths: { logout?: string; check?: string } = {}): Partial<ScanPlan> {
  const at = (path: string): URL => new URL(path, url)
  const login = { page: at('/login'), user: 'anna', password: 'right', check: at(paths.check ?? '/') }
  return { login: { ...login, logout: paths.logout === undefined ? undefined : at(paths.logout) } }
}

t.test('a deployment in order is met with silence', async (t) => {
  const url = await serveTls(t, page({ 'set-cookie': GOOD_COOKIE, ...HSTS }))
  t.strictSame(await scan(url, { httpUrl: new URL('http://127.0.0.1:1/') }), {
    findings: [],
    notes: [],
    isComplete: true,
  })
})

t.test('the cookies of any stack are judged as options would be, and named on the wire', async (t) => {
  const cookies: [string, ...string[]][] = [
    [
      `connect.sid=s%3A${ID}.x; Path=/; HttpOnly`,
      'warning samesite-missing',
      'fatal secure-required',
      'warning prefix-missing',
      'info cookie-name-fingerprint',
    ],
    [
      `PHPSESSID=${ID}; path=/; secure; HttpOnly; SameSite=Lax`,
      'warning prefix-missing',
      'info cookie-name-fingerprint',
    ],
    [
      `sessionid=${ID}; Path=/; Secure; SameSite=Lax`,
      'fatal httponly-disabled',
      'warning prefix-missing',
      'info cookie-name-fingerprint',
    ],
    [`__Host-id=${ID}; Path=/; Secure; HttpOnly; SameSite=None`, 'warning embeddable'],
    [
      `__Host-id=${ID}; Path=/; HttpOnly; SameSite=None`,
      'warning embeddable',
      'fatal samesite-none-requires-secure',
      'fatal prefix-host',
    ],
    [`__Host-id=${ID}; Path=/; Secure; HttpOnly; SameSite=Sometimes`, 'fatal samesite-invalid'],
    [`__Secure-id=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax; Domain=example.com`, 'warning domain-wide'],
    [`__Host-id=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax; Max-Age=99999999`, 'warning remember-too-long'],
    [`__Host-id=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax; Partitioned`, 'warning partitioned-without-none'],
  ]
  for (const [header, ...findings] of cookies) {
    const url = await serveTls(t, page({ 'set-cookie': header, ...HSTS }))
    t.strictSame(await judge(url), findings, header)
  }
  const url = await serve(t, page({ 'set-cookie': `connect.sid=${ID}; Path=/` }))
  const { findings } = await scan(url)
  t.match(
    findings.find(({ rule }) => rule === 'session/secure-required'),
    {
      phase: 'scan',
      at: [{ pointer: '', path: 'Set-Cookie connect.sid: secure', value: 'false' }],
    },
  )
  t.notMatch(JSON.stringify(findings), ID, 'no session id is printed')
})

t.test(
  'a cookie without Path is judged as browsers take it: __Host- needs the attribute, other names do not',
  async (t) => {
    const found = (header: string): { rule: string; value: string }[] =>
      cookieFindings(parseSetCookie(header, 0) as SetCookie, undefined).map(({ rule, at }) => ({
        rule,
        value: at.map(({ path, value }) => `${path} = ${value}`).join(', '),
      }))
    t.strictSame(found('__Host-id=x; Secure; HttpOnly; SameSite=Lax'), [
      {
        rule: 'session/prefix-host',
        value: 'Set-Cookie __Host-id: name = "__Host-id", Set-Cookie __Host-id: path = missing',
      },
    ])
    t.strictSame(
      found('__Secure-id=x; Secure; HttpOnly; SameSite=Lax; Domain=example.com').map(({ rule }) => rule),
      ['session/domain-wide'],
    )
    const long = found(`${'x'.repeat(200)}=1; Path=/app; Secure; HttpOnly; SameSite=Lax`)
    t.ok(long.length > 0)
    for (const { value } of long) t.match(value, /^Set-Cookie x{80}: /)
  },
)

t.test('cookies that carry no session are left alone', async (t) => {
  const url = await serveTls(
    t,
    page({
      'set-cookie': ['lang=en', `csrf_token=${ID}; HttpOnly`, '_ga=GA1.2.3', 'id', `session=; Max-Age=0`],
      ...HSTS,
    }),
  )
  const { findings, notes } = await scan(url)
  t.strictSame(findings, [])
  t.match(notes, [/no session cookie was seen/])
})

t.test('a relaxed environment relaxes', async (t) => {
  const url = await serve(t, page({ 'set-cookie': `id=${ID}; Path=/; HttpOnly; SameSite=Lax` }))
  t.strictSame(await judge(url, { environment: 'development' }), ['info secure-required'])
})

t.test('https without HSTS is a note, and http beside it should redirect', async (t) => {
  const cookie = { 'set-cookie': GOOD_COOKIE }
  const tls = await serveTls(t, page(cookie))
  t.strictSame(await judge(tls), ['info hsts-missing'])
  const open = await serve(t, page({ 'set-cookie': `sid=${ID}; Path=/; Secure; HttpOnly; SameSite=Lax` }))
  t.strictSame(await judge(tls, { httpUrl: open }), [
    'info hsts-missing',
    'warning https-redirect-missing',
    'warning prefix-missing',
  ])
  const redirecting = await serve(t, (_request, response) => redirect(response, tls.href))
  t.strictSame(await judge(tls, { httpUrl: redirecting }), ['info hsts-missing'])
  const leaving = await serve(t, (_request, response) => redirect(response, 'https://www.example.com/'))
  t.strictSame(await judge(tls, { httpUrl: leaving }), ['info hsts-missing'])
  t.strictSame(await judge(redirecting), ['info hsts-missing'], 'scanned from its http side')
})

t.test('http alone is no deployment, unless it is this machine', async (t) => {
  t.strictSame(
    named(checkScan({ ...SCAN, plainHttp: 'serves', sendsHsts: null, cookiesOverHttp: ['sid'] }, undefined)),
    ['warning plain-http-in-production', 'fatal cookie-over-http'],
  )
  const url = await serve(t, page({ 'set-cookie': GOOD_COOKIE }))
  t.strictSame(await judge(url), [])
})

t.test('CORS that reflects is found by a made-up origin, and by the origin null', async (t) => {
  const cors =
    (allow: (origin: string) => string): RequestListener =>
    (request, response) => {
      const headers = {
        'access-control-allow-origin': allow(request.headers.origin ?? ''),
        'access-control-allow-credentials': 'true',
      }
      response.writeHead(200, { 'set-cookie': fresh(GOOD_COOKIE), ...headers, ...HSTS }).end()
    }
  t.strictSame(
    await judge(
      await serveTls(
        t,
        cors((origin) => origin),
      ),
    ),
    ['fatal cors-credentials-reflect'],
  )
  t.strictSame(
    await judge(
      await serveTls(
        t,
        cors((origin) => (origin === 'null' ? 'null' : 'https://a.example')),
      ),
    ),
    ['fatal cors-credentials-reflect'],
  )
  t.strictSame(
    await judge(
      await serveTls(
        t,
        cors(() => '*'),
      ),
    ),
    ['warning cors-credentials-wildcard'],
  )
  t.strictSame(
    await judge(
      await serveTls(
        t,
        cors(() => 'https://a.example'),
      ),
    ),
    [],
  )
})

t.test('further pages are looked at, and one that fails is a note', async (t) => {
  const url = await serveTls(t, (request, response) => {
    const cookie = request.url === '/app' ? { 'set-cookie': `sid=${ID}; Secure` } : {}
    if (request.url === '/broken') response.destroy()
    else response.writeHead(200, { ...HSTS, ...cookie }).end()
  })
  const { findings, notes } = await scan(url, { pages: [new URL('/app', url), new URL('/broken', url)] })
  t.ok(named(findings).includes('fatal httponly-disabled'))
  t.match(notes, [/does not answer: ECONNRESET/])
})

/** The part of a request that an app on express-session sees. */
interface SessionRequest {
  readonly session: { user?: string | undefined; regenerate(done: () => void): void; destroy(done: () => void): void }
}

/** Returns a small app on express-session, which may forget what a login and a logout have to do. */
function sessionApp(options: { rotates: boolean; ends: boolean }): RequestListener {
  const load = session({ secret: 'keyboard cat', resave: false, saveUninitialized: true }) as Middleware
  const pages: Record<string, Middleware> = {
    'GET /login': (_request, response) => response.end(LOGIN_PAGE),
    'GET /': ({ session: { user } }, response) => {
      response.end(user === undefined ? 'hello stranger' : `hello ${user} <form method=post action=/logout></form>`)
    },
    'POST /login': (request, response) => {
      void read(request).then(({ form }) => {
        if (form.get('pw') !== 'right' || form.get('csrf') !== 'a&b') return response.writeHead(401).end()
        const enter = (): void => {
          request.session.user = form.get('email') ?? ''
          redirect(response, '/')
        }
        return options.rotates ? request.session.regenerate(enter) : enter()
      })
    },
    'POST /logout': (request, response) => {
      const leave = (): void => redirect(response, '/', { 'set-cookie': 'connect.sid=; Max-Age=0' })
      if (options.ends) request.session.destroy(leave)
      else leave()
    },
  }
  return (request, response) => {
    const visit = request as IncomingMessage & SessionRequest
    load(visit, response, () => pages[`${request.method} ${request.url}`]?.(visit, response, () => undefined))
  }
}

type Middleware = (request: IncomingMessage & SessionRequest, response: ServerResponse, next: () => void) => unknown

t.test('a login that keeps the id and a logout that ends nothing are found', async (t) => {
  const url = await serve(t, sessionApp({ rotates: false, ends: false }))
  const findings = await judge(url, loginPlan(url, { logout: '/logout' }))
  t.ok(findings.includes('fatal login-keeps-id'))
  t.ok(findings.includes('fatal logout-keeps-session'))
})

t.test('a login that changes the id and a logout that ends it are not', async (t) => {
  const url = await serve(t, sessionApp({ rotates: true, ends: true }))
  const { findings, notes } = await scan(url, loginPlan(url, { logout: '/logout' }))
  t.strictSame(notes, [])
  t.notOk(named(findings).some((finding) => /login-keeps|logout-keeps/.test(finding)))
})

/** Starts the smallest app with a login on this plugin. */
async function ownApp(t: Test): Promise<URL> {
  const app: FastifyInstance = fastify()
  t.teardown(() => app.close())
  await app.register(formbody)
  await app.register(secureSession, { environment: 'development', cookie: { name: 'id' } })
  app.get('/', async ({ user }, reply) =>
    reply.type('text/html').send(user === null ? 'hello stranger' : `hello ${user.id}`),
  )
  app.get('/login', async (_request, reply) => reply.type('text/html').send(LOGIN_PAGE))
  app.post('/login', async (request, reply) => {
    await request.login({ id: (request.body as { email: string }).email })
    return await reply.redirect('/')
  })
  app.post('/logout', async (request, reply) => {
    await request.logout()
    return await reply.redirect('/')
  })
  return new URL(await app.listen({ port: 0, host: '127.0.0.1' }))
}

t.test('an app on this plugin passes, login and logout and all', async (t) => {
  const url = await ownApp(t)
  const { findings, notes } = await scan(url, { ...loginPlan(url, { logout: '/logout' }), environment: 'development' })
  t.strictSame(named(findings), ['info secure-required'])
  t.strictSame(notes, [])
})

t.test('a login or logout that cannot be judged says so', async (t) => {
  const noteOf = async (listener: RequestListener, paths = {}): Promise<string[]> => {
    const url = await serve(t, listener)
    return (await scan(url, loginPlan(url, paths))).notes.filter((note) => !note.startsWith('no session cookie'))
  }
  t.match(await noteOf(page({})), ['there is no form with a password on /login'])
  t.match(await noteOf(page({}, LOGIN_PAGE)), [/the login was refused/])
  const refusing: RequestListener = (request, response) => {
    response.writeHead(request.method === 'POST' ? 403 : 200).end(LOGIN_PAGE)
  }
  t.match(await noteOf(refusing), [/the login was refused/])
  const alike: RequestListener = (request, response) => {
    if (request.method === 'POST') response.writeHead(200, { 'set-cookie': `sid=${ID}` }).end('in')
    else response.end(request.url === '/login' ? LOGIN_PAGE : 'the same for all')
  }
  t.match(await noteOf(alike, { logout: '/out' }), [/looks the same logged in and not/])
})

t.test(
  'a form is sent with its button, as a browser does, and a page of users is known by its link to the logout',
  async (t) => {
    const forms = [
      `<input type=tel name=phone><input type=password name=pin><input type=submit name=forgot value=Forgot?><input type=submit name=enter value="Log in">`,
      `<input type=number name=phone><input type=password name=pin><button type=button name=enter value=x>show</button><button name=enter value="Log in">Go</button>`,
      `<input name=phone><input type=password name=pin><button type=submit>Go</button><input type=submit><button name=enter value="Log in">Go</button>`,
    ]
    for (const [index, form] of forms.entries()) {
      let inside = ''
      const url = await serve(t, (request, response) => {
        void read(request).then(({ path, form: sent, cookie }) => {
          const isUser = inside !== '' && cookie.includes(inside)
          if (path === '/out' && request.method === 'POST' && sent.get('really') === 'yes') inside = ''
          if (path === '/out') {
            return response.end('<form method=post action=/out><button name=really value=yes>Yes</button></form>')
          }
          if (path === '/login' && request.method === 'GET') {
            return response.end(`<form method=post action=/login>${form}</form>`)
          }
          const isRight = sent.get('enter') === 'Log in' && sent.get('phone') === 'anna' && sent.get('pin') === 'right'
          if (path === '/login' && isRight) {
            inside = randomBytes(24).toString('hex')
            return response.writeHead(302, { location: '/', 'set-cookie': `sid=${inside}; HttpOnly` }).end()
          }
          return response.end(isUser ? '<p>Welcome back</p><a href="/account/log-out">leave</a>' : '<p>Welcome</p>')
        })
      })
      const { notes, findings } = await scan(url, loginPlan(url, { logout: '/out' }))
      t.strictSame(notes, [], String(index))
      t.notOk(named(findings).some((finding) => /login-keeps|logout-keeps/.test(finding)))
    }
  },
)

t.test('a password is never sent to another host, or nowhere', async (t) => {
  let visits = 0
  const other = await serve(t, (_request, response) => {
    visits += 1
    response.end()
  })
  const elsewhere = `http://localhost:${other.port}/login`
  const form = (action: string): string => `<form method=post action="${action}"><input type=password></form>`
  const leaving = await serve(t, page({}, form(elsewhere)))
  t.match((await scan(leaving, loginPlan(leaving))).notes, [
    'a page leads to another host, which was not followed',
    /no session/,
  ])
  t.equal(visits, 0)
  const nowhere = await serve(t, page({}, form('http://[')))
  t.match((await scan(nowhere, loginPlan(nowhere))).notes, ['the form on /login leads nowhere', /no session/])
})

t.test('a password is never sent to another port of the host, or from https to http', async (t) => {
  const sent: string[] = []
  const spy: RequestListener = (request, response) => {
    void read(request).then(({ form }) => {
      if (request.method === 'POST') sent.push(form.toString())
      response.end()
    })
  }
  const other = await serve(t, spy)
  const form = `<form method=post action="${other.href}"><input type=password></form>`
  for (const url of [await serve(t, page({}, form)), await serveTls(t, page({}, form))]) {
    t.match((await scan(url, { ca: CERTIFICATE, ...loginPlan(url) })).notes, [
      'the form on /login leads to another origin, so no password was sent',
      /no session/,
    ])
  }
  const resending = await serve(t, (request, response) => {
    if (request.method === 'POST') response.writeHead(307, { location: other.href }).end()
    else response.end('<form method=post action="/in"><input type=password></form>')
  })
  await scan(resending, loginPlan(resending))
  t.strictSame(sent, [])
})

t.test('a password may go from http to https', async (t) => {
  let password: string | null = null
  const https = await serveTls(t, (request, response) => {
    void read(request).then(({ form }) => {
      if (request.method === 'POST') password = form.get('password')
      response.end('hello')
    })
  })
  const url = await serve(t, page({}, `<form method=post action="${https.href}"><input type=password></form>`))
  await scan(url, { ca: CERTIFICATE, ...loginPlan(url) })
  t.equal(password, 'right')
})

t.test('a Secure cookie goes over https only, except on this machine', async (t) => {
  const budget = new Budget({ timeout: 5000, requests: 9, clock: Date.now })
  const seen: string[] = []
  const url = await serve(t, (request, response) => {
    seen.push(request.headers.cookie ?? '')
    response.writeHead(200, { 'set-cookie': ['a=1; Secure', 'b=2'] }).end()
  })
  const here = new Browser(url.hostname, budget, undefined)
  await here.visit(url)
  await here.visit(url)
  t.strictSame(seen, ['', 'a=1; b=2'])
  // Another address of this machine, that does not look like one.
  const away = new URL(url)
  away.hostname = '0.0.0.0'
  const there = new Browser(away.hostname, budget, undefined)
  await there.visit(away)
  await there.visit(away)
  t.strictSame(seen.slice(2), ['', 'b=2'])
})

t.test('the cost of a hostile page is bounded', async (t) => {
  const bombs = [
    '<form>'.repeat(80_000),
    '<form '.repeat(80_000),
    `<form>${'<input '.repeat(70_000)}`,
    '<form a="'.repeat(50_000),
  ]
  for (const bomb of bombs) {
    t.ok(formsOf(bomb).length <= 64)
    t.equal(loginFormOf(bomb), undefined)
  }
  t.equal(formsOf(`<form>${'<input name=a>'.repeat(1000)}</form>`)[0]?.inputs.length, 256)
})

t.test('a host that sets very many session cookies is judged by some of them', async (t) => {
  const cookies = Array.from({ length: 40 }, (_, index) => `a${index}.sid=x; Secure; HttpOnly; SameSite=Lax`)
  const { findings, notes } = await scan(await serve(t, page({ 'set-cookie': cookies })))
  t.equal(findings.filter(({ rule }) => rule === 'session/prefix-missing').length, 16)
  t.match(notes, ['16 of 40 session cookies were judged'])
})

t.test('a name that browsers take is judged, though no server should send it', async (t) => {
  for (const name of ['koa:sess', 'sess[id]']) {
    const url = await serve(t, page({ 'set-cookie': `${name}=${ID}; Path=/; SameSite=Lax` }))
    t.strictSame(await judge(url), ['fatal secure-required', 'fatal httponly-disabled'], name)
  }
})

t.test('a finding of a scan about a cookie has a fix in the words of the header', async (t) => {
  const told = new Set<string>()
  const cookies = [
    'sid=a; Domain=example.com; Path=/app; Max-Age=99999999',
    'sid=a; Domain=localhost; Path=app; SameSite=yes',
    'sid=a; Domain=co.uk; SameSite=None; Partitioned',
    'sid=a; Domain=a:1; Partitioned; SameSite=Lax; Secure',
    `sid=a; Path=/${'x'.repeat(2000)}`,
    '__Host-sid=a',
    '__Secure-sid=a',
    '__Http-sid=a',
    '__host-connect.sid=a',
  ]
  for (const header of cookies) {
    for (const { rule, fix } of cookieFindings(parseSetCookie(header, 0) as SetCookie, 'production')) {
      t.match(fix, { text: /^[A-Z].*\.$/, snippet: undefined }, rule)
      told.add(rule.replace('session/', ''))
    }
  }
  const aboutCookies = RULES.filter(({ slug, onConfig, examples }) => {
    const options = evaluate(examples.wrong.options)
    return onConfig !== undefined && slug !== 'cookie-name-invalid' && typeof options['cookie'] === 'object'
  })
  // A header cannot show these: the cookie is Secure or it is not, a misspelt attribute is none, and a binding or a
  // migration is the server's business.
  const impossible = ['secure-auto', 'unknown-option', 'option-type', 'device-bound-cookie', 'migration-cookie-shared']
  for (const { slug } of aboutCookies) if (!impossible.includes(slug)) t.ok(told.has(slug), slug)
})

t.test('HSTS that is taken back is none', async (t) => {
  for (const value of ['max-age=0', 'includeSubDomains', 'x']) {
    const url = await serveTls(t, page({ 'strict-transport-security': value }))
    t.ok((await judge(url, { ca: CERTIFICATE })).includes('info hsts-missing'), value)
  }
  const url = await serveTls(t, page({ 'strict-transport-security': 'includeSubDomains; Max-Age="31536000"' }))
  t.notOk((await judge(url, { ca: CERTIFICATE })).includes('info hsts-missing'))
})

t.test('fields without names are sent by their usual ones', async (t) => {
  const sent: string[] = []
  const url = await serve(t, (request, response) => {
    void read(request).then(({ form }) => {
      if (request.method === 'POST') sent.push(form.toString())
      response.end(
        request.method === 'POST'
          ? 'in'
          : '<form action="/in"><input type=password></form><form action="http://["></form>',
      )
    })
  })
  await scan(url, loginPlan(url, { logout: '/out' }))
  t.equal(sent[0], 'username=anna&password=right')
})

t.test('a logout by GET is tried where a POST is not taken', async (t) => {
  const live = new Set<string>()
  const url = await serve(t, (request, response) => {
    void read(request).then(({ path, cookie }) => {
      const id = /sid=(\w+)/.exec(cookie)?.[1] ?? ''
      if (path === '/login' && request.method === 'POST') {
        const next = randomBytes(24).toString('hex')
        live.add(next)
        return redirect(response, '/', { 'set-cookie': [`sid=${next}; HttpOnly`, `other=${ID}; HttpOnly`] })
      }
      if (path === '/out' && request.method === 'POST') return response.writeHead(405).end()
      if (path === '/out') live.delete(id)
      return response.end(path === '/login' ? LOGIN_PAGE : live.has(id) ? 'hello anna' : 'hello stranger')
    })
  })
  const findings = await judge(url, loginPlan(url, { logout: '/out' }))
  t.notOk(findings.includes('fatal logout-keeps-session'))
  t.equal(live.size, 0)
})

t.test('a second cookie that stays is no fixation when the session cookie changes', async (t) => {
  let logins = 0
  const url = await serve(t, (request, response) => {
    const cookies = [`device_session=${ID}; HttpOnly`, `sid=${ID}${logins}; HttpOnly`]
    if (request.method === 'POST') logins += 1
    response.writeHead(200, { 'set-cookie': request.method === 'POST' ? [`sid=${ID}${logins}; HttpOnly`] : cookies })
    response.end(request.method === 'POST' ? 'in' : LOGIN_PAGE)
  })
  t.notOk((await judge(url, loginPlan(url))).includes('fatal login-keeps-id'))
})

t.test('only the host that was given is visited', async (t) => {
  let visits = 0
  const other = await serve(t, (_request, response) => {
    visits += 1
    response.end()
  })
  const elsewhere = new URL(other)
  elsewhere.hostname = 'localhost'
  const url = await serve(t, (_request, response) => redirect(response, elsewhere.href))
  t.match(await scan(url), { notes: [/another host, which was not followed/, /no session cookie/] })
  t.equal(visits, 0)
})

t.test('a scan is bounded in redirects, in size, in requests and in time', async (t) => {
  let hops = 0
  const circle = await serve(t, (_request, response) => {
    hops += 1
    redirect(response, `/${hops}`)
  })
  t.match((await scan(circle)).notes, ['the address redirects more than 5 times', /no session/])
  t.ok(hops < 25, `${hops} redirects in all`)

  const endless = await serve(t, (_request, response) => {
    const pour = (): void => void (response.destroyed || response.write('x'.repeat(65_536), pour))
    response.writeHead(200)
    pour()
  })
  t.match((await scan(endless)).notes, [/no session/])

  const url = await serve(t, page({}))
  const pages = Array.from({ length: 160 }, (_, index) => new URL(`/${index}`, url))
  t.match((await scan(url, { pages })).notes, ['the scan took more requests than it may'])

  let now = 0
  await t.rejects(scan(url, { timeout: 5000, clock: () => (now += 6000) }), {
    message: 'the scan took longer than it may',
  })

  const silent = await serve(t, () => undefined)
  await t.rejects(scan(silent, { timeout: 50 }), { message: 'the scan took longer than it may' })
})

t.test('a scan that saw less than it was asked for says so', async (t) => {
  const isComplete = async (url: URL, plan: Partial<ScanPlan> = {}): Promise<boolean> =>
    (await scan(url, { httpUrl: new URL('http://127.0.0.1:1/'), ...plan })).isComplete
  const fine = await serve(t, page({ 'set-cookie': GOOD_COOKIE }))
  t.equal(await isComplete(fine), true)
  t.equal(await isComplete(fine, { pages: [new URL('/a', fine)] }), true)
  const shy = await serve(t, (request, response) => {
    if (request.url === '/gone' || request.headers.origin !== undefined) response.destroy()
    else response.end('hello')
  })
  t.equal(await isComplete(shy), false, 'the probes of CORS were not answered')
  const gone = await serve(t, (request, response) => {
    if (request.url === '/gone') response.destroy()
    else response.end('hello')
  })
  t.equal(await isComplete(gone, { pages: [new URL('/gone', gone)] }), false)
})

t.test(
  'a deployment over http alone is looked at once, and its cookies and its form are said to be in the clear',
  async (t) => {
    let visits = 0
    const url = await serve(t, (_request, response) => {
      visits += 1
      response.writeHead(200, { 'set-cookie': `sid=${randomBytes(24).toString('hex')}; HttpOnly; SameSite=Lax` })
      response.end('<form action=/search><input name=q></form>')
    })
    // Another address of this machine, that does not look like one.
    url.hostname = '0.0.0.0'
    const found = await judge(url, { httpUrl: url })
    t.ok(found.includes('fatal cookie-over-http'))
    t.ok(found.includes('warning plain-http-in-production'))
    t.notOk(found.includes('fatal login-over-http'), 'no password is asked for')
    t.equal(visits, 3, 'the page, and the two probes of CORS')
  },
)

t.test('a bug in the scan is not taken for a note', async (t) => {
  const url = await serve(t, page({}))
  let calls = 0
  const clock = (): number => {
    calls += 1
    if (calls > 4) throw new RangeError('a bug')
    return 0
  }
  await t.rejects(scan(url, { pages: [url, url], clock }), { message: 'a bug' })
})

t.test('a broken answer is judged as far as it came', async (t) => {
  const url = await serve(t, (_request, response) => {
    response.writeHead(200, {
      'content-length': '1000',
      'set-cookie': fresh(`sid=${ID}; HttpOnly; Secure; SameSite=Lax; Path=/`),
    })
    response.write('only a little', () => response.destroy())
  })
  t.strictSame(await judge(url), ['warning prefix-missing'])
})

t.test('a redirect to somewhere that is no page is not followed', async (t) => {
  for (const location of ['ftp://127.0.0.1/', 'http://[', 'javascript:alert(1)']) {
    const url = await serve(t, (_request, response) =>
      redirect(response, location, { 'set-cookie': fresh(GOOD_COOKIE) }),
    )
    t.strictSame(await judge(url), [], location)
  }
  const keeping = await serve(t, (request, response) => {
    if (request.url === '/') response.writeHead(307, { location: '/next' }).end()
    else response.writeHead(200, { 'set-cookie': fresh(GOOD_COOKIE) }).end()
  })
  t.strictSame(await judge(keeping), [])
})

t.test('a host without a server is an error', async (t) => {
  await t.rejects(scan(new URL('http://127.0.0.1:1/')), { message: 'http://127.0.0.1:1 does not answer: ECONNREFUSED' })
  const untrusted = await serveTls(t, page({}))
  await t.rejects(scan(untrusted, { ca: undefined }), {
    message: /certificate that is not trusted: DEPTH_ZERO_SELF_SIGNED_CERT \(--ca names one to trust\)/,
  })
})

t.test('Set-Cookie is read as browsers read it', async (t) => {
  const now = Date.UTC(2026, 0, 1)
  const parse = (header: string): SetCookie | undefined => parseSetCookie(header, now)
  t.match(parse('a=b=c; PATH=/x;secure ; HTTPONLY;SameSite = none;Partitioned;Max-Age=5;Domain=;x'), {
    name: 'a',
    value: 'b=c',
    path: '/x',
    secure: true,
    httpOnly: true,
    sameSite: 'none',
    partitioned: true,
    maxAge: 5,
    domain: undefined,
    isRemoval: false,
  })
  for (const header of ['', '=b', 'novalue', 'a b=c', 'é=1']) t.equal(parse(header), undefined, header)
  for (const header of ['a=', 'a=b; Max-Age=0', 'a=b; Max-Age=-1', 'a=b; Expires=Thu, 01 Jan 1970 00:00:00 GMT']) {
    t.equal(parse(header)?.isRemoval, true, header)
  }
  for (const header of [
    'a=b; Max-Age=x',
    'a=b; Expires=nonsense',
    'a=b; Expires=Fri, 01 Jan 2038 00:00:00 GMT',
    'a=b; Max-Age=9; Expires=Thu, 01 Jan 1970 00:00:00 GMT',
  ]) {
    t.equal(parse(header)?.isRemoval, false, header)
  }
})

t.test('a session cookie is known by its name or by its shape', async (t) => {
  const is = (header: string): boolean => isSessionCookie(parseSetCookie(header, 0) as SetCookie)
  const sessions = [
    'connect.sid=x',
    'JSESSIONID=x',
    'PHPSESSID=true',
    'koa.sess=x',
    'laravel_session=x',
    'my_session=x',
    'sid=x',
    'auth_token=x',
    '__Host-id=x',
    'remember_me=x',
    `whatever=${ID}; HttpOnly`,
  ]
  for (const header of sessions) t.equal(is(header), true, header)
  const others = [
    'lang=en',
    'theme=dark',
    `csrfToken=${ID}; HttpOnly`,
    `XSRF-TOKEN=${ID}`,
    `_ga=${ID}; HttpOnly`,
    `koa.sess.sig=${ID}; HttpOnly`,
    `heroku-session-affinity=${ID}; HttpOnly`,
    `AWSALB=${ID}; HttpOnly`,
    `whatever=${ID}`,
    'whatever=short; HttpOnly',
    'inside=x',
  ]
  for (const header of others) t.equal(is(header), false, header)
})

t.test('forms are read from a page of any quality', async (t) => {
  const [form] = formsOf(
    `<FORM ACTION='/in?a=1&amp;b=2' Method=post><input TYPE="hidden" name=csrf value='&quot;&lt;&#39;&gt;'><input name=plain><input></form>`,
  )
  t.match(form, {
    action: '/in?a=1&b=2',
    method: 'POST',
    inputs: [{ name: 'csrf', type: 'hidden', value: `"<'>` }, { name: 'plain', type: 'text', value: '' }, { name: '' }],
  })
  if (form !== undefined) t.strictSame([...untypedFieldsOf(form)], [['csrf', `"<'>`]])
  t.match(formsOf('<form><input type=password></form>'), [{ action: '', method: 'GET' }])
  t.equal(loginFormOf('<form><input name=q></form>'), undefined)
  t.strictSame(formsOf('no forms here'), [])
})
