import t from 'tap'
import { MAX_SKEW } from '../../lib/storage/clocks.ts'
import type { LoadedUser } from '../../lib/session/fresh-users.ts'
import { FreshUsers } from '../../lib/session/fresh-users.ts'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import { authenticated, newRecord } from '../../lib/session/record.ts'
import { lifetimesOf } from '../../lib/options.ts'
import { door } from '../support/gate-store.ts'

const LIFETIMES = lifetimesOf({})
const ANN = { userId: 'ann', user: '{"id":"ann"}', authHash: null, authCheckedAt: 5, remember: false, device: null }
const record = authenticated(newRecord(newHandle(), hashOf('a'), '{}', 5, LIFETIMES), ANN, 5, LIFETIMES)

/** Returns an answer of `loadUser`. */
function loaded(role: string, at: number): LoadedUser {
  return { user: `{"id":"ann","role":"${role}"}`, fingerprint: undefined, at }
}

t.test('an older answer never takes the place of a newer one', async (t) => {
  const users = new FreshUsers()
  const answer = (role: string, at: number): object => users.note(record, loaded(role, at))
  answer('newer', 20)
  answer('older', 10)
  t.match(users.recall(record)?.user, /newer/)
  t.same(users.agesOf(record), { userAt: 20, checkedAt: 20 })
  answer('newest', 30)
  answer('after the clock was set back', -200_000)
  t.match(users.recall(record)?.user, /set back/)
  answer('newest', 30)
  t.match(users.recall(record)?.user, /newest/)
  answer('of the same instant', 30)
  t.match(users.recall(record)?.user, /same instant/)
})

t.test('an answer is older by an honest clock, or newer by a clock that was set back', async (t) => {
  for (const [at, kept] of [
    [100 - MAX_SKEW - 1, 'second'],
    [100 - MAX_SKEW, 'first'],
    [100 - MAX_SKEW + 1, 'first'],
    [99, 'first'],
    [100, 'second'],
  ] as const) {
    const users = new FreshUsers()
    users.note(record, loaded('first', 100))
    t.strictSame(users.note(record, loaded('second', at)), {
      from: record.user,
      user: '{"id":"ann","role":"second"}',
      at,
      authHash: null,
    })
    t.match(users.recall(record)?.user, new RegExp(kept), String(at))
  }
})

t.test('an answer for a new snapshot counts, however old it is', async (t) => {
  const users = new FreshUsers()
  users.note(record, loaded('for the snapshot before', 100))
  const replaced = { ...record, user: '{"id":"ann","n":1}' }
  t.equal(users.recall(replaced), undefined)
  users.note(replaced, loaded('for the new snapshot', 50))
  t.match(users.recall(replaced)?.user, /new snapshot/)
  t.equal(users.recall(record), undefined)
})

t.test('an answer counts for the snapshot and for the credentials that it was given for', async (t) => {
  const users = new FreshUsers()
  users.note(record, { user: record.user ?? '', fingerprint: undefined, at: 20 })
  t.equal(users.recall(record), undefined, 'the record knows it')
  t.same(users.agesOf({ ...record, user: '{"id":"ann","n":1}', userAt: 12 }), { userAt: 12, checkedAt: 20 })
  t.same(users.agesOf({ ...record, authHash: 'other' }), { userAt: 20, checkedAt: 5 })
})

t.test('the ages of a user are the latest that the record or this process knows', async (t) => {
  const users = new FreshUsers()
  t.equal(users.recall(record), undefined)
  t.same(users.agesOf(record), { userAt: 5, checkedAt: 5 })
  t.same(users.agesOf({ ...record, userAt: 12 }), { userAt: 12, checkedAt: 5 })
  t.same(users.agesOf({ ...record, authCheckedAt: 0 }), { userAt: 0, checkedAt: 0 })
  users.note(record, loaded('x', 20))
  t.same(users.agesOf({ ...record, userAt: 30, authCheckedAt: 25 }), { userAt: 30, checkedAt: 25 })
  t.same(users.agesOf({ ...record, authCheckedAt: -9 }), { userAt: 20, checkedAt: 20 })
  t.same(users.agesOf({ ...record, user: null, authHash: 'other', authCheckedAt: 0 }), { userAt: 0, checkedAt: 0 })
  t.same(users.agesOf({ ...record, handle: newHandle() }), { userAt: 5, checkedAt: 5 }, 'of this session alone')
})

t.test('parallel requests of a session share one question until the answer', async (t) => {
  const users = new FreshUsers()
  const asked: string[] = []
  const ask = (name: string, changes: object, fate: Promise<LoadedUser | undefined>): Promise<unknown> =>
    users.ask({ ...record, ...changes }, () => {
      asked.push(name)
      return fate
    })
  const refuse = (): never => {
    throw new Error('away')
  }
  const first = door<LoadedUser | undefined>()
  const waiting = [ask('first', {}, first.opened), ask('same', {}, Promise.resolve(undefined))]
  await ask('other session', { handle: newHandle() }, Promise.resolve(undefined))
  const second = door<LoadedUser | undefined>()
  const latest = [ask('new snapshot', { user: '{"n":1}' }, second.opened.then(refuse))]
  first.open(loaded('first', 7))
  for (const answer of waiting) t.strictSame(await answer, loaded('first', 7))
  latest.push(ask('same snapshot', { user: '{"n":1}' }, Promise.resolve(undefined)))
  t.strictSame(asked, ['first', 'other session', 'new snapshot'], 'the answer to one question ends no other')
  second.open(undefined)
  for (const answer of latest) await t.rejects(answer, { message: 'away' })
  await ask('after the failure', { user: '{"n":1}' }, Promise.resolve(undefined))
  await ask('after an answer', { user: '{"n":1}' }, Promise.resolve(undefined))
  t.strictSame(asked.slice(3), ['after the failure', 'after an answer'])
})
