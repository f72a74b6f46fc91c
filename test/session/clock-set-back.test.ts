import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import { isAhead, MAX_SKEW, withoutFuture } from '../../lib/session/clock-set-back.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { KeptActor, SessionRecord } from '../../types/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const HOUR = 3_600_000

const settings = lifetimesOf({ idleTimeout: '1h', absoluteTimeout: '10h', rememberTimeout: '100h' })

/** Lifetimes of one user, shorter than those of the options. */
const own = { idleTimeout: HOUR, absoluteTimeout: 2 * HOUR, rememberTimeout: 20 * HOUR }

function actor(changes: Partial<KeptActor> = {}): KeptActor {
  return {
    userId: 'root',
    user: '{"id":"root"}',
    authHash: null,
    authCheckedAt: NOW - 1,
    userAt: NOW - 2,
    absoluteDeadline: NOW + 5 * HOUR,
    remember: false,
    lifetimes: null,
    methods: [],
    data: '{}',
    reason: 'support',
    since: NOW - 3,
    ...changes,
  }
}

const tip = { secretHash: 'tip', issuedAt: NOW - 2, shownAt: NOW - 1, isTied: true }

/** Returns the changes that put each instant of an id, and no other, at an instant. */
function idInstantsAt(at: number): readonly Partial<SessionRecord>[] {
  return [
    { authCheckedAt: at },
    { userAt: at },
    { rotatedAt: at },
    { shownAt: at },
    { headAt: at },
    { tip: { ...tip, shownAt: at } },
    {
      rivals: [
        { secretHash: 'a', since: at, isTied: true },
        { secretHash: 'b', since: NOW - 1, isTied: true },
      ],
    },
  ]
}

t.test('servers whose clocks are up to two and a half minutes apart leave the ids of each other alone', async (t) => {
  t.equal(MAX_SKEW, 150_000)
  for (const changes of idInstantsAt(NOW + MAX_SKEW)) {
    const record = recordAt(NOW, { tip: null, rivals: [], ...changes })
    t.notOk(isAhead(record, NOW), Object.keys(changes).join())
    t.equal(withoutFuture(record, NOW, settings), record)
  }
  for (const changes of idInstantsAt(NOW + MAX_SKEW + 1)) {
    t.ok(isAhead(recordAt(NOW, { tip: null, rivals: [], ...changes }), NOW), Object.keys(changes).join())
  }
})

t.test('a use or a beginning that has not come yet shows a clock that was set back', async (t) => {
  t.notOk(isAhead(recordAt(NOW), NOW))
  for (const changes of [
    { lastSeenAt: NOW },
    { authenticatedAt: NOW },
    { sparedAt: NOW },
    { authenticatedAt: null, createdAt: NOW },
  ]) {
    t.notOk(isAhead(recordAt(NOW, changes), NOW))
    t.ok(isAhead(recordAt(NOW - 1, { ...recordAt(NOW - 1), ...changes }), NOW - 1), Object.keys(changes).join())
  }
})

t.test('no instant of an id stays in the future, and those of the past stay as they are', async (t) => {
  for (const changes of idInstantsAt(NOW + MAX_SKEW + 1)) {
    const record = recordAt(NOW, { tip, rivals: [], ...changes })
    const next = withoutFuture(record, NOW, settings)
    const [wanted] = idInstantsAt(NOW).filter((one) => Object.keys(one).join() === Object.keys(changes).join())
    t.strictSame(next, { ...record, ...wanted }, Object.keys(changes).join())
  }
  const issued = { ...tip, issuedAt: NOW + 1, shownAt: NOW + MAX_SKEW + 1 }
  t.strictSame(withoutFuture(recordAt(NOW, { tip: issued }), NOW, settings).tip, {
    ...tip,
    issuedAt: NOW,
    shownAt: NOW,
  })
  t.notOk('userAt' in withoutFuture(recordAt(NOW, { headAt: NOW + MAX_SKEW + 1 }), NOW, settings))
})

t.test('a session that began later than now began now, and its ids move only if they are far ahead', async (t) => {
  const record = recordAt(NOW, {
    createdAt: NOW + 1,
    authenticatedAt: NOW + 2,
    lastSeenAt: NOW + 2,
    rotatedAt: NOW + 2,
    methods: [
      { name: 'password', at: NOW + 2 },
      { name: 'code', at: NOW - 1 },
    ],
  })
  const next = withoutFuture(record, NOW, settings)
  t.match(next, { createdAt: NOW, authenticatedAt: NOW, rotatedAt: NOW + 2 })
  t.strictSame(next.methods, [
    { name: 'password', at: NOW },
    { name: 'code', at: NOW - 1 },
  ])
  const older = withoutFuture(recordAt(NOW, { lastSeenAt: NOW + 1 }), NOW, settings)
  t.match(older, { createdAt: NOW - 90_000, authenticatedAt: NOW - 80_000 })
  t.notOk('methods' in older || 'acting' in older, 'no field appears')
  const nobody = recordAt(NOW, { userId: null, user: null, authenticatedAt: null, createdAt: NOW + 1 })
  t.match(withoutFuture(nobody, NOW, settings), { authenticatedAt: null, createdAt: NOW })
})

t.test('the absolute deadline moves with the beginning, and never forward', async (t) => {
  const deadline = (changes: Partial<SessionRecord>): number =>
    withoutFuture(
      recordAt(NOW, { authenticatedAt: NOW + 1, absoluteDeadline: NOW + 1000 * HOUR, remember: false, ...changes }),
      NOW,
      settings,
    ).absoluteDeadline - NOW
  t.equal(deadline({}), 10 * HOUR)
  t.equal(deadline({ remember: true }), 100 * HOUR)
  t.equal(deadline({ lifetimes: own }), 2 * HOUR)
  t.equal(deadline({ lifetimes: own, remember: true }), 20 * HOUR)
  t.equal(deadline({ lifetimes: null }), 10 * HOUR)
  t.equal(deadline({ absoluteDeadline: NOW + HOUR }), HOUR)
  t.equal(deadline({ authenticatedAt: NOW, lastSeenAt: NOW + 1 }), 1000 * HOUR, 'a session that began now or before')
})

t.test('who acts as another user has no more time than before', async (t) => {
  const since = NOW + 3 * HOUR
  const acting = actor({
    since,
    authCheckedAt: since,
    userAt: since,
    absoluteDeadline: since + 50 * HOUR,
    methods: [{ name: 'password', at: since }],
  })
  const record = recordAt(NOW, { acting, lastSeenAt: since, absoluteDeadline: since + HOUR / 2 })
  const next = withoutFuture(record, NOW, settings)
  t.equal(next.absoluteDeadline, NOW + HOUR / 2)
  t.strictSame(
    next.acting,
    {
      ...acting,
      since: NOW,
      authCheckedAt: NOW,
      userAt: NOW,
      methods: [{ name: 'password', at: NOW }],
    },
    'the login of the actor is older than now, so its end stays',
  )
  const begun = (changes: Partial<KeptActor>): number | undefined => {
    const late = { ...acting, ...changes }
    const moved = withoutFuture({ ...record, authenticatedAt: NOW + 1, acting: late }, NOW, settings)
    return (moved.acting?.absoluteDeadline ?? 0) - NOW
  }
  t.equal(begun({}), 10 * HOUR)
  t.equal(begun({ remember: true, absoluteDeadline: since + 500 * HOUR }), 100 * HOUR)
  t.equal(begun({ lifetimes: own }), 2 * HOUR)
  t.equal(begun({ absoluteDeadline: NOW + HOUR }), HOUR)
  const past = recordAt(NOW, { acting: actor({ since: NOW }), lastSeenAt: NOW + 1, absoluteDeadline: NOW + HOUR })
  t.match(withoutFuture(past, NOW, settings), { absoluteDeadline: NOW + HOUR, acting: actor({ since: NOW }) })
})
