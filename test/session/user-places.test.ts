import t from 'tap'
import { besideOf, handleIn, hasPlace, leavingOf } from '../../lib/session/places.ts'
import { ATTEMPTS, RESERVATION } from '../../lib/session/user-places.ts'
import { coreOnly } from '../plugin/stores.ts'
import { engineWorld } from './engine-world.ts'
import { ACTOR_ENDS, actingAs, NOW, ownedBy, recordAt } from './records.ts'

/** The time that the longest session of an app without options can live: a remembered one. */
const LONGEST = 14 * 24 * 60 * 60 * 1000

t.test('a place beside the sessions of a user is reserved for the time of a login', async (t) => {
  const { engine, store, inTurn } = await engineWorld(t)
  await inTurn(() => engine.users.places.reserveBeside('ann', 'h'))
  t.strictSame(await store.listIndex(besideOf('ann')), [{ handle: 'h', expiresAt: NOW + RESERVATION }])
})

t.test('a session keeps its places as long as it can live, and is lost when one of them is gone', async (t) => {
  const { engine, store, put, inTurn } = await engineWorld(t)
  const { places } = engine.users
  const acting = await put(actingAs('ann', 'staff'))
  for (const name of ['staff', besideOf('ann')]) await store.addToIndex(name, acting.handle, NOW + 1_000)
  t.equal(await inTurn(() => places.confirm(acting)), true)
  t.match(await store.listIndex('staff'), [{ handle: acting.handle, expiresAt: ACTOR_ENDS }])
  t.match(await store.listIndex(besideOf('ann')), [{ expiresAt: acting.absoluteDeadline }])
  for (const name of ['staff', besideOf('ann')]) {
    await store.removeFromIndex(name, acting.handle)
    t.equal(await places.confirm(acting), false, name)
    await store.addToIndex(name, acting.handle, NOW + 1_000)
  }
})

t.test('a session that is gone gives back its places, and no others', async (t) => {
  const { engine, put, listed, inTurn } = await engineWorld(t)
  const [acting, other] = [await put(actingAs('ann', 'staff')), await put(actingAs('ann', 'staff'))]
  await inTurn(() => engine.users.places.releaseAll(acting))
  for (const name of ['staff', besideOf('ann')]) t.strictSame(await listed(name), [other.handle])
  await inTurn(() => engine.users.places.release('staff', other.handle))
  t.strictSame(await listed('staff'), [])
})

t.test('without an index in the store nothing is asked, and no place is ever missing', async (t) => {
  const { engine, store, asked } = await engineWorld(t, { store: coreOnly })
  const { places } = engine.users
  const record = recordAt(NOW, ownedBy('ann'))
  await store.create(record)
  await places.reserveBeside('ann', record.handle)
  t.equal(await places.confirm(record), true)
  await places.release('ann', record.handle)
  await places.releaseAll(record)
  t.equal(await places.abandon('ann', record.handle), true)
  await places.drop('ann', record.handle)
  t.strictSame(asked(), [])
})

t.test('the place of a login that failed is given back, unless a session of the user fills it', async (t) => {
  const { engine, store, put, listed, inTurn } = await engineWorld(t)
  const { places } = engine.users
  const record = await put(ownedBy('ann'))
  t.equal(await inTurn(() => places.abandon('ann', record.handle)), false)
  t.strictSame(await listed('ann'), [record.handle])
  await store.addToIndex('bob', record.handle, NOW + RESERVATION)
  t.equal(await inTurn(() => places.abandon('bob', record.handle)), true)
  t.strictSame(await listed('bob'), [])
  t.ok(await store.get(record.handle), 'the session of somebody else stays')
})

t.test('who removes an entry ends a session that lives there, and nobody else’s', async (t) => {
  const { engine, store, put, listed, ends, inTurn } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  await put(ownedBy('ann'))
  await inTurn(() => engine.users.places.drop('ann', record.handle))
  t.equal(await store.get(record.handle), undefined)
  t.notOk((await listed('ann')).includes(record.handle))
  t.strictSame(await listed(leavingOf('ann')), [], 'the note is gone too')
  const theirs = await put(ownedBy('bob'))
  await store.addToIndex('ann', theirs.handle, NOW + RESERVATION)
  await inTurn(() => engine.users.places.drop('ann', theirs.handle))
  t.ok(await store.get(theirs.handle))
  t.notOk((await listed('ann')).includes(theirs.handle))
  t.strictSame(
    ends.map(({ handle }) => handle),
    [record.handle],
  )
})

t.test('an entry that is being removed stays noted until the look for its session is over', async (t) => {
  const { engine, store, gate, put, listed } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  const look = gate.hold('get')
  const dropped = engine.users.places.drop('ann', record.handle)
  await look.arrived
  t.strictSame(await listed('ann'), [])
  const notes = await store.listIndex(leavingOf('ann'))
  t.strictSame(
    notes.map(({ handle, expiresAt }) => [handleIn(handle), expiresAt]),
    [[record.handle, NOW + LONGEST]],
  )
  look.release()
  await dropped
  t.strictSame(await listed(leavingOf('ann')), [])
})

t.test('a session whose login took the place again meanwhile lives on', async (t) => {
  const { engine, store, gate, put, listed } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  const look = gate.hold('get')
  const dropped = engine.users.places.drop('ann', record.handle)
  await look.arrived
  await store.addToIndex('ann', record.handle, record.absoluteDeadline)
  look.release()
  await dropped
  t.ok(await store.get(record.handle))
  t.strictSame(await listed('ann'), [record.handle])
})

t.test('a session that goes to another user meanwhile is not ended', async (t) => {
  const { engine, store, gate, put } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  const removal = gate.hold('delete')
  const dropped = engine.users.places.drop('ann', record.handle)
  await removal.arrived
  await store.update({ ...record, ...ownedBy('bob'), version: 8 }, 7)
  removal.release()
  await dropped
  t.match(await store.get(record.handle), { userId: 'bob' })
})

t.test('a record that has expired by this clock alone is removed with its entry', async (t) => {
  const { engine, store, gate, put, ends, inTurn } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  gate.hold('get').answer(undefined)
  await inTurn(() => engine.users.places.drop('ann', record.handle))
  t.equal(await store.get(record.handle), undefined)
  t.strictSame(ends, [{ handle: record.handle, why: 'expired' }])
})

t.test('a look that fails brings the entry back, and keeps the note', async (t) => {
  const { engine, store, gate, put, listed, inTurn } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  gate.hold('get').fail()
  const dropped = inTurn(() => engine.users.places.drop('ann', record.handle))
  await t.rejects(dropped, { code: 'SESSION_STORE_UNAVAILABLE' })
  t.strictSame(await store.listIndex('ann'), [{ handle: record.handle, expiresAt: NOW + LONGEST }])
  t.strictSame((await listed(leavingOf('ann'))).map(handleIn), [record.handle])
  gate.hold('addToIndex').fail()
  const failed = engine.users.places.restoreOnFailure('ann', new Set(['other', 'h']), () =>
    Promise.reject(new Error('the first')),
  )
  await t.rejects(failed, { message: 'the first' }, 'whatever else fails')
  t.ok((await listed('ann')).includes('h'))
})

t.test('an entry whose removal fails comes back, because the store may have removed it', async (t) => {
  const { engine, gate, put, listed } = await engineWorld(t)
  const { handle } = await put(ownedBy('ann'))
  gate.hold('removeFromIndex').lose()
  const vacated = engine.users.places.vacate('ann', handle, async () => 'found')
  await t.rejects(vacated, { code: 'SESSION_STORE_UNAVAILABLE' })
  t.strictSame(await listed('ann'), [handle])
  t.strictSame((await listed(leavingOf('ann'))).map(handleIn), [handle])
})

t.test('what is found where an entry was removed is the answer', async (t) => {
  const { engine } = await engineWorld(t)
  t.equal(await engine.users.places.vacate('ann', 'h', async () => 'found'), 'found')
  t.equal(await engine.users.places.restoreOnFailure('ann', new Set(['h']), async () => 'found'), 'found')
})

t.test('a place is taken if any entry of the name says so', async (t) => {
  const { engine, put } = await engineWorld(t)
  const { places } = engine.users
  const [one, other] = [await put(ownedBy('ann')), await put(ownedBy('ann'))]
  for (const { handle } of [one, other]) t.equal(await places.holds('ann', handle), true)
  t.equal(await places.holds('ann', 'h'), false)
  t.equal(await places.holds('bob', one.handle), false)
})

t.test('a record ends if it passes the test, and the record that ended is the answer', async (t) => {
  const { engine, store, put, ends, asked, inTurn } = await engineWorld(t)
  const { places } = engine.users
  const record = await put(ownedBy('ann'))
  const isAnn = ({ userId }: { userId: string | null }): boolean => userId === 'ann'
  t.equal(await places.end('A'.repeat(22), () => true), undefined, 'there is none')
  t.equal(await places.end(record.handle, () => false), undefined)
  t.ok(await store.get(record.handle))
  t.strictSame(await inTurn(() => places.end(record.handle, isAnn, undefined, 'replay')), record)
  t.strictSame(ends, [{ handle: record.handle, why: 'replay' }])
  const loaded = await put(ownedBy('ann'))
  asked()
  t.equal(await places.end(loaded.handle, isAnn, loaded), loaded)
  t.strictSame(asked(), ['delete'], 'a record that was read before is not read again')
})

t.test('a record that changed since it was read is judged once more', async (t) => {
  const { engine, store, put, asked } = await engineWorld(t)
  for (const userId of ['ann', 'bob']) {
    const loaded = await put(ownedBy('ann'))
    const latest = { ...loaded, ...ownedBy(userId), version: 8 }
    await store.update(latest, 7)
    asked()
    const ended = await engine.users.places.end(loaded.handle, (record) => hasPlace(record, 'ann'), loaded)
    t.strictSame(ended, userId === 'ann' ? latest : undefined)
    t.strictSame(asked(), userId === 'ann' ? ['delete', 'get', 'delete'] : ['delete', 'get'])
    t.equal((await store.get(loaded.handle))?.userId, userId === 'ann' ? undefined : 'bob')
  }
})

t.test('a record that changes before each attempt is a failure in the end, and no promise that it ended', async (t) => {
  const { engine, gate, store, put, asked } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  gate.conductor = async ({ name }, run) => {
    const { version } = (await store.get(record.handle)) ?? record
    if (name === 'delete') await store.update({ ...record, version: version + 1 }, version)
    await run()
  }
  asked()
  const ended = engine.users.places.end(record.handle, () => true)
  await t.rejects(ended, { code: 'SESSION_SUPERSEDED', statusCode: 503 })
  t.equal(asked().filter((name) => name === 'delete').length, ATTEMPTS)
  t.ok(await store.get(record.handle))
})
