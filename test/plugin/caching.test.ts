import type { AddressInfo } from 'node:net'
import type { FastifyRequest } from 'fastify'
import t from 'tap'
import { cookiePlugin, ordinary, recordingStore, route, SECRET, world } from './world.ts'
import { memoryStore } from '../../lib/index.ts'
import { testClock } from '../support/clock.ts'

t.test('a plain response to nobody says nothing of cookies and caches', async (t) => {
  const { visitor } = await world(t)
  const { headers } = await visitor().get('/plain')
  t.equal(headers['cache-control'], undefined)
  t.equal(headers['vary'], undefined)
  t.equal(headers['set-cookie'], undefined)
})

t.test('a plain response to somebody, too', async (t) => {
  const { visitor } = await world(t, { routes: ordinary })
  const ann = visitor()
  await ann.post('/login')
  const { headers } = await ann.get('/plain')
  t.equal(headers['cache-control'], undefined)
  t.equal(headers['vary'], undefined)
})

t.test(
  'whoever looks at the session, or at who is asking, makes the response vary by cookie, nobody too',
  async (t) => {
    const looks: Record<string, (request: FastifyRequest) => unknown> = {
      user: (request) => request.user,
      isAuthenticated: (request) => request.isAuthenticated(),
      authenticatedAt: (request) => request.authenticatedAt,
      session: (request) => request.session.sessionId,
    }
    const { visitor } = await world(t, {
      routes: (server) => {
        ordinary(server)
        for (const [name, look] of Object.entries(looks)) {
          route(server, `/${name}`, (request) => ({ seen: look(request) }))
        }
        server.get('/members', { preHandler: server.requireLogin() }, async () => ({ ok: true }))
      },
    })
    const ann = visitor()
    await ann.post('/login')
    for (const url of [...Object.keys(looks), 'members']) {
      for (const one of [ann, visitor()]) {
        const { headers } = await one.get(`/${url}`)
        t.equal(headers['vary'], 'Cookie', url)
        t.equal(headers['cache-control'], undefined, url)
      }
    }
  },
)

t.test('Vary joins what is there', async (t) => {
  const cases = [
    ['Accept-Encoding', 'Accept-Encoding, Cookie'],
    ['cookie', 'cookie'],
    ['Accept, COOKIE , Origin', 'Accept, COOKIE , Origin'],
    ['*', '*'],
    ['Cookie-Consent', 'Cookie-Consent, Cookie'],
    [['Accept', 'Origin'], 'Accept,Origin, Cookie'],
  ] as const
  for (const [before, after] of cases) {
    const { visitor } = await world(t, {
      routes: (server) =>
        route(server, '/vary', (request, reply) => {
          reply.header('vary', before)
          return { user: request.user }
        }),
    })
    t.equal((await visitor().get('/vary')).headers['vary'], after)
  }
})

t.test('a response that sets or clears the cookie is stored nowhere, whatever the app had said', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      server.addHook('onRequest', async (_request, reply) => {
        reply.header('cache-control', 'public, max-age=60')
      })
      ordinary(server)
    },
  })
  const ann = visitor()
  for (const url of ['/note', '/login', '/logout']) {
    const { headers } = await ann.post(url, url === '/note' ? { a: 1 } : {})
    t.ok(headers['set-cookie'], url)
    t.equal(headers['cache-control'], 'no-store', url)
  }
  t.equal((await ann.get('/me')).headers['cache-control'], 'public, max-age=60')
})

t.test('a web Response with headers of its own is kept from shared caches like any other reply', async (t) => {
  const own = { 'cache-control': 'public, max-age=60', vary: 'Origin', 'set-cookie': 'theirs=1' }
  const seen: string[] = []
  const { visitor } = await world(t, {
    session: { clearSiteData: true },
    routes: (server) => {
      server.addHook('onSend', async (_request, _reply, payload) => {
        if (payload instanceof Response) seen.push(await payload.clone().text())
      })
      route(server, '/login', async (request) => {
        await request.login({ id: 'ann' })
        return new Response('welcome', { headers: own })
      })
      route(server, '/me', (request) => new Response(request.user?.id, { headers: own }))
      route(server, '/page', () => new Response('for all', { headers: own }))
      route(server, '/logout', async (request) => {
        await request.logout()
        return new Response('bye', { headers: { ...own, 'clear-site-data': '"cookies"' } })
      })
    },
  })
  const ann = visitor()
  const login = await ann.post('/login')
  t.match(login, { body: 'welcome', headers: { 'cache-control': 'no-store', vary: 'Origin, Cookie' } })
  t.same(
    login.cookies.map(({ name }) => name),
    ['session', 'theirs'],
  )
  t.match(await ann.get('/me'), { body: 'ann', headers: { ...own, vary: 'Origin, Cookie' } })
  t.match(await ann.get('/page'), { body: 'for all', headers: own })
  t.match((await ann.post('/logout')).headers, {
    'cache-control': 'no-store',
    'clear-site-data': '"cache", "storage"',
  })
  t.same(seen, ['welcome', 'ann', 'for all', 'bye'], 'later hooks see a Response')
})

t.test('a Response that was fetched, and one that is sent again and again, keep their own headers', async (t) => {
  const empty = new Response(null, { status: 204, headers: { vary: 'Origin' } })
  const { app, visitor } = await world(t, {
    routes: (server) => {
      server.get('/origin', async (_request, reply) => {
        reply.header('vary', 'Accept').header('x-origin', 'yes')
        return { from: 'origin' }
      })
      server.get('/proxy', async (request) => {
        if (request.user !== null) throw new Error('nobody is logged in')
        return fetch(new URL('/origin', `http://127.0.0.1:${(server.server.address() as AddressInfo).port}`))
      })
      server.get('/empty', async (request) => {
        request.isAuthenticated()
        return empty
      })
    },
  })
  await app.listen({ host: '127.0.0.1', port: 0 })
  t.match(await visitor().get('/proxy'), {
    statusCode: 200,
    body: '{"from":"origin"}',
    headers: { vary: 'Accept, Cookie', 'x-origin': 'yes' },
  })
  for (let count = 0; count < 2; count += 1) {
    t.match(await visitor().get('/empty'), { statusCode: 204, headers: { vary: 'Origin, Cookie' } })
  }
  t.equal(empty.headers.get('vary'), 'Origin')
})

t.test('the cookie of production, set and cleared with the same attributes', async (t) => {
  const clock = testClock()
  const { app } = await world(t, {
    session: {
      environment: 'production',
      tls: 'proxy',
      store: recordingStore(memoryStore({ clock }), []),
      clock,
      maxSessions: 9,
      secret: SECRET,
    },
    fastify: { trustProxy: true },
    routes: ordinary,
  })
  const headers = { 'x-forwarded-proto': 'https' }
  const login = await app.inject({ method: 'POST', url: '/login', headers })
  t.match(
    login.headers['set-cookie'],
    /^__Host-session=[\w.-]{22}\.[\w-]{43}\.[\w-]{43}; Path=\/; HttpOnly; Secure; SameSite=Lax$/,
  )
  const cookie = String(login.headers['set-cookie']).split(';', 1)[0] ?? ''
  const logout = await app.inject({ method: 'POST', url: '/logout', headers: { ...headers, cookie } })
  t.equal(
    logout.headers['set-cookie'],
    '__Host-session=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Secure; SameSite=Lax',
  )
})

t.test('every attribute that the options name is on the cookie', async (t) => {
  const clock = testClock()
  const { app } = await world(t, {
    session: {
      environment: 'production',
      tls: 'proxy',
      store: recordingStore(memoryStore({ clock }), []),
      clock,
      maxSessions: 9,
      cookie: {
        name: '__Secure-app',
        domain: 'bank.example',
        path: '/app',
        sameSite: 'none',
        partitioned: true,
        priority: 'high',
      },
    },
    routes: ordinary,
  })
  const login = await app.inject({ method: 'POST', url: '/login', payload: { options: { remember: true } } })
  const [value, ...attributes] = String(login.headers['set-cookie']).split('; ')
  t.match(value, /^__Secure-app=/)
  t.same(attributes.toSorted(), [
    'Domain=bank.example',
    'HttpOnly',
    'Max-Age=1209600',
    'Partitioned',
    'Path=/app',
    'Priority=High',
    'SameSite=None',
    'Secure',
  ])
  const logout = await app.inject({ method: 'POST', url: '/logout', headers: { cookie: value ?? '' } })
  const [, ...cleared] = String(logout.headers['set-cookie']).split('; ')
  t.same(
    cleared.filter((one) => !/^(Max-Age|Expires)=/.test(one)).toSorted(),
    attributes.filter((one) => !one.startsWith('Max-Age')).toSorted(),
  )
})

t.test('in development the cookie is Secure exactly over https', async (t) => {
  const { app } = await world(t, { fastify: { trustProxy: true }, routes: ordinary })
  const http = await app.inject({ method: 'POST', url: '/login' })
  t.notMatch(http.headers['set-cookie'], /Secure/)
  t.match(http.headers['set-cookie'], /^session=/)
  const https = await app.inject({ method: 'POST', url: '/login', headers: { 'x-forwarded-proto': 'https' } })
  t.match(https.headers['set-cookie'], /Secure/)
})

t.test('defaults that the app gave to @fastify/cookie do not reach our cookie', async (t) => {
  const { visitor } = await world(t, {
    before: (app) =>
      app.register(cookiePlugin, {
        secret: 'a secret of the app itself, long enough',
        parseOptions: {
          domain: 'evil.example',
          path: '/x',
          maxAge: 5,
          expires: new Date(0),
          httpOnly: false,
          secure: true,
          sameSite: 'none',
          signed: true,
          priority: 'low',
          partitioned: true,
        },
      }),
    routes: (server) => {
      ordinary(server)
      route(server, '/own', (_request, reply) => {
        reply.setCookie('own', '1')
      })
    },
  })
  const ann = visitor()
  const login = await ann.post('/login')
  t.match(login.headers['set-cookie'], /^session=[\w.-]+; Path=\/; HttpOnly; SameSite=Lax$/)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
  const logout = await ann.post('/logout')
  t.equal(
    logout.headers['set-cookie'],
    'session=; Max-Age=0; Path=/; Expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; SameSite=Lax',
  )
  t.match((await ann.post('/own')).headers['set-cookie'], /Domain=evil.example/, 'the app’s own cookies keep them')
})

t.test('cookies of the app stand beside ours', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) =>
      route(server, '/both', async (request, reply) => {
        reply.setCookie('theme', 'dark')
        await request.login({ id: 'ann' })
        reply.setCookie('lang', 'de')
      }),
  })
  const response = await visitor().post('/both')
  t.same(response.cookies.map(({ name }) => name).toSorted(), ['lang', 'session', 'theme'])
})

t.test(
  'a response that fails after its cookie was set takes it back, and leaves the app’s cookies alone',
  async (t) => {
    const { app, visitor, store } = await world(t, {
      routes: (server) => {
        ordinary(server)
        server.get(
          '/late',
          {
            onSend: async (request, reply) => {
              if (reply.statusCode === 200) throw new Error(`too late for ${request.method}`)
            },
          },
          async (request, reply) => {
            if ((request.query as { theme?: string }).theme !== undefined) reply.setCookie('theme', 'dark')
            await request.login({ id: 'bob' })
            return {}
          },
        )
      },
    })
    const ann = visitor()
    await ann.post('/login')
    const before = ann.cookie
    const failed = await ann.get('/late?theme=1')
    t.equal(failed.statusCode, 500)
    t.same(
      failed.cookies.map(({ name }) => name),
      ['theme'],
    )
    t.equal(ann.cookie, before)
    t.match((await ann.get('/me')).json(), { user: { id: 'ann' } }, 'the old session is back in place')
    t.equal((await visitor().get('/late')).headers['set-cookie'], undefined)
    t.equal(store.size, 1)
    t.same(await app.sessions.list('bob'), [])
  },
)

t.test('an app that removes the cookie itself and then fails leaves nothing to take back', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      server.get(
        '/strip',
        {
          onSend: async (_request, reply) => {
            if (reply.statusCode !== 200) return
            reply.removeHeader('set-cookie')
            throw new Error('too late')
          },
        },
        async (request) => {
          await request.login({ id: 'ann' })
          return {}
        },
      )
    },
  })
  const response = await visitor().get('/strip')
  t.equal(response.statusCode, 500)
  t.equal(response.headers['set-cookie'], undefined)
})

t.test('a response that is tried twice sets the cookie once', async (t) => {
  const { visitor } = await world(t, {
    routes: (server) => {
      ordinary(server)
      server.get(
        '/picky',
        {
          onSend: async (_request, reply) => {
            if (reply.statusCode === 200) throw Object.assign(new Error('not acceptable'), { statusCode: 406 })
          },
        },
        async (request) => {
          await request.login({ id: 'ann' })
          return {}
        },
      )
    },
  })
  const ann = visitor()
  const response = await ann.get('/picky')
  t.equal(response.statusCode, 406)
  t.equal([response.headers['set-cookie']].flat().length, 1)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('caches that have a header of their own are told as well', async (t) => {
  const own = {
    'cache-control': 'public, max-age=60',
    'cdn-cache-control': 'max-age=600',
    'Cloudflare-CDN-Cache-Control': 'max-age=600',
    'surrogate-control': 'max-age=600',
  }
  const names = Object.keys(own).map((name) => name.toLowerCase())
  const { visitor } = await world(t, {
    routes: (server) => {
      server.post('/enter', async (request, reply) => {
        await request.login({ id: 'ann' })
        return reply.headers(own).send('welcome')
      })
      server.post('/enter-web', async (request) => {
        await request.login({ id: 'ann' })
        return new Response('welcome', { headers: own })
      })
      server.get('/page', async (_request, reply) => reply.headers(own).send('for all'))
    },
  })
  for (const url of ['/enter', '/enter-web']) {
    const { headers } = await visitor().post(url)
    for (const name of names) t.equal(headers[name], 'no-store', `${name} of ${url}`)
  }
  const { headers } = await visitor().get('/page')
  for (const name of names) t.not(headers[name], 'no-store', `${name} of a page for all`)
})
