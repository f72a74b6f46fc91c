import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import { isAhead, withoutFuture } from '../../lib/session/clock-set-back.ts'
import { MAX_SKEW } from '../../lib/storage/clocks.ts'
import type { SessionRecord } from '../../types/index.ts'
import { ACTOR_ENDS, actingAs, nobody, NOW, recordAt } from './records.ts'

const HOUR = 3_600_000
const LIFETIMES = lifetimesOf({})

/** Returns a record of a login, not remembered, with one id and no instant after now. */
function recordOf(changes: Partial<SessionRecord> = {}): SessionRecord {
  return recordAt(NOW, { tip: null, rivals: [], remember: false, ...changes })
}

const tipAt = (at: number): SessionRecord['tip'] => ({ secretHash: 'tip', issuedAt: at, shownAt: at, isTied: true })
const rivalAt = (since: number): SessionRecord['rivals'][number] => ({
  secretHash: `since ${since}`,
  since,
  isTied: true,
})

t.test('clocks of servers may be two and a half minutes apart', async (t) => {
  t.equal(MAX_SKEW, 150_000)
})

t.test('a use or a beginning later than now tells at once, an instant of an id only beyond the skew', async (t) => {
  const late = NOW + MAX_SKEW
  for (const [name, changes, isLate] of [
    ['all in the past', {}, false],
    ['used now', { lastSeenAt: NOW }, false],
    ['used later', { lastSeenAt: NOW + 1 }, true],
    ['logged in now', { authenticatedAt: NOW }, false],
    ['logged in later', { authenticatedAt: NOW + 1 }, true],
    ['made later, by an older login', { createdAt: NOW + 1 }, false],
    ['made later, without a login', { ...nobody(), createdAt: NOW + 1 }, true],
    ['spared by a later cutoff', { sparedAt: NOW + 1 }, true],
    ...(['authCheckedAt', 'userAt', 'rotatedAt', 'shownAt', 'headAt'] as const).flatMap(
      (field): [string, Partial<SessionRecord>, boolean][] => [
        [`${field} within the skew`, { [field]: late }, false],
        [`${field} beyond the skew`, { [field]: late + 1 }, true],
      ],
    ),
    ['a renewed id shown within the skew', { tip: tipAt(late) }, false],
    ['a renewed id shown beyond the skew', { tip: tipAt(late + 1) }, true],
    ['rivals within the skew', { rivals: [rivalAt(late), rivalAt(NOW)] }, false],
    ['the last rival beyond the skew', { rivals: [rivalAt(NOW), rivalAt(late + 1)] }, true],
    ['the first rival beyond the skew', { rivals: [rivalAt(late + 1), rivalAt(NOW)] }, true],
  ] satisfies [string, Partial<SessionRecord>, boolean][]) {
    const record = recordOf(changes)
    t.equal(isAhead(record, NOW), isLate, name)
    t.equal(withoutFuture(record, NOW, LIFETIMES) === record, !isLate, name)
  }
})

t.test('a record that was only used later keeps its login, its end and its ids', async (t) => {
  const record = recordOf({ lastSeenAt: NOW + HOUR, authCheckedAt: NOW + 1, headAt: NOW + MAX_SKEW })
  t.strictSame(withoutFuture(record, NOW, LIFETIMES), record)
})

t.test('a session that began later began now, and ends no later than one that begins now', async (t) => {
  const later = { createdAt: NOW + HOUR, authenticatedAt: NOW + 2 * HOUR, absoluteDeadline: NOW + 9000 * HOUR }
  const back = { createdAt: NOW, authenticatedAt: NOW }
  const endOf = (changes: Partial<SessionRecord>): number => {
    const after = withoutFuture(recordOf({ ...later, ...changes }), NOW, LIFETIMES)
    t.match(after, back)
    return after.absoluteDeadline - NOW
  }
  t.equal(endOf({}), LIFETIMES.absoluteTimeout)
  t.equal(endOf({ remember: true }), LIFETIMES.rememberTimeout)
  t.equal(endOf({ absoluteDeadline: NOW + 5 }), 5, 'an end is never moved forward')
  const lifetimes = { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 }
  t.equal(endOf({ lifetimes }), 2)
  t.equal(endOf({ lifetimes, remember: true }), 3)
  t.equal(endOf({ lifetimes: null }), LIFETIMES.absoluteTimeout)
})

t.test('a session without a login that began later gets no login', async (t) => {
  const record = recordOf({ ...nobody(), createdAt: NOW + HOUR, absoluteDeadline: NOW + 9000 * HOUR })
  const back = { createdAt: NOW, absoluteDeadline: NOW + LIFETIMES.absoluteTimeout }
  t.strictSame(withoutFuture(record, NOW, LIFETIMES), { ...record, ...back })
})

t.test('an older login keeps its instants', async (t) => {
  const record = recordOf({ lastSeenAt: NOW + HOUR, absoluteDeadline: NOW + 9000 * HOUR })
  const { createdAt, authenticatedAt, absoluteDeadline } = record
  t.match(withoutFuture(record, NOW, LIFETIMES), { createdAt, authenticatedAt, absoluteDeadline })
})

t.test('the methods of a login were used now at the latest', async (t) => {
  const methods = [
    { name: 'pwd', at: NOW - 5 },
    { name: 'otp', at: NOW + 5 },
  ]
  const after = withoutFuture(recordOf({ lastSeenAt: NOW + 1, methods }), NOW, LIFETIMES)
  t.strictSame(after.methods, [
    { name: 'pwd', at: NOW - 5 },
    { name: 'otp', at: NOW },
  ])
  const without = withoutFuture(recordOf({ lastSeenAt: NOW + 1 }), NOW, LIFETIMES)
  t.notOk('methods' in without, 'a record without methods gets none')
  t.notOk('acting' in without)
})

t.test('all instants of the ids go back together, once one of them is beyond the skew', async (t) => {
  const future = NOW + HOUR
  const moved = { authCheckedAt: future, userAt: future, rotatedAt: future, shownAt: future, headAt: future }
  const record = recordOf({ ...moved, tip: tipAt(future), rivals: [rivalAt(NOW - 5), rivalAt(future)] })
  t.strictSame(withoutFuture(record, NOW, LIFETIMES), {
    ...record,
    ...{ authCheckedAt: NOW, userAt: NOW, rotatedAt: NOW, shownAt: NOW, headAt: NOW, tip: tipAt(NOW) },
    rivals: [rivalAt(NOW - 5), { ...rivalAt(future), since: NOW }],
  })
  const past = recordOf({ headAt: future, userAt: NOW - 7, tip: tipAt(NOW - 6), rivals: [rivalAt(NOW - 5)] })
  t.strictSame(withoutFuture(past, NOW, LIFETIMES), { ...past, headAt: NOW }, 'what has come stays')
  const alone = withoutFuture(recordOf({ shownAt: future }), NOW, LIFETIMES)
  t.notOk('userAt' in alone)
  t.equal(alone.tip, null)
})

t.test('who acts as another user has no more time for it than before', async (t) => {
  const record = recordOf({
    ...actingAs('ann', 'eve', { since: NOW + HOUR }),
    lastSeenAt: NOW + HOUR,
    absoluteDeadline: NOW + HOUR + 600,
  })
  const after = withoutFuture(record, NOW, LIFETIMES)
  t.equal(after.absoluteDeadline, NOW + 600)
  t.strictSame(after.acting, { ...record.acting, since: NOW })
  const before = recordOf({ ...actingAs('ann', 'eve', { since: NOW }), lastSeenAt: NOW + HOUR })
  t.equal(withoutFuture(before, NOW, LIFETIMES).absoluteDeadline, before.absoluteDeadline)
  const spared = recordOf({ ...actingAs('ann', 'eve', { since: NOW }), sparedAt: NOW + 1, absoluteDeadline: NOW + 9e9 })
  t.equal(withoutFuture(spared, NOW, LIFETIMES).absoluteDeadline, NOW + LIFETIMES.absoluteTimeout)
})

t.test('the actor goes back in time with the session', async (t) => {
  const future = NOW + HOUR
  const methods = [{ name: 'pwd', at: future }]
  const instants = { authCheckedAt: future, userAt: future, since: NOW - 5, absoluteDeadline: NOW + 9000 * HOUR }
  const actorOf = (changes: Partial<SessionRecord>, kept: object = {}): SessionRecord['acting'] => {
    const record = recordOf({ ...actingAs('ann', 'eve', { ...instants, methods, ...kept }), ...changes })
    return withoutFuture(record, NOW, LIFETIMES).acting
  }
  const isLater = { authenticatedAt: future }
  const back = { authCheckedAt: NOW, userAt: NOW, since: NOW - 5, methods: [{ name: 'pwd', at: NOW }], userId: 'eve' }
  t.match(actorOf(isLater), { ...back, absoluteDeadline: NOW + LIFETIMES.absoluteTimeout })
  t.match(actorOf(isLater, { remember: true }), { absoluteDeadline: NOW + LIFETIMES.rememberTimeout })
  const lifetimes = { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 }
  t.match(actorOf(isLater, { lifetimes }), { absoluteDeadline: NOW + 2 }, 'by the lifetimes of the actor')
  t.match(actorOf(isLater, { absoluteDeadline: ACTOR_ENDS }), { absoluteDeadline: ACTOR_ENDS })
  t.match(actorOf({ lastSeenAt: future }), { ...back, absoluteDeadline: NOW + 9000 * HOUR }, 'the login is older')
  t.match(actorOf({ authenticatedAt: NOW, lastSeenAt: future }), { absoluteDeadline: NOW + 9000 * HOUR })
  const past = { authCheckedAt: NOW - 9, userAt: NOW - 8, since: NOW - 7, methods: [{ name: 'pwd', at: NOW - 6 }] }
  t.match(actorOf(isLater, past), past, 'what has come stays')
})
