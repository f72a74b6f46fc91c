import type { RequestListener } from 'node:http'
import t from 'tap'
import { Browser, Budget } from '../../lib/scan/browser.ts'
import { isSessionIn, tryLogin } from '../../lib/scan/login.ts'
import type { LoginOutcome } from '../../lib/scan/login.ts'
import type { SetCookie } from '../../lib/scan/set-cookie.ts'
import { parseSetCookie } from '../../lib/scan/set-cookie.ts'
import { CERTIFICATE, read, redirect, serve, serveTls } from './deployments.ts'

const FORM = '<form method=post action=/login><input name=user><input type=password name=pw></form>'

type Pages = (isUser: boolean, cookies: ReadonlySet<string>) => { status?: number; to?: string; body: string }

/** Returns an app whose login sets cookies, and whose page shows what it is told to. */
function app(
  given: readonly string[],
  pages: Pages,
  isUser: (cookies: ReadonlySet<string>) => boolean,
): RequestListener {
  return (request, response) => {
    void read(request).then(({ path, cookie }) => {
      const cookies = new Set(cookie.split('; ').map((pair) => pair.split('=')[0] as string))
      if (path === '/login' && request.method === 'POST') {
        return response
          .writeHead(200, { 'set-cookie': given.map((name) => `${name}=${name}-value; HttpOnly`) })
          .end('in')
      }
      if (path === '/login') return response.end(FORM)
      if (path === '/elsewhere') return response.end('page')
      const { status = 200, to, body } = pages(isUser(cookies), cookies)
      return to === undefined ? response.writeHead(status).end(body) : redirect(response, to)
    })
  }
}

async function outcomeOf(url: URL, requests = 100, ca?: string): Promise<LoginOutcome> {
  const budget = new Budget({ timeout: 20_000, requests, clock: Date.now })
  const open = (): Browser => new Browser(url.hostname, budget, ca)
  const plan = { page: new URL('/login', url), user: 'anna', password: 'right', logout: undefined, check: url }
  return tryLogin(open(), open(), plan)
}

const byName: Pages = (isUser) => ({ body: isUser ? 'hello anna' : 'hello stranger' })

t.test('a user is told from a stranger by the status, the address, a form, the name or a logout alone', async (t) => {
  const traits: Record<string, Pages> = {
    status: (isUser) => ({ status: isUser ? 200 : 403, body: 'page' }),
    address: (isUser) => ({ ...(isUser ? {} : { to: '/elsewhere' }), body: 'page' }),
    form: (isUser) => ({ body: isUser ? 'page' : FORM.replace('/login', '/') }),
    name: byName,
    logout: (isUser) => ({ body: isUser ? '<form action="/sign-out"></form>' : 'page' }),
  }
  for (const [trait, pages] of Object.entries(traits)) {
    const url = await serve(
      t,
      app(['s'], pages, (cookies) => cookies.has('s')),
    )
    t.strictSame((await outcomeOf(url)).experiment?.carriers, new Set(['s']), trait)
  }
  const alike = await serve(
    t,
    app(
      ['s'],
      () => ({ body: 'page' }),
      (cookies) => cookies.has('s'),
    ),
  )
  t.equal((await outcomeOf(alike)).experiment, undefined)
})

t.test('cookies that are needed together carry a login, and so does each that is enough alone', async (t) => {
  const together = await serve(
    t,
    app(['a', 'b', 'c'], byName, (cookies) => cookies.has('a') && cookies.has('b')),
  )
  t.strictSame((await outcomeOf(together)).experiment?.carriers, new Set(['a', 'b']))
  const either = await serve(
    t,
    app(['a', 'b', 'c'], byName, (cookies) => cookies.has('a') || cookies.has('b')),
  )
  t.strictSame((await outcomeOf(either)).experiment?.carriers, new Set(['a', 'b']))
})

t.test('a signature beside a cookie carries no login, although the login needs it', async (t) => {
  const names = ['sess', 'sess.sig']
  const url = await serve(
    t,
    app(names, byName, (cookies) => names.every((name) => cookies.has(name))),
  )
  t.strictSame((await outcomeOf(url)).experiment?.carriers, new Set(['sess']))
})

t.test('eight cookies are tried, however many there are', async (t) => {
  const names = Array.from({ length: 30 }, (_, index) => `c${index}`)
  const url = await serve(
    t,
    app(names, byName, (cookies) => cookies.has('c0')),
  )
  const { experiment } = await outcomeOf(url, 25)
  t.equal(experiment?.tried.size, 8)
  t.strictSame(experiment?.carriers, new Set(['c0']))
})

t.test('names decide on the cookies that no experiment tried, and where none was found', async (t) => {
  const cookie = (name: string): SetCookie => parseSetCookie(`${name}=x`, 0) as SetCookie
  const found = isSessionIn({ tried: new Set(['a', 'sid']), carriers: new Set(['a']) })
  t.equal(found(cookie('a')), true)
  t.equal(found(cookie('sid')), false, 'tried, and no carrier')
  t.equal(found(cookie('my_session')), true, 'not tried')
  const none = isSessionIn({ tried: new Set(['sid']), carriers: new Set() })
  t.equal(none(cookie('sid')), true)
  t.equal(isSessionIn(undefined)(cookie('lang')), false)
})

t.test('a form on a page over http is a plain form, although it is sent to https', async (t) => {
  const secure = await serveTls(t, (_request, response) => response.end('in'))
  const url = await serve(t, (_request, response) => response.end(FORM.replace('/login', `${secure.origin}/login`)))
  t.equal((await outcomeOf(url, 100, CERTIFICATE)).plainForm?.href, `${url.origin}/login`)
  const page = await serveTls(t, (request, response) => response.end(request.method === 'POST' ? 'in' : FORM))
  t.equal((await outcomeOf(page, 100, CERTIFICATE)).plainForm, undefined)
})

t.test('a session cookie that comes after the login is not one that the login kept', async (t) => {
  const url = await serve(t, (request, response) => {
    void read(request).then(({ path }) => {
      if (path === '/login') return response.end(request.method === 'POST' ? 'in' : FORM)
      return response.writeHead(200, { 'set-cookie': 'sid=late; HttpOnly' }).end('page')
    })
  })
  t.strictSame((await outcomeOf(url)).keptThroughLogin, [])
})
