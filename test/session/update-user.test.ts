import t from 'tap'
import { besideOf } from '../../lib/session/places.ts'
import { sameUser, updateUserEverywhere } from '../../lib/session/update-user.ts'
import type { SessionUser } from '../../types/index.ts'
import { coreOnly } from '../plugin/stores.ts'
import { engineWorld } from './engine-world.ts'
import { actingAs, NOW, ownedBy, pendingOf } from './records.ts'

/** Returns Ann with other fields than before. */
function ann(fields: object = {}): SessionUser {
  return { id: 'ann', ...fields }
}

t.test('a snapshot is the JSON of the same user, within the size of a record', async (t) => {
  const { engine } = await engineWorld(t)
  t.equal(sameUser(engine.settings, ann({ name: 'Ann' }), 'ann'), '{"id":"ann","name":"Ann"}')
  t.throws(() => sameUser(engine.settings, { id: 'bob' }, 'ann'), {
    code: 'SESSION_USER_INVALID',
    message: /updateUser takes the same user again; another user logs in with req\.login\(user\)/,
  })
  t.throws(() => sameUser(engine.settings, ann({ name: 'x'.repeat(1e6) }), 'ann'), {
    code: 'SESSION_RECORD_TOO_LARGE',
  })
})

t.test('all sessions of a user get the new snapshot, also those in which somebody acts', async (t) => {
  const it = await engineWorld(t)
  const login = await it.put(ownedBy('ann'))
  const asAnn = await it.put(actingAs('ann', 'staff'))
  const asBob = await it.put(actingAs('bob', 'ann'))
  const half = await it.put(pendingOf('ann'))
  const other = await it.put(ownedBy('bob'))
  await it.store.addToIndex('ann', 'A'.repeat(22), NOW + 60_000)
  await it.store.addToIndex('ann', other.handle, NOW + 60_000)
  await it.store.addToIndex(besideOf('ann'), login.handle, NOW + 60_000)
  it.clock.advance(500)
  t.equal(await updateUserEverywhere(it.engine, 'ann', ann({ role: 'admin' })), 3)
  const next = { user: '{"id":"ann","role":"admin"}', userAt: NOW + 500 }
  t.strictSame(await it.store.get(login.handle), { ...login, ...next, version: 8 })
  t.strictSame(await it.store.get(asAnn.handle), { ...asAnn, ...next, version: 8 })
  const acting = { ...asBob.acting, ...next }
  t.strictSame(await it.store.get(asBob.handle), { ...asBob, acting, version: 8 })
  for (const record of [half, other]) t.strictSame(await it.store.get(record.handle), record)
  t.same(
    new Set(it.events.map((event) => JSON.stringify(event))),
    new Set(
      [
        { type: 'user-updated', handle: login.handle, userId: 'ann', at: NOW + 500 },
        { type: 'user-updated', handle: asAnn.handle, userId: 'ann', actorId: 'staff', at: NOW + 500 },
        { type: 'user-updated', handle: asBob.handle, userId: 'bob', actorId: 'ann', at: NOW + 500 },
      ].map((event) => JSON.stringify(event)),
    ),
  )
  t.equal(it.events.length, 3)
})

t.test('an update has reached the last session when it says so', async (t) => {
  const it = await engineWorld(t)
  const record = await it.put(ownedBy('ann'))
  t.equal(await it.inTurn(() => updateUserEverywhere(it.engine, 'ann', ann({ n: 1 }))), 1)
  t.match(await it.store.get(record.handle), { user: '{"id":"ann","n":1}' })
  t.equal(await updateUserEverywhere(it.engine, 'nobody', { id: 'nobody' }), 0)
})

t.test('an update of another user changes nothing, and needs an index in the store', async (t) => {
  const it = await engineWorld(t)
  await it.put(ownedBy('ann'))
  it.asked()
  await t.rejects(updateUserEverywhere(it.engine, 'ann', { id: 'bob' }), { code: 'SESSION_USER_INVALID' })
  t.strictSame(it.asked(), [])
  const { engine } = await engineWorld(t, { store: coreOnly })
  await t.rejects(updateUserEverywhere(engine, 'ann', ann()), { code: 'SESSION_STORE_LACKS_INDEX' })
})
