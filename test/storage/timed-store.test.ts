import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import type { Answer } from '../../lib/storage/immediate.ts'
import { answerAtOnce } from '../../lib/storage/immediate.ts'
import { SessionEvents } from '../../lib/events.ts'
import { lifetimesOf } from '../../lib/options.ts'
import { CutoffGate } from '../../lib/storage/cutoff-gate.ts'
import { TimedStore } from '../../lib/storage/timed-store.ts'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import { newRecord } from '../../lib/session/record.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { SessionEvent, SessionRecord, SessionStore } from '../../types/index.ts'
import { coreOnly } from '../plugin/stores.ts'
import { testClock } from '../support/clock.ts'

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

function answering(store: SessionStore, timeout = 50): { store: TimedStore; events: SessionEvent[] } {
  const events = new SessionEvents(LOG, Date.now)
  const heard: SessionEvent[] = []
  events.emitter.on('event', (event) => void heard.push(event))
  return { store: new TimedStore(store, timeout, events, undefined), events: heard }
}

/** Returns a store as the app of a namespace sees it, and what it hears of expired records. */
function inNamespace(store: SessionStore, namespace: string): { store: TimedStore; expired: string[] } {
  const expired: string[] = []
  const onExpired = ({ handle }: SessionRecord): void => void expired.push(handle)
  return { store: new TimedStore(store, 50, new SessionEvents(LOG, Date.now), namespace, { onExpired }), expired }
}

/** Returns an answer that has to be a promise. */
function asked<Value>(answer: Answer<Value>): Promise<Value> {
  if (answer instanceof Promise) return answer
  throw new TypeError('this answer came at once')
}

const never = (): Promise<never> => new Promise(() => undefined)

t.test('every operation goes through to the store and its answer back', async (t) => {
  const { store, events } = answering(memoryStore())
  const record = newRecord(newHandle(), hashOf('a'), '{}', Date.now(), lifetimesOf({}))
  t.equal(await store.create(record), true)
  t.same(await store.get(record.handle), record)
  t.same(await store.getMany([record.handle, newHandle()]), [record])
  t.equal(await store.touch(record.handle, 1, record), true)
  t.equal(await store.update({ ...record, version: 2 }, 1), true)
  t.equal(await store.addToIndex('ann', record.handle, Date.now() + 1000), true)
  t.equal(await store.keepInIndex('ann', record.handle, Date.now() + 1000), true)
  t.equal((await store.listIndex('ann')).length, 1)
  await store.removeFromIndex('ann', record.handle)
  t.equal(await store.delete(record.handle, 2), true)
  t.equal(await store.sweep(Date.now(), 1), 0)
  t.ok(store.hasIndex && store.readsMany)
  t.same(events, [])
})

t.test('a rejection, a throw and an answer of the wrong kind are all one: the store is unavailable', async (t) => {
  const cause = new Error('connection refused')
  const ways: [name: string, get: SessionStore['get'], message: RegExp][] = [
    ['rejects', () => Promise.reject(cause), /connection refused/],
    [
      'throws',
      () => {
        throw cause
      },
      /connection refused/,
    ],
    ['answers at once', () => undefined as never, /then/],
  ]
  for (const [name, get, message] of ways) {
    const { store, events } = answering({ ...coreOnly(memoryStore()), get })
    const refused = { code: 'SESSION_STORE_UNAVAILABLE', statusCode: 503, cause: { message } }
    await t.rejects(asked(store.get('x')), refused, name)
    t.match(events, [{ type: 'store-failure', operation: 'get' }])
    t.equal(events.length, 1)
  }
})

t.test('a store that never answers is given up within its time, one request after the other', async (t) => {
  // The timer keeps no process alive, as behind a real socket something else would.
  const keepAlive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(keepAlive))
  const { store, events } = answering({ ...coreOnly(memoryStore()), get: never, delete: never })
  const begun = performance.now()
  const first = asked(store.get('x'))
  const second = asked(store.delete('x'))
  await t.rejects(first, { code: 'SESSION_STORE_UNAVAILABLE', cause: { message: 'no answer within 50 ms' } })
  t.ok(performance.now() - begun >= 50, 'not before its time')
  await t.rejects(second, { code: 'SESSION_STORE_UNAVAILABLE' })
  await t.rejects(asked(store.get('x')), { code: 'SESSION_STORE_UNAVAILABLE' }, 'and again')
  t.same(
    events.map((event) => event.type === 'store-failure' && event.operation),
    ['get', 'delete', 'get'],
  )
})

t.test('an answer that comes too late is nobody’s', async (t) => {
  const keepAlive = setInterval(() => undefined, 1000)
  t.teardown(() => clearInterval(keepAlive))
  let late: { resolve: (found: undefined) => void; reject: (error: Error) => void } | undefined
  const get = (): Promise<undefined> => new Promise((resolve, reject) => (late = { resolve, reject }))
  const { store, events } = answering({ ...coreOnly(memoryStore()), get }, 10)
  await t.rejects(asked(store.get('x')), { code: 'SESSION_STORE_UNAVAILABLE' })
  late?.resolve(undefined)
  await t.rejects(asked(store.get('x')), { code: 'SESSION_STORE_UNAVAILABLE' })
  late?.reject(new Error('too late'))
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(events.length, 2)
})

t.test('without a user index, what needs one says so', async (t) => {
  const { store, events } = answering(coreOnly(memoryStore()))
  t.notOk(store.hasIndex)
  for (const ask of [
    () => store.addToIndex('ann', 'x', 0),
    () => store.keepInIndex('ann', 'x', 0),
    () => store.removeFromIndex('ann', 'x'),
    () => store.listIndex('ann'),
  ]) {
    await t.rejects(async () => void (await ask()), { code: 'SESSION_STORE_LACKS_INDEX' })
  }
  t.equal(await store.sweep(0, 1), 0)
  t.same(events, [])
})

t.test('a store in memory answers at once, and one that wraps it is asked in its place', async (t) => {
  const inner = memoryStore()
  const record = newRecord(newHandle(), hashOf('a'), '{}', Date.now(), lifetimesOf({}))
  const { store } = answering(inner)
  t.equal(store.create(record), true)
  t.equal(store.get(record.handle), await inner.get(record.handle))
  t.equal(store.get('x'), undefined)
  const wraps: SessionStore[] = [
    new Proxy(inner, { get: (target, key) => (key === 'get' ? never : Reflect.get(target, key)) as unknown }),
    Object.assign(Object.create(inner) as SessionStore, { get: never }),
    { ...coreOnly(inner), get: never },
  ]
  // These are given up when the test may have ended already.
  for (const wrap of wraps) asked(answering(wrap).store.get(record.handle)).catch(() => undefined)
  Object.assign(inner, { get: never })
  asked(store.get(record.handle)).catch(() => undefined)
  t.throws(() => asked(store.delete(record.handle)), /came at once/, 'only the method that was replaced is asked')
})

t.test('a record that a store finds expired is told to the app of its namespace, and to no other', async (t) => {
  const clock = testClock(Date.now())
  const inner = memoryStore({ clock })
  const [shop, desk] = [inNamespace(inner, 'shop'), inNamespace(inner, 'desk')]
  const records = [recordAt(clock()), recordAt(clock())]
  for (const record of records) t.equal(await shop.store.create(record), true)
  const [first = '', second = ''] = records.map(({ handle }) => handle)
  clock.advance('1h')
  t.equal(await desk.store.get(first), undefined)
  t.equal(await shop.store.get(second), undefined)
  t.strictSame(desk.expired, [])
  t.strictSame(shop.expired, [second])
})

t.test('a listed record that is damaged, or of another namespace, is nobody’s', async (t) => {
  const inner = memoryStore()
  const [shop, desk] = [inNamespace(inner, 'shop'), inNamespace(inner, 'desk')]
  const record = recordAt(Date.now())
  await shop.store.create(record)
  const [listed] = (await inner.listAll({ limit: 1 })).records
  if (listed === undefined) throw new Error('nothing is listed')
  t.strictSame(shop.store.own(listed), record)
  t.equal(desk.store.own(listed), undefined)
  t.equal(shop.store.own({ ...listed, version: 'x' as never }), undefined)
})

t.test('an event names the operation that failed', async (t) => {
  const fail = (): Promise<never> => Promise.reject(new Error('connection refused'))
  const record = recordAt(Date.now())
  const asks: Record<string, (store: TimedStore) => unknown> = {
    get: (store) => store.get('x'),
    getMany: (store) => store.getMany(['x']),
    create: (store) => store.create(record),
    update: (store) => store.update(record, 1),
    touch: (store) => store.touch('x', 1, record),
    delete: (store) => store.delete('x'),
    addToIndex: (store) => store.addToIndex('ann', 'x', 0),
    keepInIndex: (store) => store.keepInIndex('ann', 'x', 0),
    removeFromIndex: (store) => store.removeFromIndex('ann', 'x'),
    listIndex: (store) => store.listIndex('ann'),
    sweep: (store) => store.sweep(0, 1),
    readCutoff: (store) => new CutoffGate(store).current(),
  }
  const failing = Object.fromEntries(Object.keys(asks).map((name) => [name, fail])) as unknown as SessionStore
  const { store, events } = answering(failing)
  for (const [operation, ask] of Object.entries(asks)) {
    await t.rejects(async () => void (await ask(store)), { code: 'SESSION_STORE_UNAVAILABLE' })
    t.match(events.splice(0), [{ type: 'store-failure', operation }])
  }
})

t.test('of many records that were read, the gate keeps away those that it keeps away one by one', async (t) => {
  const inner = memoryStore()
  const records = [recordAt(Date.now()), recordAt(Date.now()), recordAt(Date.now())]
  for (const record of records) await inner.create(record)
  const { store } = answering(inner)
  const handles = records.map(({ handle }) => handle)
  for (const isLate of [false, true]) {
    const passed = (record: SessionRecord | undefined): SessionRecord | undefined =>
      record?.handle === handles[1] ? undefined : record
    const pass = async (answer: Answer<SessionRecord | undefined>) => passed(await answer)
    const passNow = (answer: Answer<SessionRecord | undefined>) => passed(answer as SessionRecord)
    store.gate = { pass: isLate ? pass : passNow, passesNow: () => true }
    const found = await store.getMany(handles)
    t.strictSame(new Set(found.map(({ handle }) => handle)), new Set([handles[0], handles[2]]))
  }
})

t.test('a cached record is recalled, unless the gate keeps it away or it belongs to another app', async (t) => {
  const inner = memoryStore()
  const record = recordAt(Date.now())
  answerAtOnce(inner, { recall: (handle) => (handle === record.handle ? record : undefined) })
  const { store } = answering(inner)
  t.match(store.recall(record.handle), { handle: record.handle })
  t.equal(store.recall('another'), undefined)
  t.equal(inNamespace(inner, 'shop').store.recall(record.handle), undefined)
  t.equal(answering(coreOnly(memoryStore())).store.recall(record.handle), undefined, 'this store has no cache')
  for (const passes of [true, false]) {
    store.gate = { pass: (answer) => answer, passesNow: () => passes }
    t.equal(store.recall(record.handle) !== undefined, passes)
  }
})

t.test('without a namespace a user has the same name in the store', async (t) => {
  const inner = memoryStore()
  const { store } = answering(inner)
  const record = recordAt(Date.now(), { userId: 'ann', user: JSON.stringify({ id: 'ann' }) })
  await store.create(record)
  await store.addToIndex('ann', record.handle, record.absoluteDeadline)
  t.equal((await inner.get(record.handle))?.userId, 'ann')
  t.match(await inner.listIndex('ann'), [{ handle: record.handle }])
})

t.test('the reason of an end is known while the store has not answered, and no longer', async (t) => {
  let answer = (_isDone: boolean): void => {}
  const remove = (): Promise<boolean> => new Promise((resolve) => (answer = resolve))
  const { store } = answering({ ...coreOnly(memoryStore()), delete: remove }, 10_000)
  const done = asked(store.delete('x', undefined, 'logout'))
  t.strictSame([store.endUnderWay('x'), store.endUnderWay('y')], ['logout', undefined])
  answer(true)
  t.equal(await done, true)
  t.equal(store.endUnderWay('x'), undefined)
})

t.test('a change that the store refuses is told to nobody', async (t) => {
  const { store } = answering(memoryStore())
  const record = recordAt(Date.now())
  await store.create(record)
  const told: unknown[] = []
  store.onChange = (handle, now) => void told.push([handle, now?.version])
  t.equal(await store.update({ ...record, version: 9 }, 8), false)
  t.equal(await store.delete(record.handle, 8), false)
  t.strictSame(told, [])
  t.equal(await store.update({ ...record, version: 8 }, 7), true)
  t.equal(await store.delete(record.handle, 8), true)
  t.strictSame(told, [
    [record.handle, 8],
    [record.handle, undefined],
  ])
})

t.test('without a namespace a record and a user have the names that the store keeps', async (t) => {
  const inner = memoryStore()
  const { store } = answering(inner)
  const { store: shop } = inNamespace(inner, 'shop')
  const record = recordAt(Date.now(), { userId: 'ann', user: JSON.stringify({ id: 'ann' }) })
  await shop.create(record)
  await shop.addToIndex('ann', record.handle, Date.now() + 1000)
  const found = await store.get(record.handle)
  t.equal(found?.userId, '\0shop\0ann')
  t.equal((await store.listIndex('\0shop\0ann')).length, 1)
  t.equal(await store.update({ ...(found as SessionRecord), version: 8 }, 7), true)
  t.equal((await shop.get(record.handle))?.userId, 'ann')
})
