import t from 'tap'
import { FreshUsers } from '../../lib/session/fresh-users.ts'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import { authenticated, newRecord } from '../../lib/session/record.ts'
import { lifetimesOf } from '../../lib/options.ts'

const LIFETIMES = lifetimesOf({})
const ANN = { userId: 'ann', user: '{"id":"ann"}', authHash: null, authCheckedAt: 5, remember: false, device: null }
const record = authenticated(newRecord(newHandle(), hashOf('a'), '{}', 5, LIFETIMES), ANN, 5, LIFETIMES)

t.test('an older answer never takes the place of a newer one', async (t) => {
  const users = new FreshUsers()
  const answer = (role: string, at: number): object =>
    users.note(record, { user: `{"id":"ann","role":"${role}"}`, fingerprint: undefined, at })
  answer('newer', 20)
  answer('older', 10)
  t.match(users.recall(record)?.user, /newer/)
  t.same(users.agesOf(record), { userAt: 20, checkedAt: 20 })
  answer('newest', 30)
  answer('after the clock was set back', -200_000)
  t.match(users.recall(record)?.user, /set back/)
  answer('newest', 30)
  t.match(users.recall(record)?.user, /newest/)
})

t.test('an answer counts for the snapshot and for the credentials that it was given for', async (t) => {
  const users = new FreshUsers()
  users.note(record, { user: record.user ?? '', fingerprint: undefined, at: 20 })
  t.equal(users.recall(record), undefined, 'the record knows it')
  t.same(users.agesOf({ ...record, user: '{"id":"ann","n":1}', userAt: 12 }), { userAt: 12, checkedAt: 20 })
  t.same(users.agesOf({ ...record, authHash: 'other' }), { userAt: 20, checkedAt: 5 })
})
