import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import type { FastifyInstance } from 'fastify'
import type { Test } from 'tap'
import t from 'tap'
import type { MemoryStore } from '../../lib/index.ts'
import type { Announcement, SecureSessionOptions, SessionStore } from '../../types/index.ts'
import { mockTimers, settled, signalWorld } from './signals.ts'
import type { Visitor, World } from './world.ts'
import { ordinary, route, world } from './world.ts'

/** Announces something in the name of a store. */
type Announce = (what: Announcement) => void

/** Returns a store that tells nobody of ends. */
function quiet(store: MemoryStore): SessionStore {
  return Object.assign(store, { subscribe: undefined })
}

/** Returns a change of a store that announces only what the test says, and hands the test the means. */
function toldBy(use: (announce: Announce) => void, powers: object = {}): (store: MemoryStore) => SessionStore {
  return (store) =>
    Object.assign(store, {
      ...powers,
      subscribe: async (announce: Announce) => {
        use(announce)
        return async () => undefined
      },
    })
}

const WITHOUT_CUTOFF = { readCutoff: undefined, raiseCutoff: undefined }

async function enter({ visitor }: World, user = 'ann'): Promise<{ visitor: Visitor; handle: string }> {
  const entered = visitor()
  const { handle } = (await entered.post('/login', { user: { id: user } })).json<{ handle: string }>()
  return { visitor: entered, handle }
}

interface Held {
  readonly it: World
  /** The signals that requests asked for after their release. */
  readonly signals: AbortSignal[]
  /** Resolves once a request to `/held` has its session. */
  readonly arrived: Promise<void>
  readonly release: () => void
}

/** Returns an app whose route `/held` asks for its signal when the test lets it. */
async function heldWorld(t: Test, store: (store: MemoryStore) => SessionStore): Promise<Held> {
  const signals: AbortSignal[] = []
  let arrive = (): void => undefined
  const arrived = new Promise<void>((resolve) => (arrive = resolve))
  let release = (): void => undefined
  const released = new Promise<void>((resolve) => (release = resolve))
  const it = await signalWorld(t, {
    store,
    routes: (app) =>
      route(app, '/held', async ({ session }) => {
        arrive()
        await released
        signals.push(session.signal)
      }),
  })
  return { it, signals, arrived, release }
}

t.test('a store without a cutoff announces ends, and each signal aborts at once', async (t) => {
  mockTimers(t)
  let announce: Announce = () => undefined
  const it = await signalWorld(t, { store: toldBy((given) => (announce = given), WITHOUT_CUTOFF) })
  for (const user of ['ann', 'bob']) {
    const { visitor, handle } = await enter(it, user)
    const signal = await it.take(visitor)
    await it.store.delete(handle)
    t.equal(signal.aborted, false)
    announce({ cutoff: 1 })
    announce({ handle })
    await settled()
    t.match(signal.reason, { detail: 'elsewhere' }, user)
  }
})

t.test('a session that ends before the announcements arrive is looked at when they begin', async (t) => {
  mockTimers(t)
  let begin = (): void => undefined
  const begun = new Promise<void>((resolve) => (begin = resolve))
  const subscribe = async (): Promise<() => Promise<void>> => {
    await begun
    return async () => undefined
  }
  const it = await signalWorld(t, { store: (store) => Object.assign(store, { subscribe }) })
  const { visitor, handle } = await enter(it)
  const signal = await it.take(visitor)
  await it.store.delete(handle)
  await settled()
  t.equal(signal.aborted, false)
  begin()
  await settled()
  t.equal(signal.aborted, true)
})

t.test('a store that could not announce is asked again while something is open, and no longer', async (t) => {
  const tick = mockTimers(t)
  let now = performance.now()
  t.intercept(performance, 'now', { value: () => now })
  let asked = 0
  const it = await signalWorld(t, {
    store: (store) =>
      Object.assign(store, {
        ...WITHOUT_CUTOFF,
        subscribe: async () => {
          asked += 1
          throw new Error('away')
        },
      }),
  })
  const { visitor } = await enter(it)
  await it.take(visitor)
  await settled()
  t.equal(asked, 1)
  now += 60_000
  await tick(10_000)
  t.equal(asked, 2)
  await visitor.post('/logout')
  await tick(10_000)
  now += 60_000
  for (let looks = 0; looks < 3; looks += 1) await tick(10_000)
  t.equal(asked, 2)
})

t.test('a signal aborts at the deadline of its session, before the next look', async (t) => {
  const tick = mockTimers(t)
  const it = await signalWorld(t, { store: quiet, session: { idleTimeout: '5s', renewalTimeout: '5s' } })
  const signal = await it.take((await enter(it)).visitor)
  it.clock.advance('5s')
  await tick(5_000)
  t.match(signal.reason, { detail: 'expired' })
})

for (const isAway of [false, true]) {
  t.test(
    `a look before the deadline leads to one at the deadline${isAway ? ', also when the store fails' : ''}`,
    async (t) => {
      const tick = mockTimers(t)
      const failing = { now: false }
      const it = await signalWorld(t, { store: (store) => failingIf(quiet(store), failing) })
      const signal = await it.take((await enter(it)).visitor)
      failing.now = isAway
      it.clock.advance('1795s')
      await tick(10_000)
      t.equal(signal.aborted, false)
      it.clock.advance('5s')
      await tick(5_000)
      t.match(signal.reason, { detail: 'expired' })
    },
  )
}

function failingIf(store: SessionStore, failing: { now: boolean }): SessionStore {
  const get = store.get.bind(store)
  return Object.assign(store, {
    get: async (...args: Parameters<typeof get>) => {
      if (failing.now) throw new Error('away')
      return get(...args)
    },
  })
}

t.test('a store that fails ends nothing before the deadline that a look found', async (t) => {
  const tick = mockTimers(t)
  const failing = { now: false }
  const it = await signalWorld(t, { store: (store) => failingIf(quiet(store), failing) })
  const { visitor } = await enter(it)
  const signal = await it.take(visitor)
  it.clock.advance('20m')
  await visitor.get('/me')
  await tick(10_000)
  failing.now = true
  it.clock.advance('29m')
  await tick(10_000)
  t.equal(signal.aborted, false)
  it.clock.advance('1m')
  await tick(10_000)
  t.match(signal.reason, { detail: 'expired' })
})

t.test('a record that is gone at its deadline has expired, whoever removed it', async (t) => {
  const tick = mockTimers(t)
  const it = await signalWorld(t, { store: quiet })
  const { visitor, handle } = await enter(it)
  const signal = await it.take(visitor)
  await it.store.delete(handle)
  it.clock.advance('30m')
  await tick(10_000)
  t.match(signal.reason, { detail: 'expired' })
})

t.test('a session that ended is not looked at any more, although its signal is kept', async (t) => {
  const tick = mockTimers(t)
  const it = await signalWorld(t, { store: quiet })
  const { visitor } = await enter(it)
  const signal = await it.take(visitor)
  await visitor.post('/logout')
  t.equal(signal.aborted, true)
  it.asked()
  await tick(10_000)
  t.strictSame(it.asked(), [])
})

t.test('a session that is closed twice ends no watch over what was opened in between', async (t) => {
  const it = await signalWorld(t)
  const { visitor } = await enter(it)
  const cookie = `session=${visitor.cookie}`
  const first = await it.app.sessions.open(cookie)
  await settled()
  first?.close()
  const second = await it.app.sessions.open(cookie)
  await settled()
  first?.close()
  await visitor.post('/logout')
  t.equal(second?.signal.aborted, true)
})

t.test('a signal that is asked for after its session ended in another request aborts', async (t) => {
  mockTimers(t)
  const { it, signals, arrived, release } = await heldWorld(t, quiet)
  const { visitor } = await enter(it)
  const late = visitor.get('/held')
  await arrived
  await it.app.sessions.revokeUser('ann')
  release()
  await late
  await settled()
  t.equal(signals[0]?.aborted, true)
})

t.test('a signal that is asked for after another process ended its session aborts', async (t) => {
  mockTimers(t)
  let announce: Announce = () => undefined
  const { it, signals, arrived, release } = await heldWorld(
    t,
    toldBy((given) => (announce = given)),
  )
  const { visitor, handle } = await enter(it)
  const late = visitor.get('/held')
  await arrived
  await it.store.delete(handle)
  announce({ handle })
  release()
  await late
  await settled()
  t.equal(signals[0]?.aborted, true)
})

t.test('announced ends of sessions with which nothing is open ask nothing of the store', async (t) => {
  let announce: Announce = () => undefined
  const it = await signalWorld(t, { store: toldBy((given) => (announce = given)) })
  const entered = [await enter(it), await enter(it, 'bob')]
  await entered[0]?.visitor.get('/me')
  it.asked()
  for (const { handle } of entered) announce({ handle })
  await settled()
  t.strictSame(it.asked(), [])
})

t.test('app.close ends the subscription before the store closes, and asks for the cutoff no more', async (t) => {
  const tick = mockTimers(t)
  const order: string[] = []
  let cutoffs = 0
  const it = await signalWorld(t, {
    store: (store) => {
      const readCutoff = store.readCutoff.bind(store)
      return Object.assign(store, {
        readCutoff: async () => {
          cutoffs += 1
          return readCutoff()
        },
        subscribe: async () => async () => {
          await settled()
          order.push('subscription ended')
        },
        close: async () => void order.push('store closed'),
      })
    },
  })
  await (await enter(it)).visitor.get('/me')
  await tick(500)
  const before = cutoffs
  await tick(500)
  t.ok(cutoffs > before, 'while the app is open')
  await it.app.close()
  t.strictSame(order, ['subscription ended', 'store closed'])
  const last = cutoffs
  await tick(500)
  t.equal(cutoffs, last)
})

t.test('revokeAll removes no record before a slow store has ended everything that is open', async (t) => {
  const signals: AbortSignal[] = []
  const seen: boolean[][] = []
  const slow = { now: false }
  const it = await signalWorld(t, {
    store: (store) => {
      const { get, getMany } = { get: store.get.bind(store), getMany: store.getMany.bind(store) }
      const remove = store.delete.bind(store)
      return Object.assign(quiet(store), {
        get: async (...args: Parameters<typeof get>) => {
          if (slow.now) await settled()
          return get(...args)
        },
        getMany: async (handles: string[]) => {
          await settled()
          return getMany(handles)
        },
        delete: async (...args: Parameters<typeof remove>) => {
          seen.push(signals.map(({ aborted }) => aborted))
          return remove(...args)
        },
      })
    },
  })
  for (const users of [['ann'], ['ann', 'bob']]) {
    seen.length = 0
    signals.length = 0
    slow.now = false
    for (const user of users) signals.push(await it.take((await enter(it, user)).visitor))
    slow.now = true
    await (
      await it.app.sessions.revokeAll()
    ).ended
    t.strictSame(
      seen[0],
      users.map(() => true),
    )
  }
})

/** Users with passwords, and how often they were asked for. */
interface People {
  readonly passwords: Map<string, string>
  asked: number
  isAway: boolean
}

function people(): { session: SecureSessionOptions; people: People } {
  const known: People = { passwords: new Map(), asked: 0, isAway: false }
  const passwordOf = (id: string): string => known.passwords.get(id) ?? 'first'
  return {
    people: known,
    session: {
      loadUser: async (id) => {
        known.asked += 1
        if (known.isAway) throw new Error('away')
        return { id, password: passwordOf(id) }
      },
      authHash: ({ password }) => String(password),
    },
  }
}

function actingRoute(app: FastifyInstance): void {
  route(app, '/act', (request) => request.actAs({ id: 'bob' }, { reason: 'ticket 7', for: '30m' }))
}

t.test('new credentials end each of many sessions that a look reads together', async (t) => {
  const tick = mockTimers(t)
  const { session, people: known } = people()
  const it = await signalWorld(t, { store: quiet, session })
  const signals = [await it.take((await enter(it)).visitor), await it.take((await enter(it, 'bob')).visitor)]
  known.passwords.set('ann', 'second')
  it.clock.advance('60s')
  await tick(10_000)
  t.match(signals[0]?.reason, { detail: 'auth-hash' })
  t.equal(signals[1]?.aborted, false)
})

t.test('new credentials of an actor end the session in which the actor acts', async (t) => {
  const tick = mockTimers(t)
  const { session, people: known } = people()
  const it = await signalWorld(t, { store: quiet, session, routes: actingRoute })
  const { visitor } = await enter(it)
  await visitor.post('/act')
  const signal = await it.take(visitor)
  known.passwords.set('ann', 'second')
  it.clock.advance('60s')
  await tick(10_000)
  t.match(signal.reason, { detail: 'auth-hash' })
})

t.test('a session whose new credentials cannot be acted on ends once the store answers again', async (t) => {
  const tick = mockTimers(t)
  const { session, people: known } = people()
  let isAway = false
  const it = await signalWorld(t, {
    session,
    store: (store) => {
      const remove = store.delete.bind(store)
      return Object.assign(quiet(store), {
        delete: async (...args: Parameters<typeof remove>) => {
          await settled()
          if (isAway) throw new Error('away')
          return remove(...args)
        },
      })
    },
  })
  const signal = await it.take((await enter(it)).visitor)
  known.passwords.set('ann', 'second')
  isAway = true
  it.clock.advance('60s')
  await tick(10_000)
  await settled()
  t.equal(signal.aborted, false)
  isAway = false
  it.clock.advance('60s')
  await tick(10_000)
  await settled()
  t.match(signal.reason, { detail: 'auth-hash' })
})

t.test('a user who cannot be asked for is asked for once in authCheckInterval, as is the actor', async (t) => {
  const tick = mockTimers(t)
  const { session, people: known } = people()
  const it = await signalWorld(t, { store: quiet, session, routes: actingRoute })
  const { visitor } = await enter(it)
  await visitor.post('/act')
  await it.take(visitor)
  await it.take((await enter(it, 'carl')).visitor)
  known.isAway = true
  it.clock.advance('60s')
  known.asked = 0
  await tick(10_000)
  t.equal(known.asked, 3)
  it.clock.advance('59s')
  await tick(10_000)
  t.equal(known.asked, 3)
  it.clock.advance('1s')
  await tick(10_000)
  t.equal(known.asked, 6)
})

t.test('a remembered session of months sets no timer for its deadline', async (t) => {
  const it = await signalWorld(t, { store: quiet, session: { rememberTimeout: '90d' } })
  const visitor = it.visitor()
  await visitor.post('/login', { options: { remember: true } })
  const warnings: string[] = []
  const hear = ({ name }: Error): void => void warnings.push(name)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  await it.take(visitor)
  await settled()
  t.strictSame(warnings, [], 'a longer timer than Node has would fire at once, again and again')
})

t.test('a signal that nobody holds or listens to is forgotten', async (t) => {
  const tick = mockTimers(t)
  setFlagsFromString('--expose-gc')
  const collect = runInNewContext('gc') as () => void
  const it = await world(t, {
    store: quiet,
    routes: (app) => (ordinary(app), route(app, '/look', ({ session }) => ({ isEnded: session.signal.aborted }))),
  })
  await (await enter(it)).visitor.get('/look')
  it.asked()
  await tick(10_000)
  t.strictSame(it.asked(), ['get'])
  collect()
  await tick(10_000)
  t.strictSame(it.asked(), [])
})
