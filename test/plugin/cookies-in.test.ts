import { randomBytes } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { SessionIds } from '../../lib/session/id.ts'
import { cookiePlugin, isNobody, ordinary, OTHER_SECRET, SECRET, world } from './world.ts'

const handle = (): string => randomBytes(16).toString('base64url')

/** Returns headers that a client may send in place of the id that it was given. */
function hostileHeaders(id: string): Record<string, string> {
  const [first = '', secret = '', signature = ''] = id.split('.')
  return {
    empty: 'session=',
    'no value': 'session',
    truncated: `session=${id.slice(0, -1)}`,
    half: `session=${first}.${secret}`,
    'handle only': `session=${first}`,
    'signature of another id': `session=${new SessionIds([SECRET], 'session').mint(handle(), 0).cookieValue.replace(/\.[^.]*$/, `.${signature}`)}`,
    'other handle': `session=${handle()}.${secret}.${signature}`,
    'other secret': `session=${first}.${randomBytes(32).toString('base64url')}.${signature}`,
    'other signature': `session=${first}.${secret}.${randomBytes(32).toString('base64url')}`,
    'signed with another key': `session=${new SessionIds([OTHER_SECRET], 'session').mint(first, 0).cookieValue}`,
    oversized: `session=${'A'.repeat(12_000)}`,
    'non-ASCII': `session=${id.replace(/^./, 'é')}`,
    'control character': `session=${id}\u007f`,
    'percent-encoded': `session=${id.replaceAll('.', '%2E')}`,
    'half percent-encoded': `session=%${id}`,
    'plain base64': `session=${id.replaceAll('-', '+').replaceAll('_', '/')}+`,
    quoted: `session="${id}"`,
    spaced: `session=${first} ${secret}`,
    'the id of express-session': `session=s%3A${first}.${signature}`,
    'another name in front': `sessionx=${id}`,
    'another name behind': `xsession=${id}`,
    'another case': `SESSION=${id}`,
    'prefixed name': `__Host-session=${id}`,
    'as the value of another': `a=session=${id}`,
    'only separators': ';;; ; ,',
    'a path and traversal': 'session=../../etc/passwd',
    'an object': 'session[a]=1',
    prototype: '__proto__=session',
  }
}

/**
 * Those in the shape of an id whose signature is wrong: a secret that is gone may have made them, so they are cleared.
 */
const OBSOLETE = new Set([
  'signature of another id',
  'other handle',
  'other secret',
  'other signature',
  'signed with another key',
])

t.test(
  'a cookie that is not an id of ours is nobody: 200, anonymous, no cookie, no store asked, nothing adopted',
  async (t) => {
    const { app, visitor, asked, log, events } = await world(t, { routes: ordinary })
    const ann = visitor()
    await ann.post('/login')
    const id = ann.cookie ?? ''
    asked()
    for (const [name, cookie] of Object.entries(hostileHeaders(id))) {
      const response = await app.inject({ url: '/me', headers: { cookie } })
      t.equal(response.statusCode, 200, name)
      isNobody(t, response, name)
      const isCleared = OBSOLETE.has(name)
      t.match(response.headers['set-cookie'], isCleared ? /^session=; Max-Age=0/ : undefined, name)
      t.same(asked(), [], `${name}: a store is asked for well signed ids only`)
    }
    for (const [name, cookie] of Object.entries(hostileHeaders(id))) {
      const response = await app.inject({ method: 'POST', url: '/note', headers: { cookie }, payload: { a: 1 } })
      t.equal(response.statusCode, 200, name)
      const [set] = response.cookies
      t.match(set?.value, /^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/, name)
      t.notOk(cookie.includes(set?.value.slice(0, 22) ?? '?'), `${name}: the handle is made by the server`)
    }
    t.notOk(log().includes(id.split('.')[1] ?? '?'), 'no secret in the log')
    t.notOk(JSON.stringify(events).includes(id.split('.')[1] ?? '?'), 'no secret in an event')
    t.match((await ann.get('/me')).json(), { user: { id: 'ann' } }, 'the real session is as it was')
  },
)

t.test('no text in the cookie makes a 500 or somebody', async (t) => {
  const { app } = await world(t, { routes: ordinary })
  await fc.assert(
    fc.asyncProperty(
      fc.string({ unit: fc.integer({ min: 1, max: 255 }).map((code) => String.fromCharCode(code)) }),
      async (text) => {
        const response = await app.inject({ url: '/me', headers: { cookie: `session=${text}` } })
        return response.statusCode === 200 && response.json<{ user: unknown }>().user === null
      },
    ),
    { numRuns: 300 },
  )
  t.pass()
})

t.test('two cookies of the name are refused together, whichever comes first, and an event says so', async (t) => {
  const { app, visitor, events } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const id = ann.cookie ?? ''
  const headers = [
    `session=${id}; session=${id}`,
    `session=x; session=${id}`,
    `session=${id};session=x`,
    `session=${id}; a=1; session =x`,
    `session=${id}; session=; session=`,
  ]
  for (const cookie of headers) {
    events.length = 0
    const response = await app.inject({ url: '/me', headers: { cookie } })
    t.match(response.json(), { user: null, isAuthenticated: false }, cookie.replaceAll(id, 'ID'))
    const cleared = [response.headers['set-cookie'] ?? []].flat()
    t.notOk(
      cleared.some((line) => line.includes('Path=/;')),
      'the good cookie is not cleared',
    )
    t.match(events, [{ type: 'duplicate', count: cookie.split(/session ?=/).length - 1 }])
    t.equal(events.length, 1)
  }
})

t.test('an event tells of the same two cookies once in a minute, and of two others too', async (t) => {
  const { app, clock, events } = await world(t, { routes: ordinary })
  const told = async (cookie: string): Promise<number> => {
    events.length = 0
    await app.inject({ url: '/me', headers: { cookie } })
    return events.length
  }
  t.equal(await told('session=a; session=b'), 1)
  t.equal(await told('theme=dark; session=a;session=b; page=7'), 0, 'other cookies change nothing')
  t.equal(await told('session=a; session=c'), 1)
  t.equal(await told('session=asession=b; session=c'), 1)
  t.equal(await told('session=a; session=bsession=c'), 1, 'the same letters in other pairs')
  clock.advance('1m')
  t.equal(await told('session=a; session=b'), 1)
})

t.test('white space around the pair does no harm', async (t) => {
  const { app, visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const response = await app.inject({ url: '/me', headers: { cookie: `a=1 ;  session = ${ann.cookie}  ; b` } })
  t.match(response.json(), { user: { id: 'ann' } })
})

t.test('cookies with names like ours pass through unread', async (t) => {
  const { app, asked, events } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.get('/cookies', async (request) => request.cookies)
    },
  })
  const response = await app.inject({
    url: '/cookies',
    cookies: { sessionid: '1', 'session.sig': '2', my_session: '3' },
  })
  t.same(response.json(), { sessionid: '1', 'session.sig': '2', my_session: '3' })
  t.same(asked(), [])
  t.same(events, [])
})

t.test('the cookie of a response goes back through inject({ cookies })', async (t) => {
  const { app } = await world(t, { routes: ordinary })
  for (let round = 0; round < 20; round += 1) {
    const login = await app.inject({ method: 'POST', url: '/login' })
    const cookies = Object.fromEntries(login.cookies.map(({ name, value }) => [name, value]))
    t.match((await app.inject({ url: '/me', cookies })).json(), { user: { id: 'ann' } })
  }
})

t.test('a decode function of the app does not reach our cookie', async (t) => {
  const { visitor } = await world(t, {
    before: (server) => server.register(cookiePlugin, { parseOptions: { decode: () => 'decoded' } as never }),
    routes: ordinary,
  })
  const ann = visitor()
  await ann.post('/login')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('an id, whole or its secret half, is in no body, no log line, no event and no error', async (t) => {
  const { visitor, log, events } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.get('/fail', async (request) => {
        request.log.info({ session: request.session, user: request.user, req: request }, 'everything')
        throw Object.assign(new Error('oops'), { session: request.session })
      })
      server.get('/dump', async (request) => ({ session: request.session, id: request.session?.encryptedSessionId }))
    },
  })
  const ann = visitor()
  const said: string[] = []
  for (const url of ['/login', '/note', '/me', '/dump', '/fail', '/login', '/me', '/logout', '/me']) {
    const before = ann.cookie
    const response =
      url === '/me' || url === '/dump' || url === '/fail' ? await ann.get(url) : await ann.post(url, { a: 1 })
    said.push(response.body)
    const { 'set-cookie': _cookie, ...others } = response.headers
    said.push(JSON.stringify(others))
    for (const id of [before, ann.cookie]) {
      const secret = id?.split('.')[1]
      if (secret === undefined) continue
      const everything = [...said, log(), JSON.stringify(events)].join()
      t.notOk(everything.includes(secret), url)
    }
  }
  t.match(log(), /everything/)
})
