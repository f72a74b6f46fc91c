import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import type { Role } from '../../lib/session/role.ts'
import { withRole } from '../../lib/session/role.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { KeptLifetimes, SessionRecord } from '../../types/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const SETTINGS = lifetimesOf({})

/** Returns the lifetimes of a user, in minutes. */
function minutes(idle: number, absolute: number): KeptLifetimes {
  return { idleTimeout: idle * MINUTE, absoluteTimeout: absolute * MINUTE, rememberTimeout: 10_000 * MINUTE }
}

/** Returns a session of Ann's that began an hour ago, and ends in nine. */
function anns(changes: Partial<SessionRecord> = {}): SessionRecord {
  return recordAt(NOW, {
    userId: 'ann',
    user: '{"id":"ann"}',
    authHash: 'of ann',
    authCheckedAt: NOW - 3 * MINUTE,
    authenticatedAt: NOW - 60 * MINUTE,
    absoluteDeadline: NOW + 540 * MINUTE,
    remember: true,
    isForked: false,
    data: '{"cart":1,"seen":1}',
    ...changes,
  })
}

type Begin = NonNullable<Role['begin']>

function acting(record: SessionRecord, changes: Partial<Begin> = {}): SessionRecord {
  const begin: Begin = {
    authHash: 'of bob',
    reason: 'ticket 7',
    limit: 30 * MINUTE,
    lifetimes: undefined,
    edit: { from: '{"cart":1}', to: '{"cart":2}', isWhole: false },
    ...changes,
  }
  return withRole(
    record,
    { userId: 'bob', user: '{"id":"bob"}', actor: record.user, methods: [], data: '{}', begin },
    NOW,
    SETTINGS,
  )
}

function returned(record: SessionRecord, now: number): SessionRecord {
  const role: Role = { userId: 'ann', user: '{"id":"ann"}', actor: null, methods: [], data: '{}' }
  return withRole(record, role, now, SETTINGS)
}

t.test('the session of who acts shows the user, and proves nothing about the user', async (t) => {
  const before = anns({ methods: [{ name: 'otp', at: NOW - MINUTE }], userAt: NOW - 2 * MINUTE })
  const { acting: kept, ...record } = acting(before)
  const { acting: _, ...unchanged } = before
  t.strictSame(record, {
    ...unchanged,
    userId: 'bob',
    user: '{"id":"bob"}',
    authHash: 'of bob',
    authCheckedAt: NOW,
    userAt: NOW,
    lastSeenAt: NOW,
    idleDeadline: NOW + SETTINGS.idleTimeout,
    absoluteDeadline: NOW + 30 * MINUTE,
    remember: false,
    lifetimes: null,
    methods: [],
  })
  t.equal(record.authenticatedAt, NOW - 60 * MINUTE, 'the login is as old as before')
  t.strictSame(kept, {
    userId: 'ann',
    user: '{"id":"ann"}',
    authHash: 'of ann',
    authCheckedAt: NOW - 3 * MINUTE,
    userAt: NOW - 2 * MINUTE,
    absoluteDeadline: NOW + 540 * MINUTE,
    remember: true,
    lifetimes: null,
    methods: [{ name: 'otp', at: NOW - MINUTE }],
    data: '{"cart":2,"seen":1}',
    reason: 'ticket 7',
    since: NOW,
  })
})

t.test('an actor whose record lacks the optional fields keeps the values that stand for none', async (t) => {
  const { acting: kept } = acting(anns())
  t.match(kept, { userAt: 0, lifetimes: null })
  t.strictSame(kept?.methods, [])
})

t.test('acting ends with its limit, with the actor or with the lifetime of the user, whichever is first', async (t) => {
  const ends = (changes: Partial<SessionRecord>, begin: Partial<Begin>): number =>
    (acting(anns(changes), begin).absoluteDeadline - NOW) / MINUTE
  t.equal(ends({}, { limit: 30 * MINUTE, lifetimes: minutes(5, 31) }), 30)
  t.equal(ends({}, { limit: 32 * MINUTE, lifetimes: minutes(5, 31) }), 31)
  t.equal(ends({ absoluteDeadline: NOW + 29 * MINUTE }, { limit: 30 * MINUTE, lifetimes: minutes(5, 31) }), 29)
  t.equal(ends({}, { limit: 1000 * MINUTE }), 540)
})

t.test(
  'while acting the shorter idle timeout of the two users holds, and later the own one of the actor',
  async (t) => {
    for (const [own, other, shorter] of [
      [minutes(10, 600), minutes(5, 600), 5],
      [minutes(5, 600), minutes(10, 600), 5],
      [minutes(10, 600), undefined, 10],
      [null, minutes(5, 600), 5],
      [null, undefined, SETTINGS.idleTimeout / MINUTE],
    ] as const) {
      const record = acting(anns({ lifetimes: own, remember: false }), { lifetimes: other, limit: 500 * MINUTE })
      t.equal(record.idleDeadline - NOW, shorter * MINUTE)
      t.equal(record.lifetimes?.idleTimeout ?? SETTINGS.idleTimeout, shorter * MINUTE)
      const idle = (own ?? SETTINGS).idleTimeout
      t.match(returned(record, NOW + MINUTE), { lifetimes: own, idleDeadline: NOW + MINUTE + idle })
    }
  },
)

t.test('acting is idle no longer than it may last', async (t) => {
  t.equal(acting(anns(), { limit: MINUTE }).idleDeadline, NOW + MINUTE)
})

t.test('who stops to act has everything back, and has to prove anew who they are', async (t) => {
  const before = anns({ methods: [{ name: 'otp', at: NOW - MINUTE }], userAt: NOW - 2 * MINUTE })
  const later = NOW + 10 * MINUTE
  t.strictSame(returned(acting(before), later), {
    ...before,
    lifetimes: null,
    lastSeenAt: later,
    idleDeadline: before.absoluteDeadline,
    isForked: true,
    acting: null,
  })
})
