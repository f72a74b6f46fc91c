import t from 'tap'
import { endMany } from '../../lib/session/end-many.ts'
import { besideOf, handleIn, leavingOf } from '../../lib/session/places.ts'
import { engineWorld } from './engine-world.ts'
import type { EngineWorld } from './engine-world.ts'
import { actingAs, NOW, ownedBy, recordAt } from './records.ts'

/** Ends sessions of Ann that stand under a name of the index. Resolves to the handles of those that ended. */
async function end({ engine }: EngineWorld, handles: readonly string[], name = 'ann'): Promise<string[]> {
  const listed = { userId: 'ann', name, handles }
  const ended = await endMany(engine.store, engine.users.places, listed, 'revoked')
  return ended.map(({ handle }) => handle)
}

t.test('many sessions end with one question for all of them, and leave no entry and no note', async (t) => {
  const it = await engineWorld(t)
  const handles: string[] = []
  for (let count = 0; count < 20; count += 1) handles.push((await it.put(ownedBy('ann'))).handle)
  const other = await it.put(ownedBy('ann'))
  it.asked()
  t.strictSame((await end(it, handles)).toSorted(), handles.toSorted())
  const asked = it.asked()
  t.equal(asked.filter((name) => name === 'delete').length, 20)
  t.equal(asked.filter((name) => name === 'removeFromIndex').length, 20)
  t.notOk(asked.includes('get') || asked.includes('addToIndex'))
  t.strictSame(await it.listed('ann'), [other.handle])
  t.strictSame(await it.listed(leavingOf('ann')), [])
  t.strictSame(new Set(it.ends.map(({ why }) => why)), new Set(['revoked']))
})

t.test('a session goes first, then its entry, then its other places', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(actingAs('ann', 'staff'))
  it.asked()
  t.strictSame(await it.inTurn(() => end(it, [record.handle], besideOf('ann'))), [record.handle])
  const asked = it.asked().filter((name) => name !== 'getMany')
  t.strictSame(asked, ['delete', 'removeFromIndex', 'removeFromIndex'])
  for (const name of ['staff', besideOf('ann')]) t.strictSame(await it.listed(name), [])
})

t.test('an entry without a session is noted while its session is looked for once more', async (t) => {
  const it = await engineWorld(t)
  const handle = 'A'.repeat(22)
  await it.store.addToIndex('ann', handle, NOW + 60_000)
  t.strictSame(await it.inTurn(() => end(it, [handle])), [])
  for (const name of ['ann', leavingOf('ann')]) t.strictSame(await it.listed(name), [])
  t.strictSame(
    it.operations.slice(-6).map(({ name }) => name),
    ['getMany', 'addToIndex', 'removeFromIndex', 'getMany', 'delete', 'removeFromIndex'],
  )
})

t.test('a session that a login writes while its entry is removed ends too', async (t) => {
  const it = await engineWorld(t)
  const record = recordAt(NOW, ownedBy('ann'))
  await it.store.addToIndex('ann', record.handle, NOW + 60_000)
  const removal = it.gate.hold('removeFromIndex')
  const ended = it.inTurn(() => end(it, [record.handle]))
  await removal.arrived
  await it.store.create(record)
  removal.release()
  t.strictSame(await ended, [record.handle])
  t.equal(await it.store.get(record.handle), undefined)
  t.strictSame(it.ends, [{ handle: record.handle, why: 'revoked' }])
})

t.test('a session that has expired by this clock alone is removed without being counted', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(ownedBy('ann'))
  it.gate.hold('getMany').answer([])
  it.gate.hold('getMany').answer([])
  t.strictSame(await end(it, [record.handle]), [])
  t.strictSame(it.ends, [{ handle: record.handle, why: 'revoked' }])
})

t.test('a session that belongs to somebody else by now stays, and its old entry goes', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(ownedBy('bob'))
  await it.store.addToIndex('ann', record.handle, NOW + 60_000)
  t.strictSame(await it.inTurn(() => end(it, [record.handle])), [])
  t.ok(await it.store.get(record.handle))
  t.strictSame(await it.listed('ann'), [])
  t.strictSame(await it.listed('bob'), [record.handle])
  t.strictSame(await it.listed(leavingOf('ann')), [])
})

t.test('a look that fails brings back the entries of sessions that may live, and of no others', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(ownedBy('ann'))
  const handle = 'A'.repeat(22)
  await it.store.addToIndex('ann', handle, NOW + 60_000)
  it.gate.hold('getMany', { after: 1 }).fail()
  await t.rejects(end(it, [record.handle, handle]), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.strictSame(await it.listed('ann'), [handle])
  t.strictSame((await it.listed(leavingOf('ann'))).map(handleIn), [handle])
})

t.test('an end that fails brings back the entries of the sessions beside it', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(ownedBy('ann'))
  const handle = 'A'.repeat(22)
  await it.store.addToIndex('ann', handle, NOW + 60_000)
  it.gate.hold('delete').lose()
  await t.rejects(end(it, [record.handle, handle]), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.ok((await it.listed('ann')).includes(handle))
  t.strictSame((await it.listed(leavingOf('ann'))).map(handleIn), [handle])
})
