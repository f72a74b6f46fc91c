import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Announcement } from '../../types/index.ts'
import { mockTimers, signalWorld } from './signals.ts'
import type { Visitor, World } from './world.ts'
import { route } from './world.ts'

const ENDS: Record<string, (it: World, visitor: Visitor) => unknown> = {
  logout: (_it, visitor) => visitor.post('/logout'),
  revoked: ({ app }) => app.sessions.revokeUser('ann'),
  switched: (_it, visitor) => visitor.post('/login', { user: { id: 'bob' } }),
  changed: (_it, visitor) => visitor.post('/login', { user: { id: 'ann' } }),
  closed: ({ app }) => app.close(),
  expired: ({ clock }, visitor) => {
    clock.advance('30m')
    return visitor.get('/me')
  },
  evicted: ({ clock, visitor }) => {
    clock.advance('1m')
    return visitor().post('/login')
  },
}

for (const [detail, end] of Object.entries(ENDS)) {
  t.test(`a signal aborts with the cause: ${detail}`, async (t) => {
    const it = await signalWorld(t, detail === 'evicted' ? { session: { maxSessions: 1 } } : {})
    const ann = it.visitor()
    await ann.post('/login')
    const signal = await it.take(ann)
    t.equal(signal.aborted, false)
    await end(it, ann)
    t.equal(signal.aborted, true)
    t.match(signal.reason, { name: 'SecureSessionError', code: 'SESSION_CLOSED', detail, statusCode: 401 })
  })
}

for (const detail of ['logout', 'revoked', 'evicted']) {
  t.test(`a signal tells the cause ${detail} also where the store announces the end before it answers`, async (t) => {
    let announce: (what: Announcement) => void = () => undefined
    const it = await signalWorld(t, {
      session: detail === 'evicted' ? { maxSessions: 1 } : {},
      store: (store) => {
        const remove = store.delete.bind(store)
        return Object.assign(store, {
          subscribe: async (hear: typeof announce) => {
            announce = hear
            return async () => undefined
          },
          delete: async (handle: string, version?: number) => {
            const isDone = await remove(handle, version)
            announce({ handle })
            for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve))
            return isDone
          },
        })
      },
    })
    const ann = it.visitor()
    await ann.post('/login')
    const signal = await it.take(ann)
    await ENDS[detail]?.(it, ann)
    t.match(signal.reason, { code: 'SESSION_CLOSED', detail })
  })
}

t.test('a signal tells that everybody was logged out, here and in another process', async (t) => {
  const here = await signalWorld(t)
  const there = await signalWorld(t, { store: () => here.store })
  const [ann, sameAnn] = [here.visitor(), there.visitor()]
  await ann.post('/login')
  for (const [name, value] of ann.cookies) sameAnn.cookies.set(name, value)
  const signals = [await here.take(ann), await there.take(sameAnn)]
  const { ended } = await here.app.sessions.revokeAll()
  for (const signal of signals) {
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve))
    t.match(signal.reason, { code: 'SESSION_CLOSED', detail: 'revoked' })
  }
  await ended
})

t.test('revokeAll ends what is open before it removes the first record', async (t) => {
  const seen: boolean[] = []
  const signals: AbortSignal[] = []
  const it = await signalWorld(t, {
    store: (store) => {
      const remove = store.delete.bind(store)
      return Object.assign(store, {
        delete: async (handle: string, version?: number) => {
          seen.push(...signals.map(({ aborted }) => aborted))
          return remove(handle, version)
        },
      })
    },
  })
  const ann = it.visitor()
  await ann.post('/login')
  signals.push(await it.take(ann))
  const { ended } = await it.app.sessions.revokeAll()
  t.equal(await ended, 1)
  t.strictSame(seen, [true])
})

t.test('one request has one signal, and another one after its session ended', async (t) => {
  const it = await signalWorld(t, {
    routes: (app) =>
      route(app, '/both', async ({ session }) => {
        const first = session.signal
        const isSame = first === session.signal && 'signal' in session
        await session.destroy()
        return { isSame, isAborted: first.aborted }
      }),
  })
  const ann = it.visitor()
  await ann.post('/login')
  t.strictSame((await ann.get('/both')).json(), { isSame: true, isAborted: true })
})

t.test('a signal that is asked for before the login of the same request follows that login', async (t) => {
  const signals: AbortSignal[] = []
  const it = await signalWorld(t, {
    routes: (app) => {
      route(app, '/early', async (request) => {
        signals.push(request.session.signal)
        await request.login({ id: 'ann' })
        signals.push(request.session.signal)
      })
    },
  })
  const ann = it.visitor()
  await ann.post('/early')
  t.equal(signals[0], signals[1])
  t.equal(signals[0]?.aborted, false)
  await it.app.sessions.revokeUser('ann')
  t.equal(signals[0]?.aborted, true)
})

t.test('a signal that is asked for after the app closed is aborted', async (t) => {
  const requests: FastifyRequest[] = []
  const it = await signalWorld(t, { routes: (app) => route(app, '/keep', (request) => void requests.push(request)) })
  const ann = it.visitor()
  await ann.post('/login')
  await ann.get('/keep')
  await it.app.close()
  t.match(requests[0]?.session.signal.reason, { detail: 'closed' })
})

t.test('signals of a session are looked at in batches, where the store does not announce', async (t) => {
  const tick = mockTimers(t)
  const it = await signalWorld(t, { store: (store) => Object.assign(store, { subscribe: undefined }) })
  const signals: AbortSignal[] = []
  const handles: string[] = []
  for (let number = 0; number < 103; number += 1) {
    const visitor = it.visitor()
    const { handle } = (await visitor.post('/login', { user: { id: `u${number}` } })).json<{ handle: string }>()
    handles.push(handle)
    const signal = await it.take(visitor)
    signal.addEventListener('abort', () => undefined)
    signals.push(signal)
  }
  it.asked()
  await tick(10_000)
  t.strictSame(it.asked(), ['getMany', 'getMany'])
  await it.store.delete(handles[7] ?? '')
  await tick(10_000)
  t.strictSame(it.asked(), ['getMany', 'getMany'])
  t.match(signals[7]?.reason, { detail: 'elsewhere' })
  t.equal(signals.filter(({ aborted }) => aborted).length, 1)
})

t.test('a store that fails ends nothing before the deadline that it last gave', async (t) => {
  const tick = mockTimers(t)
  const isAway = { now: false }
  const it = await signalWorld(t, {
    store: (store) => {
      const getMany = store.getMany.bind(store)
      return Object.assign(store, {
        subscribe: () => Promise.reject(new Error('away')),
        getMany: async (handles: string[]) => {
          if (isAway.now) throw new Error('away')
          return getMany(handles)
        },
      })
    },
  })
  const visitors = [it.visitor(), it.visitor()]
  const signals: AbortSignal[] = []
  for (const visitor of visitors) {
    await visitor.post('/login')
    signals.push(await it.take(visitor))
  }
  isAway.now = true
  it.clock.advance('29m')
  await tick(10_000)
  t.strictSame(
    signals.map(({ aborted }) => aborted),
    [false, false],
  )
  it.clock.advance('1m')
  await tick(10_000)
  for (const { reason } of signals) t.match(reason, { detail: 'expired' })
  const failures = it.events.filter(({ type }) => type === 'store-failure')
  t.match(failures.slice(0, 1), [{ operation: 'subscribe' }], 'and an event tells of the subscription')
})

t.test('the name of the signal holds no data', async (t) => {
  const it = await signalWorld(t, {
    routes: (app) => route(app, '/bad', ({ session }) => void Object.assign(session, { signal: 'x' })),
  })
  t.match((await it.visitor().get('/bad')).json(), { code: 'SESSION_KEY_RESERVED' })
})

t.test('a store without the powers refuses the calls that need them', async (t) => {
  const it = await signalWorld(t, {
    store: (store) =>
      Object.assign(store, {
        raiseCutoff: undefined,
        readCutoff: undefined,
        listAll: undefined,
      }),
  })
  await t.rejects(it.app.sessions.revokeAll(), { code: 'SESSION_STORE_LACKS_CUTOFF' })
  await t.rejects(it.app.sessions.count(), { code: 'SESSION_STORE_LACKS_LISTING' })
  await t.rejects(it.app.sessions.all().next(), { code: 'SESSION_STORE_LACKS_LISTING' })
  const ann = it.visitor()
  await ann.post('/login')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})

t.test('calls refuse what they cannot use', async (t) => {
  const { app } = await signalWorld(t)
  const { sessions } = app
  const calls: (() => Promise<unknown>)[] = [
    () => sessions.get(1 as never),
    () => sessions.update(1 as never, () => undefined),
    () => sessions.update('x', 'y' as never),
    () => sessions.open(1 as never),
    () => sessions.open({} as never),
    () => sessions.open(null as never),
    () => sessions.revokeAll({ before: new Date('never') }),
    () => sessions.revokeAll({ before: 1 as never }),
    () => sessions.revokeAll({ all: true } as never),
    () => sessions.list('ann', { current: 1 as never }),
    () => sessions.rename('x', 'y', {} as never),
  ]
  for (const call of calls) await t.rejects(call(), { code: 'SESSION_OPTION_INVALID' }, String(call))
  for (const label of [undefined, '', ' ', 'x'.repeat(101), 'a\nb', '\u202etxt', 5]) {
    await t.rejects(sessions.rename('x', label as never, { userId: 'ann' }), { code: 'SESSION_LABEL_INVALID' })
  }
  t.equal(await sessions.get('no handle'), undefined)
  t.equal(await sessions.update('no handle', () => undefined), false)
  t.equal(await sessions.open('session=x; a=b'), null)
  t.equal(await sessions.open(''), null)
})

t.test(
  'a change of data from outside is refused when it gives no data, and gives up when it never comes through',
  async (t) => {
    let isBusy = false
    const it = await signalWorld(t, {
      store: (store) => {
        const update = store.update.bind(store)
        return Object.assign(store, {
          update: async (...args: Parameters<typeof update>) => !isBusy && update(...args),
        })
      },
    })
    const ann = it.visitor()
    const { handle } = (await ann.post('/login')).json<{ handle: string }>()
    const { sessions } = it.app
    for (const given of [[], 5, 'x']) {
      await t.rejects(
        sessions.update(handle, () => given as never),
        { code: 'SESSION_OPTION_INVALID' },
      )
    }
    isBusy = true
    await t.rejects(
      sessions.update(handle, () => undefined),
      { code: 'SESSION_SUPERSEDED' },
    )
    isBusy = false
    t.equal(await sessions.rename(handle, 'Phone', { userId: 'ann' }), true)
    t.equal(await sessions.rename(handle, null, { userId: 'ann' }), true)
    const found = await sessions.get(handle)
    t.match(found, { userId: 'ann', label: null })
    t.strictSame(found?.data, {})
  },
)

t.test('a login goes on where the store cannot tell whether the device is new', async (t) => {
  const it = await signalWorld(t, {
    store: (store) => {
      const listIndex = store.listIndex.bind(store)
      return Object.assign(store, {
        listIndex: async (user: string) => {
          if (user.includes('devices')) throw new Error('away')
          return listIndex(user)
        },
      })
    },
  })
  t.equal((await it.visitor().post('/login')).statusCode, 200)
  t.match(
    it.events.find(({ type }) => type === 'login'),
    { isNewDevice: null },
  )
})

t.test('a socket that is open without crossOriginProtection may come from anywhere', async (t) => {
  const it = await signalWorld(t, { session: { crossOriginProtection: false } })
  const ann = it.visitor()
  await ann.post('/login')
  const headers = { cookie: `session=${ann.cookie}`, origin: 'https://elsewhere.example', host: 'here.example' }
  const opened = await it.app.sessions.open({ headers, socket: { encrypted: true, remoteAddress: '::1' } })
  t.match(opened, { userId: 'ann' })
  opened?.close()
})

t.test('behind a proxy that rewrites the host, open serves the origins that trustedOrigins names', async (t) => {
  const it = await signalWorld(t, { session: { trustedOrigins: ['https://shop.example.com'] } })
  const ann = it.visitor()
  await ann.post('/login')
  const handshake = (origin: string) => ({
    headers: { cookie: `session=${ann.cookie}`, origin, host: 'app:3000', 'x-forwarded-host': 'shop.example.com' },
  })
  const opened = await it.app.sessions.open(handshake('https://shop.example.com'))
  t.match(opened, { userId: 'ann' })
  opened?.close()
  await t.rejects(it.app.sessions.open(handshake('https://evil.example')), { code: 'SESSION_CROSS_ORIGIN' })
})
