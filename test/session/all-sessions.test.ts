import type { Test } from 'tap'
import t from 'tap'
import { allSessions, countSessions, revokeAll } from '../../lib/session/all-sessions.ts'
import { besideOf } from '../../lib/session/places.ts'
import { factsOf } from '../../lib/session/session-info.ts'
import type { SessionFacts, SessionRecord } from '../../types/index.ts'
import { expectNoUnhandled } from '../support/outage.ts'
import type { EngineWorld } from './engine-world.ts'
import { engineWorld } from './engine-world.ts'
import { actingAs, nobody, NOW, ownedBy } from './records.ts'

/** Returns a world whose store lacks these powers, or has others in their place. */
function changed(t: Test, powers: object): Promise<EngineWorld> {
  return engineWorld(t, { store: (store) => Object.assign(store, powers) })
}

async function all({ engine }: EngineWorld): Promise<SessionFacts[]> {
  const found: SessionFacts[] = []
  for await (const facts of allSessions(engine)) found.push(facts)
  return found
}

/** The order of sessions in a list, which the store chooses. */
const byHandle = (one: { handle: string }, other: { handle: string }): number => (one.handle < other.handle ? -1 : 1)

t.test(
  'everybody is logged out: the cutoff lies ahead, one event tells of it, and records and places go',
  async (t) => {
    const it = await engineWorld(t)
    const records = [await it.put(ownedBy('ann')), await it.put(actingAs('ann', 'staff')), await it.put(nobody())]
    it.asked()
    const { before, ended } = await revokeAll(it.engine, {})
    t.strictSame(before, new Date(NOW + 30_000), 'the clock of another server may be ahead')
    t.strictSame(it.events, [{ type: 'revoke-all', before: NOW + 30_000, except: null, at: NOW }])
    t.equal(await ended, 3)
    for (const { handle } of records) t.equal(await it.store.get(handle), undefined)
    for (const name of ['ann', 'staff', besideOf('ann')]) t.strictSame(await it.listed(name), [])
    t.strictSame(
      it.ends.toSorted(byHandle),
      records.map(({ handle }) => ({ handle, why: 'revoked' })).toSorted(byHandle),
    )
    t.strictSame(
      it.asked().filter((name) => name === 'get' || name === 'update'),
      [],
      'nobody is spared',
    )
  },
)

t.test('an instant that is named must have come, and older sessions alone end', async (t) => {
  const it = await engineWorld(t)
  const old = await it.put({ ...ownedBy('ann'), authenticatedAt: NOW - 5_001 })
  const young = await it.put({ ...ownedBy('ann'), authenticatedAt: NOW - 5_000 })
  await t.rejects(revokeAll(it.engine, { before: new Date(NOW + 1) }), {
    code: 'SESSION_OPTION_INVALID',
    message: /before of revokeAll lies in the future/,
  })
  t.strictSame(it.events, [])
  const { before, ended } = await revokeAll(it.engine, { before: new Date(NOW - 5_000) })
  t.strictSame(before, new Date(NOW - 5_000))
  t.equal(await ended, 1)
  t.equal(await it.store.get(old.handle), undefined)
  t.ok(await it.store.get(young.handle))
  t.strictSame((await revokeAll(it.engine, { before: new Date(NOW) })).before, new Date(NOW), 'now has come')
})

t.test('one session is spared: it is marked before the cutoff is raised, and by the next call it ends', async (t) => {
  const it = await engineWorld(t)
  const [kept, other] = [await it.put(ownedBy('ann')), await it.put(ownedBy('ann'))]
  it.asked()
  const first = await it.inTurn(() => revokeAll(it.engine, { except: kept.handle }))
  const asked = it.asked()
  t.strictSame(asked.slice(0, asked.indexOf('raiseCutoff') + 1), ['get', 'update', 'raiseCutoff'])
  t.equal(await first.ended, 1)
  t.match(it.events, [{ type: 'revoke-all', except: kept.handle }])
  t.match(await it.engine.store.get(kept.handle), { sparedAt: NOW + 30_000, version: 8 })
  t.equal(await it.store.get(other.handle), undefined)
  const second = await revokeAll(it.engine, {})
  t.ok(second.before > first.before, 'also in the same millisecond')
  t.equal(await second.ended, 1)
  t.equal(await it.store.get(kept.handle), undefined)
})

t.test('an earlier instant also ends what a later cutoff spared, before the call is answered', async (t) => {
  const it = await engineWorld(t)
  const kept = await it.put({ ...ownedBy('ann'), authenticatedAt: NOW - 10 })
  await (
    await revokeAll(it.engine, { except: kept.handle })
  ).ended
  t.ok(await it.engine.store.get(kept.handle))
  const marked = { sparedAt: NOW + 30_000 }
  const mine = await it.put({ ...ownedBy('ann'), authenticatedAt: NOW - 10, ...marked })
  const late = await it.put({ ...ownedBy('bob'), authenticatedAt: NOW, ...marked })
  const { before, ended } = await revokeAll(it.engine, { before: new Date(NOW), except: mine.handle })
  t.equal(await it.store.get(kept.handle), undefined, 'it was spared by the first call')
  t.match(await it.engine.store.get(mine.handle), marked, 'it is spared by both calls')
  t.ok(await it.engine.store.get(late.handle), 'its login came later')
  t.strictSame(before, new Date(NOW + 30_000), 'the cutoff only rises')
  t.equal(await ended, 1)
})

t.test(
  'sessions from before the clock was set back end too, but not those of a server that is a little ahead',
  async (t) => {
    const it = await engineWorld(t)
    const old = await it.put({ ...ownedBy('ann'), authenticatedAt: NOW + 150_001 })
    const ahead = await it.put({ ...ownedBy('ann'), authenticatedAt: NOW + 150_000 })
    t.equal(await (await revokeAll(it.engine, { before: new Date(NOW) })).ended, 0, 'they did not begin before')
    t.equal(await (await revokeAll(it.engine, {})).ended, 1)
    t.equal(await it.store.get(old.handle), undefined)
    t.ok(await it.store.get(ahead.handle))
  },
)

t.test('an instant before the cutoff is refused by a store that cannot list its sessions', async (t) => {
  const it = await changed(t, { listAll: undefined })
  await revokeAll(it.engine, { before: new Date(NOW) })
  await revokeAll(it.engine, { before: new Date(NOW) })
  const refused = revokeAll(it.engine, { before: new Date(NOW - 1) })
  await t.rejects(refused, { code: 'SESSION_STORE_LACKS_LISTING' })
})

t.test('a text that is no handle spares nobody and reaches no store', async (t) => {
  const it = await engineWorld(t)
  await it.put(ownedBy('ann'))
  it.asked()
  const { ended } = await revokeAll(it.engine, { except: '../../x' })
  t.equal(await ended, 1)
  t.notOk(it.asked().includes('get'))
  t.match(it.events, [{ type: 'revoke-all', except: '../../x' }])
})

t.test('a record that changes while it is removed is removed as it is then', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(ownedBy('ann'))
  const removal = it.gate.hold('delete')
  const { ended } = await revokeAll(it.engine, {})
  await removal.arrived
  await it.store.update({ ...record, label: 'desk', version: 8 }, 7)
  removal.release()
  t.equal(await ended, 1)
  t.equal(await it.store.get(record.handle), undefined)
})

t.test('a removal that fails is an event, and no rejection that nobody handles', async (t) => {
  expectNoUnhandled(t)
  const it = await changed(t, { listAll: () => Promise.reject(new Error('away')) })
  await revokeAll(it.engine, {})
  await new Promise((resolve) => setImmediate(resolve))
  t.match(it.events, [{ type: 'revoke-all' }, { type: 'store-failure', operation: 'listAll' }])
  const { ended } = await revokeAll(it.engine, {})
  await t.rejects(ended, { code: 'SESSION_STORE_UNAVAILABLE', statusCode: 503 })
})

t.test('a store that cannot list keeps the records, and ends them by the cutoff', async (t) => {
  const it = await changed(t, { listAll: undefined })
  const record = await it.put(ownedBy('ann'))
  const { ended } = await revokeAll(it.engine, {})
  t.equal(await ended, 0)
  t.equal(await it.engine.store.get(record.handle), undefined)
  t.ok(await it.store.get(record.handle))
})

t.test('a store without a cutoff, or one that cannot raise it, logs nobody out', async (t) => {
  for (const powers of [{ readCutoff: undefined, raiseCutoff: undefined }, { raiseCutoff: undefined }]) {
    const it = await changed(t, powers)
    await t.rejects(revokeAll(it.engine, {}), { code: 'SESSION_STORE_LACKS_CUTOFF', statusCode: 500 })
    t.strictSame(it.events, [])
  }
})

t.test('all live sessions are listed once, page by page, without those that are cut off', async (t) => {
  const it = await engineWorld(t)
  const records: SessionRecord[] = []
  for (let count = 0; count < 450; count += 1) records.push(await it.put(ownedBy('ann')))
  const expired = await it.put({ ...nobody(), idleDeadline: NOW + 1_000 })
  const cutOff = await it.put({ ...nobody(), createdAt: NOW - 100_000 })
  t.equal((await all(it)).length, 452)
  await it.engine.gate?.raise(NOW - 95_000)
  it.clock.advance(1_000)
  it.asked()
  const found = (await all(it)).map(({ handle }) => handle)
  t.strictSame(found.toSorted(), records.map(({ handle }) => handle).toSorted())
  t.notOk(found.includes(expired.handle) || found.includes(cutOff.handle))
  const pages = it.asked().filter((name) => name === 'listAll').length
  t.ok(pages > 1 && pages < 10, `${pages} pages`)
})

t.test('a list names the facts of a session, and passes over what is damaged or has expired', async (t) => {
  const isBroken = { now: false }
  const it = await engineWorld(t, {
    store: (store) => {
      const listAll = store.listAll.bind(store)
      return Object.assign(store, {
        readCutoff: undefined,
        listAll: async (options: Parameters<typeof listAll>[0]) => {
          if (isBroken.now) throw new Error('away')
          const { records, ...rest } = await listAll(options)
          const [first] = records
          return { ...rest, records: [...records, { ...first, version: 'x' }, { ...first, idleDeadline: NOW }] }
        },
        count: async () => {
          if (isBroken.now) throw new Error('away')
          return store.size
        },
      })
    },
  })
  const record = await it.put(ownedBy('ann'))
  t.strictSame(await all(it), [factsOf(record)])
  t.equal(await countSessions(it.engine), 1)
  isBroken.now = true
  await t.rejects(all(it), { code: 'SESSION_STORE_UNAVAILABLE' })
  await t.rejects(countSessions(it.engine), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.match(it.events, [
    { type: 'store-failure', operation: 'listAll' },
    { type: 'store-failure', operation: 'count' },
  ])
})

t.test('a store that cannot list, or cannot count, refuses both', async (t) => {
  for (const powers of [{ listAll: undefined }, { count: undefined }]) {
    const it = await changed(t, powers)
    await t.rejects(all(it), { code: 'SESSION_STORE_LACKS_LISTING', statusCode: 500 })
    await t.rejects(countSessions(it.engine), { code: 'SESSION_STORE_LACKS_LISTING', statusCode: 500 })
    t.strictSame(it.events, [])
  }
})
