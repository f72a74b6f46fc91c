import t from 'tap'
import { updateRecord } from '../../lib/session/update-record.ts'
import type { SessionRecord } from '../../types/index.ts'
import { engineWorld } from './engine-world.ts'
import { nobody, NOW, ownedBy, recordAt } from './records.ts'

t.test('a change is written on top of the record that was read, one version later', async (t) => {
  const { engine, store, put, asked, inTurn } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  asked()
  t.equal(await inTurn(() => updateRecord(engine, record.handle, () => ({ label: 'desk' }))), true)
  t.strictSame(await store.get(record.handle), { ...record, label: 'desk', version: 8 })
  t.strictSame(asked(), ['get', 'update'])
})

t.test('a record that is absent, has expired or is left alone is not changed', async (t) => {
  const { engine, store, put, clock, asked } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  asked()
  t.equal(await updateRecord(engine, 'A'.repeat(22), () => ({ label: 'desk' })), false)
  t.equal(await updateRecord(engine, record.handle, () => undefined), false)
  t.strictSame(asked(), ['get', 'get'])
  t.strictSame(await store.get(record.handle), record)
  clock.set(record.idleDeadline)
  t.equal(await updateRecord(engine, record.handle, () => ({ label: 'desk' })), false)
})

t.test('a change that another write overtook is made again on the latest record', async (t) => {
  const { engine, store, gate, put } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  const seen: unknown[] = []
  const write = gate.hold('update')
  const changed = updateRecord(engine, record.handle, async ({ data, version }) => {
    seen.push(version)
    return { data: data.replace('}', `,"n":${version}}`) }
  })
  await write.arrived
  await store.update({ ...record, version: 8, data: '{"other":1}' }, 7)
  write.release()
  t.equal(await changed, true)
  t.strictSame(seen, [7, 8])
  t.match(await store.get(record.handle), { version: 9, data: '{"other":1,"n":8}' })
})

t.test('a change that never comes through gives up, and a change that fails says why', async (t) => {
  const { engine, gate, put, asked } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  const fail = (): never => {
    throw new Error('no such change')
  }
  await t.rejects(updateRecord(engine, record.handle, fail), { message: 'no such change' })
  gate.conductor = async ({ name, args }, run) => {
    if (name === 'update') (args as unknown[])[1] = 0
    await run()
  }
  asked()
  const changed = updateRecord(engine, record.handle, () => ({ label: 'desk' }))
  await t.rejects(changed, { code: 'SESSION_SUPERSEDED', statusCode: 503 })
  const attempts = asked().filter((name) => name === 'update').length
  t.ok(attempts >= 50 && attempts <= 200, `${attempts} attempts`)
})

/** Returns a record that is locked, because a rotation is being taken back, and the record that it held before. */
function locked(fields: Partial<SessionRecord>): { record: SessionRecord; before: SessionRecord } {
  const before = recordAt(NOW, { ...fields, label: 'before' })
  return { before, record: { ...before, label: 'locked', heldBack: JSON.stringify(before) } }
}

t.test('a change of a record that is locked is made once the record is as it was', async (t) => {
  const { engine, store, put } = await engineWorld(t)
  const { record, before } = locked(ownedBy('ann'))
  await put(record)
  const seen: unknown[] = []
  const changed = await updateRecord(engine, record.handle, ({ label, heldBack }) => {
    seen.push(label, heldBack)
    return { data: '{"n":1}' }
  })
  t.equal(changed, true)
  t.strictSame(seen, ['before', null])
  t.strictSame(await store.get(record.handle), { ...before, data: '{"n":1}', version: 9 })
})

t.test(
  'a session that is still moving in, or whose user was revoked while it was locked, is not changed',
  async (t) => {
    const { engine, store, put } = await engineWorld(t)
    const movingIn = locked(nobody()).record
    await put(movingIn)
    t.equal(await updateRecord(engine, movingIn.handle, () => ({ label: 'desk' })), false)
    t.match(await store.get(movingIn.handle), { label: 'locked', version: 7 })
    const revoked = locked(ownedBy('ann')).record
    await store.create(revoked)
    t.equal(await updateRecord(engine, revoked.handle, () => ({ label: 'desk' })), false)
    t.equal(await store.get(revoked.handle), undefined)
  },
)
