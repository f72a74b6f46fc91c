import t from 'tap'
import {
  besideOf,
  endsWith,
  handleIn,
  hasPlace,
  isReservedName,
  leavingOf,
  noteOn,
  placesOf,
} from '../../lib/session/places.ts'
import { ACTOR_ENDS, actingAs, HALF_LOGIN_ENDS, nobody, NOW, ownedBy, pendingOf, recordAt } from './records.ts'

const login = recordAt(NOW, ownedBy('ann'))
const half = recordAt(NOW, pendingOf('ann'))
const acting = recordAt(NOW, actingAs('ann', 'staff'))
const anonymous = recordAt(NOW, nobody())

t.test('a session has its places for as long as each of its users can be found in it', async (t) => {
  t.strictSame(placesOf(login), [{ name: 'ann', until: login.absoluteDeadline }])
  t.strictSame(placesOf(half), [{ name: besideOf('ann'), until: HALF_LOGIN_ENDS }])
  t.strictSame(placesOf(acting), [
    { name: 'staff', until: ACTOR_ENDS },
    { name: besideOf('ann'), until: acting.absoluteDeadline },
  ])
  t.strictSame(placesOf(anonymous), [])
  t.strictSame(placesOf({ ...login, acting: null }), placesOf(login))
})

t.test('a session belongs under the names of its places, and under no other name', async (t) => {
  for (const [record, name, isThere] of [
    [login, 'ann', true],
    [login, 'bob', false],
    [login, besideOf('ann'), false],
    [half, besideOf('ann'), true],
    [half, 'ann', false],
    [acting, 'staff', true],
    [acting, besideOf('ann'), true],
    [acting, 'ann', false],
    [anonymous, 'ann', false],
    [undefined, 'ann', false],
  ] as const) {
    t.equal(hasPlace(record, name), isThere, `${record?.userId ?? 'nobody'}: ${name}`)
  }
})

t.test('a session ends with its user, with the user of its half login, and with each of both who act', async (t) => {
  for (const [record, users] of [
    [login, ['ann']],
    [half, ['ann']],
    [acting, ['ann', 'staff']],
    [anonymous, []],
  ] as const) {
    t.strictSame(
      ['ann', 'staff', 'bob', ''].filter((user) => endsWith(record, user)),
      users,
    )
  }
})

t.test('the names that this package makes are no ids of users, and differ by kind and by user', async (t) => {
  const names = ['ann', 'bob'].flatMap((user) => [user, besideOf(user), leavingOf(user)])
  t.equal(new Set(names).size, names.length)
  t.strictSame(names.map(isReservedName), [false, true, true, false, true, true])
  t.strictSame(['', 'a\u0001', '\u0001', '\u0000', '\u0002'].map(isReservedName), [false, false, true, false, false])
})

t.test('one name holds the notes on all sessions of a user, logins and others', async (t) => {
  t.equal(leavingOf(besideOf('ann')), leavingOf('ann'))
  t.not(leavingOf(besideOf('ann')), leavingOf('bob'))
})

t.test('a note tells its session, and each removal has a note of its own', async (t) => {
  const [note, other] = [noteOn(login.handle), noteOn(login.handle)]
  t.not(note, other)
  t.strictSame([handleIn(note), handleIn(other)], [login.handle, login.handle])
})
