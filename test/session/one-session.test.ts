import t from 'tap'
import { getSession, renameSession, updateSession } from '../../lib/session/one-session.ts'
import { detailsOf } from '../../lib/session/session-info.ts'
import { engineWorld } from './engine-world.ts'
import { actingAs, nobody, ownedBy } from './records.ts'

t.test('a session that lives shows its facts and data; any other is absent', async (t) => {
  const { engine, put, clock } = await engineWorld(t)
  const record = await put({ ...ownedBy('ann'), data: '{"cart":[1]}' })
  t.strictSame(await getSession(engine, record.handle), detailsOf(record))
  t.equal(await getSession(engine, 'A'.repeat(22)), undefined)
  clock.set(record.idleDeadline)
  t.equal(await getSession(engine, record.handle), undefined)
})

t.test('a function changes data in place, or returns the new data, now or later', async (t) => {
  const { engine, put, store } = await engineWorld(t)
  const { handle } = await put({ ...ownedBy('ann'), data: '{"n":1}' })
  for (const [change, data] of [
    [(it: Record<string, unknown>) => void (it['n'] = 2), '{"n":2}'],
    [() => ({ whole: true }), '{"whole":true}'],
    [async () => ({ later: true }), '{"later":true}'],
    [async (it: Record<string, unknown>) => void delete it['later'], '{}'],
    [() => null as never, '{}'],
  ] as const) {
    t.equal(await updateSession(engine, handle, change), true)
    t.equal((await store.get(handle))?.data, data)
  }
  t.equal(await updateSession(engine, 'A'.repeat(22), () => ({})), false)
})

t.test('data that is none is refused, with the reason, and the session stays as it was', async (t) => {
  const { engine, put, store } = await engineWorld(t)
  const record = await put(ownedBy('ann'))
  const returned = { code: 'SESSION_OPTION_INVALID', message: /the function of update returns an object, or nothing/ }
  for (const [value, error] of [
    [[], returned],
    [5, returned],
    ['x', returned],
    [false, returned],
    [{ cookie: 1 }, { code: 'SESSION_KEY_RESERVED', message: /cookie/ }],
    [{ a: 1n }, { code: 'SESSION_VALUE_UNSERIALIZABLE' }],
    [{ a: 'x'.repeat(1e6) }, { code: 'SESSION_RECORD_TOO_LARGE' }],
  ] as const) {
    await t.rejects(
      updateSession(engine, record.handle, () => value as never),
      error,
    )
  }
  t.strictSame(await store.get(record.handle), record)
})

t.test('the user who is there in person names a session, and nobody else', async (t) => {
  const { engine, put, store } = await engineWorld(t)
  const [login, acting, anonymous] = [
    await put(ownedBy('ann')),
    await put(actingAs('ann', 'staff')),
    await put(nobody()),
  ]
  for (const [{ handle }, userId, isRenamed] of [
    [login, 'ann', true],
    [login, 'bob', false],
    [acting, 'staff', true],
    [acting, 'ann', false],
    [anonymous, 'ann', false],
  ] as const) {
    t.equal(await renameSession(engine, handle, userId, `of ${userId}`), isRenamed)
    t.equal((await store.get(handle))?.label === `of ${userId}`, isRenamed)
  }
  t.equal(await renameSession(engine, login.handle, 'ann', null), true)
  t.equal((await store.get(login.handle))?.label, null)
})
