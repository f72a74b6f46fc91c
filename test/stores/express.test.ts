import { createRequire } from 'node:module'
import { mock } from 'node:test'
import { Pool } from 'pg'
import { createClient } from 'redis'
import t from 'tap'
import { encodeRecord, keyOf } from '../../lib/stores/codec.ts'
import type { ExpressSessionStore } from '../../lib/stores/express.ts'
import { expressStore } from '../../lib/stores/express.ts'
import { recordAt, TestClock } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/store-contract.ts'
import type { SessionRecord } from '../../types/index.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'

/** The powers that an adapted store does not have. */
const POWERS: ReadonlySet<string> = new Set(['index', 'sweep', 'many', 'listing', 'cutoff', 'announcing', 'clock'])

/** Loads packages that bring no types, or types that need others. */
const require = createRequire(import.meta.url)
const expressSession = require('express-session') as { MemoryStore: new () => MemoryStore }
const connectPgSimple = require('connect-pg-simple') as (
  session: unknown,
) => new (options: object) => ExpressSessionStore & { close(): void }

const { RedisStore } = require('connect-redis') as { RedisStore: new (options: object) => ExpressSessionStore }

interface MemoryStore extends ExpressSessionStore {
  sessions: Record<string, string>
}

type Session = { cookie: Record<string, unknown>; guard: string }
type Answer = (error?: unknown, session?: unknown) => void

const server = await startPostgres(t)
const pool = new Pool({ connectionString: server.url, connectionTimeoutMillis: 2000 })
// The app has to listen because connect-pg-simple does not.
pool.on('error', () => undefined)
t.teardown(() => pool.end())

t.test("the store contract, on express-session's own store", async (t) => {
  for (const check of storeContract((clock) => {
    const inner = new expressSession.MemoryStore()
    const damage = async (handle: string): Promise<void> => {
      inner.sessions[keyOf(handle)] = '{"cookie":{},"guard":"{"}'
    }
    return { store: expressStore(inner, { clock }), damage }
  })) {
    if (!POWERS.has(check.part)) t.test(check.name, () => check.run())
  }
})

t.test('the store contract, on connect-redis', async (t) => {
  const redis = await startRedis(t)
  const client = await createClient({ url: redis.url }).connect()
  t.teardown(() => client.close())
  const inner = new RedisStore({ client })
  for (const check of storeContract((clock) => ({
    store: expressStore(inner, { clock }),
    damage: async (handle) => {
      await client.set(`sess:${keyOf(handle)}`, '{"cookie"')
    },
  }))) {
    if (!POWERS.has(check.part)) t.test(check.name, () => check.run())
  }

  const store = expressStore(inner)
  const record = recordAt(Date.now())
  await store.create(record)
  const ttl = await client.ttl(`sess:${record.handle}`)
  t.ok(ttl > 50 && ttl <= 60, 'the server forgets it with the idle deadline', { ttl })
})

t.test('the store contract, on connect-pg-simple', async (t) => {
  const PgStore = connectPgSimple(expressSession)
  const inner = new PgStore({ pool, createTableIfMissing: true, pruneSessionInterval: false })
  t.teardown(() => inner.close())
  for (const check of storeContract((clock) => ({
    store: expressStore(inner, { clock }),
    damage: async (handle) => {
      await pool.query(`UPDATE session SET sess = '[]' WHERE sid = $1`, [keyOf(handle)])
    },
  }))) {
    if (!POWERS.has(check.part)) t.test(check.name, () => check.run())
  }
})

/** Sessions in a Map, answering as each test wants it. */
function mapStore(
  changes: Partial<ExpressSessionStore> = {},
): ExpressSessionStore & { readonly held: Map<string, Session> } {
  const held = new Map<string, Session>()
  return {
    held,
    get: (id, answer) => answer(null, held.get(id)),
    set(id, session, answer) {
      held.set(id, session as Session)
      answer()
    },
    destroy(id, answer) {
      held.delete(id)
      answer()
    },
    ...changes,
  }
}

t.test('the store gets a session in the shape it knows, whose expiry is the idle deadline', async (t) => {
  const clock = new TestClock()
  const inner = mapStore()
  const store = expressStore(inner, { clock: clock.read })
  const record = recordAt(clock.now)
  await store.create(record)
  t.strictSame(inner.held.get(record.handle)?.cookie, {
    originalMaxAge: 60_000,
    maxAge: 60_000,
    expires: new Date(record.idleDeadline),
    httpOnly: true,
    path: '/',
  })
  clock.advance(10_000)
  const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 90_000 }
  await store.touch(record.handle, record.version, seen)
  t.match(inner.held.get(record.handle)?.cookie, { maxAge: 90_000, expires: new Date(seen.idleDeadline) })
  await store.update({ ...record, version: 8, idleDeadline: clock.now - 1 }, 7)
  t.match(inner.held.get(record.handle)?.cookie, { maxAge: 0 }, 'never negative')
})

t.test('a session that has expired is removed when its id comes back, and that is said once', async (t) => {
  const clock = new TestClock()
  const inner = mapStore()
  const store = expressStore(inner, { clock: clock.read })
  const heard: string[] = []
  const reports = { onExpired: ({ handle }: SessionRecord) => void heard.push(handle) }
  const record = recordAt(clock.now)
  await store.create(record)
  clock.advance(60_000)
  const reads = [1, 2].map(() => store.get(record.handle, reports))
  t.strictSame(await Promise.all(reads), [undefined, undefined])
  t.equal(inner.held.size, 0)
  t.strictSame(heard, [record.handle])
})

t.test('a session that has expired is reported after the store has removed it', async (t) => {
  const clock = new TestClock()
  const events: string[] = []
  const inner = mapStore({
    destroy: (_id, answer) => setImmediate(() => (events.push('removed'), answer())),
  })
  const store = expressStore(inner, { clock: clock.read })
  const record = recordAt(clock.now)
  await store.create(record)
  clock.advance(60_000)
  await store.get(record.handle, { onExpired: () => void events.push('reported') })
  t.strictSame(events, ['removed', 'reported'])
})

t.test('a session that another process used just before it would be removed stays', async (t) => {
  const clock = new TestClock()
  const used = recordAt(clock.now + 60_000)
  const source = mapStore()
  await expressStore(source, { clock: clock.read }).create(used)
  const record = { ...used, idleDeadline: clock.now + 1 }
  let reads = 0
  const inner = mapStore({
    get(id, answer) {
      reads += 1
      answer(null, reads > 2 ? source.held.get(id) : inner.held.get(id))
    },
  })
  const store = expressStore(inner, { clock: clock.read })
  await store.create(record)
  clock.advance(1)
  t.equal(await store.get(record.handle), undefined)
  t.equal(inner.held.size, 1)
})

t.test('a secret or data in a column of its own is nothing that the store sees', async (t) => {
  const inner = mapStore()
  await expressStore(inner).create(recordAt(Date.now()))
  const [session] = inner.held.values()
  t.strictSame(Object.keys(session ?? {}), ['cookie', 'guard'])
  t.type(session?.guard, 'string')
})

t.test('a store may answer by promise', async (t) => {
  const held = new Map<string, unknown>()
  const store = expressStore({
    get: async (id: string) => held.get(id),
    set: async (id: string, session: object) => void held.set(id, session),
    destroy: async (id: string) => void held.delete(id),
  })
  const record = recordAt(Date.now())
  t.equal(await store.create(record), true)
  t.strictSame(await store.get(record.handle), record)
  t.equal(await store.delete(record.handle), true)
  t.equal(await store.get(record.handle), undefined)
})

t.test('a promise that comes before the callback is no answer', async (t) => {
  const inner = mapStore()
  const early = mapStore({
    get: async (id, answer) => void setImmediate(() => answer(null, inner.held.get(id))),
    set: async (id, session, answer) => void setImmediate(() => inner.set(id, session, answer)),
    destroy: async (id, answer) => void setImmediate(() => inner.destroy(id, answer)),
  })
  const store = expressStore(early)
  const record = recordAt(Date.now())
  t.equal(await store.create(record), true)
  t.equal(inner.held.size, 1)
  t.strictSame(await store.get(record.handle), record)
  t.equal(await store.delete(record.handle), true)
  t.equal(inner.held.size, 0)
})

t.test('the first callback counts, and those after it hurt nobody', async (t) => {
  const record = recordAt(Date.now())
  const inner = mapStore()
  await expressStore(inner).create(record)
  const store = expressStore(
    mapStore({
      get(id, answer) {
        answer(null, inner.held.get(id))
        answer(null, null)
        answer(new Error('again'))
        throw new Error('and again')
      },
    }),
  )
  t.strictSame(await store.get(record.handle), record)
})

t.test('a store that fails is an error with its cause, however it fails', async (t) => {
  const broken = new Error('the server is gone')
  const ways: Record<string, ExpressSessionStore['get']> = {
    callback: (_id, answer) => answer(broken),
    exception() {
      throw broken
    },
    promise: async () => {
      throw broken
    },
    'promise beside a callback': async (_id, _answer) => {
      throw broken
    },
  }
  for (const [way, get] of Object.entries(ways)) {
    const store = expressStore(mapStore({ get }))
    const record = recordAt(Date.now())
    const seen = { lastSeenAt: 0, idleDeadline: 0 }
    await t.rejects(store.get('x'), broken, way)
    await t.rejects(store.create(record), broken, way)
    await t.rejects(store.update(record, 1), broken, way)
    await t.rejects(store.touch('x', 1, seen), broken, way)
    await t.rejects(store.delete('x'), broken, way)
  }
  const words = expressStore(mapStore({ get: (_id, answer) => answer('no error object') }))
  await t.rejects(words.get('x'), { message: 'no error object' })
  const nothing = expressStore(mapStore({ get: () => Promise.reject(undefined) }))
  await t.rejects(nothing.get('x'), { message: 'unknown error' })
  const write = expressStore(mapStore({ set: (_id, _session, answer) => answer(broken) }))
  await t.rejects(write.create(recordAt(Date.now())), broken)
  const end = mapStore({ destroy: (_id, answer) => answer(broken) })
  const record = recordAt(Date.now())
  await expressStore(end).create(record)
  await t.rejects(expressStore(end).delete(record.handle), broken)
})

t.test(
  'a store that never answers is an error within the time limit, and writes that wait for it are not made',
  async (t) => {
    mock.timers.enable({ apis: ['setTimeout'] })
    t.teardown(() => mock.timers.reset())
    const time = { now: 0 }
    t.intercept(performance, 'now', { value: () => time.now })
    const answers: Answer[] = []
    const inner = mapStore({ get: (_id, answer) => answers.push(answer) })
    const store = expressStore(inner, { timeout: '50ms' })
    const record = recordAt(Date.now())
    const refused = Promise.all([
      t.rejects(store.get(record.handle), /no answer within 50 ms/),
      t.rejects(store.create(record), /no answer within 50 ms/),
      t.rejects(store.create(record), /no turn to write within 50 ms/),
    ])
    await new Promise((resolve) => setImmediate(resolve))
    time.now = 51
    mock.timers.tick(51)
    await refused
    t.equal(answers.length, 2)
    for (const answer of answers) answer(null, null)
    t.equal(inner.held.size, 0)
  },
)

t.test('a session that the store could not parse is damaged, and a session without a file is absent', async (t) => {
  const heard: string[] = []
  const failing = (error: Error): ReturnType<typeof expressStore> => {
    return expressStore(mapStore({ get: (_id, answer) => answer(error) }))
  }
  const reports = { onDamaged: (handle: string) => void heard.push(handle) }
  t.equal(await failing(new SyntaxError('Unexpected token')).get('a', reports), undefined)
  t.strictSame(heard, ['a'])
  t.equal(await failing(Object.assign(new Error('no file'), { code: 'ENOENT' })).get('b', reports), undefined)
  t.strictSame(heard, ['a'])
  const list = { guard: [encodeRecord(recordAt(Date.now()))] }
  for (const session of ['text', 7, {}, { guard: 7 }, { guard: 'null' }, [], { guard: '{"__proto__":{}}' }, list]) {
    const store = expressStore(mapStore({ get: (_id, answer) => answer(null, session) }))
    t.equal(await store.get('c'), undefined, JSON.stringify(session).slice(0, 30))
  }
})

t.test('a session that is destroyed while a write waits for its turn is not written again', async (t) => {
  const inner = mapStore()
  const store = expressStore(inner)
  const record = recordAt(Date.now())
  await store.create(record)
  const answers = await Promise.all([
    store.delete(record.handle),
    store.update({ ...record, version: 8 }, 7),
    store.touch(record.handle, 7, { lastSeenAt: Date.now(), idleDeadline: Date.now() + 1000 }),
  ])
  t.strictSame(answers, [true, false, false])
  t.equal(inner.held.size, 0)
})

t.test('a write that comes after a finished one still waits for the write between them', async (t) => {
  const inner = mapStore()
  const readEarly = (id: string, answer: Answer): unknown => setImmediate(answer, null, inner.held.get(id))
  const store = expressStore(mapStore({ get: readEarly, set: (...args) => inner.set(...args) }))
  const record = recordAt(Date.now())
  await store.create(record)
  const first = store.update({ ...record, version: 8 }, 7)
  const second = store.update({ ...record, version: 9 }, 8)
  t.equal(await first, true)
  const third = store.update({ ...record, version: 9 }, 8)
  t.strictSame(await Promise.all([second, third]), [true, false])
})

t.test('a session that another process destroyed or changed before a write is read again and left alone', async (t) => {
  const inner = mapStore()
  const [store, other] = [expressStore(inner), expressStore(inner)]
  const record = recordAt(Date.now())
  await store.create(record)
  await other.update({ ...record, version: 8 }, 7)
  t.equal(await store.update({ ...record, version: 8, data: '{"lost":1}' }, 7), false)
  t.equal((await store.get(record.handle))?.data, record.data)
  await other.delete(record.handle)
  t.equal(await store.update({ ...record, version: 9 }, 8), false)
  t.equal(inner.held.size, 0)
})

t.test(
  'the express adapter says which promises its store cannot keep, and whether the store is in memory',
  async (t) => {
    const store = expressStore(mapStore())
    t.strictSame(store.weaker, ['compare-and-set', 'user-index', 'sweep'])
    t.notOk('addToIndex' in store)
    t.notOk('sweep' in store)
    t.equal(store.volatile, false)
    t.equal(expressStore(new expressSession.MemoryStore()).volatile, true)
  },
)

t.test('a value that is no express-session store, or no time limit, is refused at once', async (t) => {
  for (const method of ['get', 'set', 'destroy'] as const) {
    const { [method]: _, ...rest } = mapStore()
    t.throws(() => expressStore(rest as never), { name: 'TypeError', message: new RegExp(` ${method}$`) })
  }
  t.throws(() => expressStore(undefined as never), { name: 'TypeError' })
  for (const timeout of ['0s', 'soon']) {
    t.throws(() => expressStore(mapStore(), { timeout: timeout as '2s' }), { name: 'TypeError', message: /timeout/ })
  }
})
