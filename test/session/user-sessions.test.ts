import type { Test } from 'tap'
import t from 'tap'
import { MAX_SKEW } from '../../lib/storage/clocks.ts'
import { besideOf, handleIn, leavingOf, noteOn, placesOf } from '../../lib/session/places.ts'
import { ATTEMPTS, RESERVATION } from '../../lib/session/user-places.ts'
import type { SecureSessionOptions, SessionRecord } from '../../types/index.ts'
import { coreOnly } from '../plugin/stores.ts'
import type { EngineWorld } from './engine-world.ts'
import { engineWorld } from './engine-world.ts'
import { actingAs, nobody, NOW, ownedBy, pendingOf, recordAt } from './records.ts'

const ANN = { id: 'ann' }
const NONE: ReadonlySet<string> = new Set()

function limited(
  t: Test,
  maxSessions: SecureSessionOptions['maxSessions'],
  store?: typeof coreOnly,
): Promise<EngineWorld> {
  return engineWorld(t, { ...(maxSessions !== undefined && { session: { maxSessions } }), ...(store && { store }) })
}

/** Returns which of these sessions are still in the store. */
async function alive({ store }: EngineWorld, records: readonly SessionRecord[]): Promise<boolean[]> {
  const found = await Promise.all(records.map(({ handle }) => store.get(handle)))
  return found.map((record) => record !== undefined)
}

t.test('without a limit a login takes its place with one question, for the time of a login', async (t) => {
  const it = await limited(t, undefined)
  t.strictSame(await it.inTurn(() => it.engine.users.reserve(ANN, 'h', undefined)), NONE)
  t.strictSame(await it.store.listIndex('ann'), [{ handle: 'h', expiresAt: NOW + RESERVATION }])
  t.match(it.operations, [{ name: 'addToIndex', rest: ['ann', 'h', NOW + RESERVATION, undefined] }])
  t.equal(it.operations.length, 1)
})

t.test('a login in a session of the same user keeps its place as long as that session lives', async (t) => {
  const it = await limited(t, undefined)
  for (const [current, until] of [
    [recordAt(NOW, { ...ownedBy('ann'), absoluteDeadline: NOW + 900_000 }), NOW + 900_000],
    [recordAt(NOW, { ...ownedBy('ann'), absoluteDeadline: NOW + 10_000 }), NOW + RESERVATION],
    [recordAt(NOW, { ...ownedBy('bob'), absoluteDeadline: NOW + 900_000 }), NOW + RESERVATION],
  ] as const) {
    await it.engine.users.reserve(ANN, current.handle, current)
    const entries = await it.store.listIndex('ann')
    t.equal(entries.find(({ handle }) => handle === current.handle)?.expiresAt, until)
  }
})

t.test('without an index in the store a login takes no place', async (t) => {
  const it = await limited(t, undefined, coreOnly)
  t.strictSame(await it.engine.users.reserve(ANN, 'h', undefined), NONE)
  await it.engine.users.move(ANN, 'h', 'i', false)
  t.strictSame(it.asked(), [])
})

t.test('a limit that ends sessions hears which logins were done before, and refuses nobody', async (t) => {
  const it = await limited(t, 1)
  for (const [handle, left] of [
    ['under way', RESERVATION - 1],
    ['just begun', RESERVATION],
    ['done', RESERVATION + 1],
    ['done long ago', 10 * RESERVATION],
  ] as const) {
    await it.store.addToIndex('ann', handle, NOW + left)
  }
  const earlier = await it.inTurn(() => it.engine.users.reserve(ANN, 'h', undefined))
  t.strictSame(earlier, new Set(['done', 'done long ago']))
  t.match(it.operations.at(-1), { name: 'addToIndex', rest: ['ann', 'h', NOW + RESERVATION, undefined] })
})

t.test('a limit that refuses is checked by the store, with as many places to spare as are given back', async (t) => {
  const it = await limited(t, { limit: 2, onLimit: 'refuse' })
  const { users } = it.engine
  it.asked()
  t.strictSame(await it.inTurn(() => users.reserve(ANN, 'a', undefined)), NONE)
  t.strictSame(await users.reserve(ANN, 'b', undefined), NONE)
  t.strictSame(it.asked(), ['addToIndex', 'addToIndex'])
  const refused = it.inTurn(() => users.reserve(ANN, 'c', undefined))
  await t.rejects(refused, { code: 'SESSION_LIMIT_REACHED', statusCode: 403 })
  t.strictSame(await it.listed('ann'), ['a', 'b'])
  t.strictSame(await users.reserve(ANN, 'c', undefined, 1), NONE)
  await t.rejects(users.reserve(ANN, 'd', undefined, 1), { code: 'SESSION_LIMIT_REACHED' })
})

const MINUTE = 60_000

const UNSEEN = { shownAt: 0, rotatedAt: NOW - MINUTE, lastSeenAt: NOW - MINUTE }

for (const [what, fields, isEnded] of [
  ['whose id was never shown, a minute after the login', UNSEEN, true],
  [
    'whose id was never shown, long after the login',
    { ...UNSEEN, rotatedAt: NOW - 100_000, lastSeenAt: NOW - 100_000 },
    true,
  ],
  ['that was seen before its id changed', { ...UNSEEN, lastSeenAt: NOW - MINUTE - 1 }, true],
  ['that was seen after its id changed', { ...UNSEEN, lastSeenAt: NOW - MINUTE + 1 }, false],
  ['whose id was shown', { ...UNSEEN, shownAt: 1 }, false],
  ['of less than a minute', { ...UNSEEN, rotatedAt: NOW - MINUTE + 1 }, false],
] as const) {
  t.test(`a login at the limit ${isEnded ? 'takes' : 'does not take'} the place of a session ${what}`, async (t) => {
    const it = await limited(t, { limit: 2, onLimit: 'refuse' })
    const records = [
      await it.put({ ...ownedBy('ann'), ...fields }),
      await it.put({ ...ownedBy('ann'), ...UNSEEN, shownAt: 1 }),
    ]
    const reserved = it.inTurn(() => it.engine.users.reserve(ANN, 'h', undefined))
    if (isEnded) t.strictSame(await reserved, NONE)
    else await t.rejects(reserved, { code: 'SESSION_LIMIT_REACHED' })
    t.strictSame(await alive(it, records), [!isEnded, true])
    t.equal(it.events.length, isEnded ? 1 : 0)
    const revoked = { type: 'revoke', userId: 'ann', handle: records[0]?.handle, reason: 'evicted' }
    if (isEnded) t.match(it.events, [revoked])
  })
}

t.test('a login that moves takes its new place before it gives back the old one', async (t) => {
  const it = await limited(t, undefined)
  await it.store.addToIndex('ann', 'from', NOW + RESERVATION)
  it.asked()
  await it.inTurn(() => it.engine.users.move(ANN, 'from', 'to', false))
  t.strictSame(await it.store.listIndex('ann'), [{ handle: 'to', expiresAt: NOW + RESERVATION }])
  t.strictSame(it.asked().slice(0, 2), ['addToIndex', 'listIndex'])
})

t.test('a login that moves out of a session of the user leaves that session its place', async (t) => {
  const it = await limited(t, undefined)
  const record = await it.put(ownedBy('ann'))
  await it.inTurn(() => it.engine.users.move(ANN, record.handle, 'to', true))
  t.strictSame(await it.listed('ann'), [record.handle, 'to'])
  const failed = await it.put(ownedBy('ann'))
  await it.inTurn(() => it.engine.users.move(ANN, failed.handle, 'too', false))
  t.strictSame(await it.listed('ann'), [record.handle, 'to', failed.handle, 'too'], 'also if it came back meanwhile')
})

t.test('a login whose user was revoked does not move', async (t) => {
  const it = await limited(t, undefined)
  for (const isFilled of [true, false]) {
    const moved = it.inTurn(() => it.engine.users.move(ANN, 'from', 'to', isFilled))
    await t.rejects(moved, { code: 'SESSION_SUPERSEDED', statusCode: 503 })
    t.strictSame(await it.listed('ann'), [])
  }
})

t.test('a login that moves may exceed a refusing limit by the place that it gives back alone', async (t) => {
  const it = await limited(t, { limit: 1, onLimit: 'refuse' })
  const { users } = it.engine
  await it.store.addToIndex('ann', 'from', NOW + RESERVATION)
  await t.rejects(users.move(ANN, 'from', 'to', true), { code: 'SESSION_LIMIT_REACHED' })
  await users.move(ANN, 'from', 'to', false)
  t.strictSame(await it.listed('ann'), ['to'])
  await it.store.addToIndex('ann', 'another', NOW + RESERVATION)
  await t.rejects(users.move(ANN, 'to', 'next', false), { code: 'SESSION_LIMIT_REACHED' })
  t.strictSame(await it.listed('ann'), ['to', 'another'])
})

t.test('no session ends for a limit that refuses, nor without a limit', async (t) => {
  for (const maxSessions of [undefined, { limit: 1, onLimit: 'refuse' }] as const) {
    const it = await limited(t, maxSessions)
    const [own, other] = [await it.put(ownedBy('ann')), await it.put(ownedBy('ann'))]
    it.asked()
    await it.engine.users.evict(ANN, own, new Set([other.handle]))
    t.strictSame(it.asked(), [])
  }
})

interface Eviction {
  readonly limit: number
  /** Sessions beside that of the login: seconds since the last use, seconds from the login to theirs. */
  readonly others: readonly {
    readonly unused: number
    readonly after: number
    readonly isEarlier?: boolean
  }[]
  readonly unused?: number
  readonly isOwnEarlier?: boolean
  /** Tells which sessions live afterwards: that of the login first. */
  readonly alive: readonly boolean[]
}

const EVICTIONS: Readonly<Record<string, Eviction>> = {
  'at the limit nobody': { limit: 2, others: [{ unused: 9, after: -9, isEarlier: true }], alive: [true, true] },
  'below the limit nobody': { limit: 3, others: [{ unused: 9, after: -9, isEarlier: true }], alive: [true, true] },
  'beyond the limit the least recently used session': {
    limit: 2,
    others: [
      { unused: 7, after: -9, isEarlier: true },
      { unused: 5, after: -9, isEarlier: true },
    ],
    alive: [true, false, true],
  },
  'far beyond the limit all others': {
    limit: 1,
    others: [
      { unused: 5, after: -9, isEarlier: true },
      { unused: 7, after: -9, isEarlier: true },
    ],
    alive: [true, false, false],
  },
  'the session of an earlier login, although it was used since': {
    limit: 1,
    others: [{ unused: 0, after: -9, isEarlier: true }],
    unused: 8,
    isOwnEarlier: true,
    alive: [true, false],
  },
  'a session that stood there before, although its clock says that it is later': {
    limit: 1,
    others: [{ unused: 0, after: 3, isEarlier: true }],
    alive: [true, false],
  },
  'a session of a simultaneous login that comes before': {
    limit: 1,
    others: [{ unused: 0, after: -1 }],
    alive: [true, false],
  },
  'the own session, if the other login comes later': {
    limit: 1,
    others: [{ unused: 0, after: 1 }],
    alive: [false, true],
  },
  'the own session and one before, and none that comes later': {
    limit: 1,
    others: [
      { unused: 4, after: 1 },
      { unused: 3, after: -1 },
    ],
    alive: [false, true, false],
  },
}

for (const [who, { limit, others, unused = 0, isOwnEarlier = false, alive: left }] of Object.entries(EVICTIONS)) {
  t.test(`a login ends ${who}`, async (t) => {
    const it = await limited(t, limit)
    const put = (ago: number, after: number): Promise<SessionRecord> =>
      it.put({ ...ownedBy('ann'), lastSeenAt: NOW - ago * 1000, authenticatedAt: NOW - 10_000 + after * 1000 })
    const own = await put(unused, 0)
    const records = [own]
    for (const other of others) records.push(await put(other.unused, other.after))
    const earlier = others.flatMap(({ isEarlier }, index) => (isEarlier ? [records[index + 1]?.handle ?? ''] : []))
    await it.engine.users.evict(ANN, own, new Set([...earlier, ...(isOwnEarlier ? [own.handle] : [])]))
    t.strictSame(await alive(it, records), left)
    t.strictSame(
      it.events.map((event) => event.type === 'revoke' && event.reason),
      left.filter((isLeft) => !isLeft).map(() => 'evicted'),
    )
  })
}

t.test(
  'a limit counts a session in which another user logged in a moment ago, and takes its place first',
  async (t) => {
    for (const [limit, lent, left] of [
      [3, 1, [true, true]],
      [2, 0, [true, true]],
      [1, 0, [true, false]],
    ] as const) {
      const it = await limited(t, limit)
      const [own, other] = [await it.put({ ...ownedBy('ann'), lastSeenAt: NOW }), await it.put(ownedBy('ann'))]
      const bob = await it.put({ ...ownedBy('bob'), rotatedAt: NOW })
      await it.store.addToIndex('ann', bob.handle, NOW + 10 * RESERVATION)
      await it.inTurn(() => it.engine.users.evict(ANN, own, new Set([other.handle])))
      t.equal((await it.listed('ann')).filter((handle) => handle === bob.handle).length, lent)
      t.strictSame(await alive(it, [own, other]), left)
      t.strictSame(await alive(it, [bob]), [true], 'the session of the other user goes on')
    }
  },
)

t.test('a limit gives away as few places of sessions that another user has as it has to', async (t) => {
  for (const [limit, left] of [
    [5, 2],
    [3, 2],
    [2, 1],
    [1, 0],
  ] as const) {
    const it = await limited(t, limit)
    const own = await it.put({ ...ownedBy('ann'), lastSeenAt: NOW })
    const lent = [
      await it.put({ ...ownedBy('bob'), rotatedAt: NOW }),
      await it.put({ ...ownedBy('eve'), rotatedAt: NOW }),
    ]
    for (const { handle } of lent) await it.store.addToIndex('ann', handle, NOW + 10 * RESERVATION)
    await it.engine.users.evict(ANN, own, NONE)
    t.equal((await it.listed('ann')).filter((handle) => handle !== own.handle).length, left, `limit ${limit}`)
    t.strictSame(await alive(it, [own, ...lent]), [true, true, true])
  }
})

t.test('a login counts although a revocation that is about to fail has removed its entry', async (t) => {
  const it = await limited(t, 1)
  const [own, other] = [await it.put({ ...ownedBy('ann'), lastSeenAt: NOW }), await it.put(ownedBy('ann'))]
  await it.store.removeFromIndex('ann', own.handle)
  await it.inTurn(() => it.engine.users.evict(ANN, own, new Set([other.handle])))
  t.strictSame(await alive(it, [own, other]), [true, false])
})

t.test('who ends a session for the limit waits until it has ended', async (t) => {
  const it = await limited(t, 1)
  const [own, other] = [await it.put({ ...ownedBy('ann'), lastSeenAt: NOW }), await it.put(ownedBy('ann'))]
  await it.inTurn(() => it.engine.users.evict(ANN, own, new Set([other.handle])))
  t.strictSame(await it.listed('ann'), [own.handle])
})

t.test('a list shows logins and sessions of actors by their last use, and no half login', async (t) => {
  const it = await limited(t, undefined)
  const ann = (fields: object): Promise<SessionRecord> =>
    it.put({ ...ownedBy('ann'), lastSeenAt: NOW - 2000, ...fields })
  const early = await ann({ authenticatedAt: NOW - 9_000 })
  const late = await ann({ authenticatedAt: NOW - 8_000 })
  const latest = await ann({ lastSeenAt: NOW - 1000, authenticatedAt: NOW - 10_000 })
  const oldest = await ann({ lastSeenAt: NOW - 3000, authenticatedAt: NOW - 5_000 })
  const acting = await it.put({ ...actingAs('ann', 'staff'), lastSeenAt: NOW - 1_500 })
  await it.put(pendingOf('ann'))
  await it.put(ownedBy('bob'))
  const list = await it.engine.users.list('ann', late.handle)
  t.strictSame(
    list.map(({ handle }) => handle),
    [latest, acting, late, early, oldest].map(({ handle }) => handle),
  )
  t.strictSame(
    list.map(({ current }) => current),
    [false, false, true, false, false],
  )
  t.match(list[1], { userId: 'ann', acting: { actorId: 'staff' } })
  t.match(await it.engine.users.list('staff'), [{ handle: acting.handle, userId: 'ann', acting: { actorId: 'staff' } }])
  t.strictSame(await it.engine.users.list('nobody'), [])
})

t.test('a long list is complete', async (t) => {
  const it = await limited(t, undefined)
  for (let count = 0; count < 230; count += 1) await it.put(ownedBy('ann'))
  t.equal((await it.engine.users.list('ann')).length, 230)
})

t.test(
  'a look at the sessions of a user removes entries that outlived their session, and no entry of a login',
  async (t) => {
    const it = await limited(t, undefined)
    const loginOver = { rotatedAt: NOW - RESERVATION - MAX_SKEW - 1 }
    const theirs = await it.put({ ...ownedBy('bob'), ...loginOver })
    const forever = NOW + 10 * RESERVATION
    for (const [handle, expiresAt] of [
      ['login', NOW + RESERVATION + MAX_SKEW],
      ['stale', NOW + RESERVATION + MAX_SKEW + 1],
      [theirs.handle, forever],
    ] as const) {
      await it.store.addToIndex('ann', handle, expiresAt)
    }
    t.strictSame(await it.engine.users.list('ann'), [])
    t.strictSame(await it.listed('ann'), ['login'])
    t.strictSame(await it.listed('bob'), [theirs.handle])
    t.ok(await it.store.get(theirs.handle))
    const expired = await it.put({ ...ownedBy('ann'), idleDeadline: NOW + 1_000 })
    it.clock.advance(1_000)
    it.gate.hold('getMany').answer([expired])
    t.strictSame(await it.inTurn(() => it.engine.users.list('ann')), [], 'a store may be behind the clock')
    t.strictSame(await it.listed('ann'), ['login'])
  },
)

t.test(
  'an entry stays where another user logged in a moment ago: a login that fails gives the session back',
  async (t) => {
    const it = await limited(t, undefined)
    const theirs = await it.put({ ...ownedBy('bob'), rotatedAt: NOW - RESERVATION - MAX_SKEW })
    await it.store.addToIndex('ann', theirs.handle, NOW + 10 * RESERVATION)
    t.strictSame(await it.engine.users.list('ann'), [])
    t.strictSame(await it.listed('ann'), [theirs.handle])
    it.clock.advance(1)
    t.strictSame(await it.engine.users.list('ann'), [])
    t.strictSame(await it.listed('ann'), [])
    t.strictSame(await it.listed('bob'), [theirs.handle])
  },
)

t.test('a session is revoked: first its record, then its entry, and one event tells of it', async (t) => {
  const it = await limited(t, undefined)
  const record = await it.put(ownedBy('ann'))
  it.asked()
  t.equal(await it.inTurn(() => it.engine.users.revoke(record.handle, 'ann', 'auth-hash')), true)
  t.strictSame(it.asked(), ['get', 'delete', 'removeFromIndex'])
  t.strictSame(await it.listed('ann'), [])
  const event = { type: 'revoke', handle: record.handle, userId: 'ann', reason: 'auth-hash', at: NOW }
  t.strictSame(it.events, [event])
  t.strictSame(it.ends, [{ handle: record.handle, why: 'auth-hash' }])
  t.equal(await it.engine.users.revoke(record.handle, 'ann', 'auth-hash'), false)
  t.equal(it.events.length, 1)
})

for (const userId of ['ann', 'staff']) {
  t.test(`a session in which staff acts as Ann ends with the sessions of ${userId}`, async (t) => {
    const it = await limited(t, undefined)
    const record = await it.put(actingAs('ann', 'staff'))
    t.equal(await it.engine.users.revoke(record.handle, 'bob', 'revoked'), false)
    t.equal(await it.inTurn(() => it.engine.users.revoke(record.handle, userId, 'revoked')), true)
    for (const name of ['staff', besideOf('ann')]) t.strictSame(await it.listed(name), [])
    t.match(it.events, [{ type: 'revoke', userId: 'ann', actorId: 'staff' }])
  })
}

t.test('a half login is revoked in the name of its user', async (t) => {
  const it = await limited(t, undefined)
  const record = await it.put(pendingOf('ann'))
  t.equal(await it.engine.users.revoke(record.handle, 'ann', 'revoked'), true)
  t.match(it.events, [{ type: 'revoke', userId: 'ann' }])
  t.strictSame(await it.listed(besideOf('ann')), [])
})

t.test('a session of somebody else is not revoked, and loses no more than an entry under a wrong name', async (t) => {
  const it = await limited(t, undefined)
  const record = await it.put(ownedBy('bob'))
  await it.store.addToIndex('ann', record.handle, NOW + RESERVATION)
  t.equal(await it.inTurn(() => it.engine.users.revoke(record.handle, 'ann', 'revoked')), false)
  t.ok(await it.store.get(record.handle))
  t.strictSame(await it.listed('ann'), [])
  t.strictSame(await it.listed('bob'), [record.handle])
  t.strictSame(it.events, [])
})

t.test('a login that is on its way is revoked with its place', async (t) => {
  const it = await limited(t, undefined)
  const record = recordAt(NOW, ownedBy('ann'))
  await it.store.addToIndex('ann', record.handle, NOW + RESERVATION)
  const removal = it.gate.hold('removeFromIndex')
  const revoked = it.inTurn(() => it.engine.users.revoke(record.handle, 'ann', 'revoked'))
  await removal.arrived
  t.strictSame((await it.listed(leavingOf('ann'))).map(handleIn), [record.handle], 'a revocation finds the note')
  await it.store.create(record)
  removal.release()
  t.equal(await revoked, true)
  t.strictSame(it.ends, [{ handle: record.handle, why: 'revoked' }])
  t.strictSame(await it.listed(leavingOf('ann')), [])
  t.match(it.events, [{ type: 'revoke', userId: 'ann', reason: 'revoked' }])
})

t.test(
  'a session that has expired by this clock alone is removed, and nobody is told that it was revoked',
  async (t) => {
    const it = await limited(t, undefined)
    const record = await it.put(ownedBy('ann'))
    for (let look = 0; look < 2; look += 1) it.gate.hold('get').answer(undefined)
    t.equal(await it.inTurn(() => it.engine.users.revoke(record.handle, 'ann', 'revoked')), false)
    t.strictSame(it.ends, [{ handle: record.handle, why: 'revoked' }])
    t.strictSame(it.events, [])
  },
)

t.test('without an index in the store there is no entry to look for', async (t) => {
  const it = await limited(t, undefined, coreOnly)
  t.equal(await it.engine.users.revoke('A'.repeat(22), 'ann', 'revoked'), false)
  t.strictSame(it.asked(), ['get'])
})

t.test('a revocation of a user ends logins, half logins and actors, and spares one session', async (t) => {
  const it = await limited(t, undefined)
  const kept = await it.put(ownedBy('ann'))
  const ended = [await it.put(ownedBy('ann')), await it.put(pendingOf('ann')), await it.put(actingAs('ann', 'staff'))]
  const others = [await it.put(ownedBy('bob')), await it.put(ownedBy('staff'))]
  it.engine.users.beforeRevocation = undefined
  t.equal(await it.engine.users.revokeUser('ann', kept.handle, 'revoked'), 3)
  t.strictSame(await alive(it, [kept, ...ended, ...others]), [true, false, false, false, true, true])
  t.strictSame(
    new Set(it.events.map((event) => event.type === 'revoke' && `${event.handle} ${event.userId} ${event.reason}`)),
    new Set(ended.map(({ handle }) => `${handle} ann revoked`)),
  )
  t.equal(await it.engine.users.revokeUser('staff', undefined, 'revoked'), 1)
  t.equal(await it.engine.users.revokeUser('ann', undefined, 'revoked'), 1)
  t.equal(await it.engine.users.revokeUser('ann', undefined, 'revoked'), 0)
})

t.test('a revocation of a user spares the same session under each name of the index', async (t) => {
  const it = await limited(t, undefined)
  const acting = await it.put(actingAs('ann', 'staff'))
  await it.store.addToIndex(leavingOf('ann'), noteOn(acting.handle), NOW + RESERVATION)
  t.equal(await it.inTurn(() => it.engine.users.revokeUser('ann', acting.handle, 'revoked')), 0)
  t.strictSame(await alive(it, [acting]), [true])
})

t.test('a revocation is noted before the sessions of the user are looked at', async (t) => {
  const it = await limited(t, undefined)
  const order: string[] = []
  it.engine.users.beforeRevocation = async (userId) => {
    await new Promise((resolve) => setImmediate(resolve))
    order.push(`noted ${userId}`, ...it.asked())
  }
  await it.put(ownedBy('ann'))
  it.asked()
  t.equal(await it.inTurn(() => it.engine.users.revokeUser('ann', undefined, 'revoked')), 1)
  t.strictSame(order, ['noted ann'])
})

t.test('a login that moves to a new place while its user is revoked is found there', async (t) => {
  const it = await limited(t, undefined)
  const records = [await it.put(ownedBy('ann'))]
  const removal = it.gate.hold('delete')
  const revoked = it.engine.users.revokeUser('ann', undefined, 'revoked')
  await removal.arrived
  records.push(await it.put(ownedBy('ann')), await it.put(pendingOf('ann')))
  removal.release()
  t.equal(await revoked, 3)
  t.strictSame(await alive(it, records), [false, false, false])
})

t.test('an entry that comes back under the same handle does not keep a revocation busy', async (t) => {
  const it = await limited(t, undefined)
  it.gate.conductor = async ({ name, args }, run) => {
    if (name === 'listIndex' && args[0] === 'ann') await it.store.addToIndex('ann', 'h', NOW + RESERVATION)
    await run()
  }
  t.equal(await it.engine.users.revokeUser('ann', undefined, 'revoked'), 0)
})

t.test('a revocation that new logins never let end says so', async (t) => {
  const it = await limited(t, undefined)
  let rounds = 0
  it.gate.conductor = async ({ name, args }, run) => {
    if (name === 'listIndex' && args[0] === 'ann') {
      rounds += 1
      await it.put(ownedBy('ann'))
    }
    await run()
  }
  const revoked = it.engine.users.revokeUser('ann', undefined, 'revoked')
  await t.rejects(revoked, { code: 'SESSION_SUPERSEDED', statusCode: 503 })
  t.equal(rounds, ATTEMPTS)
  t.equal(it.events.length, ATTEMPTS)
})

t.test('a revocation ends sessions whose entry somebody is removing, and forgets the notes on them', async (t) => {
  const it = await limited(t, undefined)
  const own = recordAt(NOW, ownedBy('ann'))
  const theirs = recordAt(NOW, ownedBy('bob'))
  for (const record of [own, theirs]) await it.store.create(record)
  const gone = 'A'.repeat(22)
  const notes = [noteOn(own.handle), noteOn(own.handle), noteOn(theirs.handle), noteOn(gone)]
  for (const note of notes) await it.store.addToIndex(leavingOf('ann'), note, NOW + RESERVATION)
  t.equal(await it.engine.users.revokeUser('ann', undefined, 'revoked'), 1)
  t.strictSame(await alive(it, [own, theirs]), [false, true])
  t.strictSame(await it.listed(leavingOf('ann')), notes.slice(2))
  t.match(it.events, [{ type: 'revoke', handle: own.handle, userId: 'ann', reason: 'revoked' }])
  t.equal(it.events.length, 1)
})

t.test('a noted session that has expired by this clock alone is removed, and its note stays', async (t) => {
  const it = await limited(t, undefined)
  const record = recordAt(NOW, ownedBy('ann'))
  await it.store.create(record)
  await it.store.addToIndex(leavingOf('ann'), noteOn(record.handle), NOW + RESERVATION)
  it.gate.hold('getMany').answer([])
  t.equal(await it.inTurn(() => it.engine.users.revokeUser('ann', undefined, 'revoked')), 0)
  t.strictSame(it.ends, [{ handle: record.handle, why: 'revoked' }])
  t.strictSame((await it.listed(leavingOf('ann'))).map(handleIn), [record.handle])
})

t.test('a noted session ends before the revocation says so', async (t) => {
  const it = await limited(t, undefined)
  const record = recordAt(NOW, ownedBy('ann'))
  await it.store.create(record)
  await it.store.addToIndex(leavingOf('ann'), noteOn(record.handle), NOW + RESERVATION)
  t.equal(await it.inTurn(() => it.engine.users.revokeUser('ann', undefined, 'revoked')), 1)
  t.strictSame(await it.listed(leavingOf('ann')), [])
})

t.test('a logout ends the session of its request with one write, and gives back its place', async (t) => {
  const it = await limited(t, undefined)
  const record = await it.put(ownedBy('ann'))
  it.asked()
  t.equal(await it.inTurn(() => it.engine.users.endOwn(record)), true)
  t.strictSame(it.asked(), ['delete', 'removeFromIndex'])
  t.strictSame(it.ends, [{ handle: record.handle, why: 'logout' }])
  t.strictSame(await it.listed('ann'), [])
  await it.store.addToIndex('ann', record.handle, NOW + RESERVATION)
  t.equal(await it.inTurn(() => it.engine.users.endOwn(record)), true, 'a session that is gone has ended')
  t.strictSame(await it.listed('ann'), [])
})

const FATES: Readonly<Record<string, readonly [from: object, to: object, isEnded: boolean]>> = {
  'the same user': [ownedBy('ann'), { ...ownedBy('ann'), epoch: 3 }, true],
  'another user': [ownedBy('ann'), ownedBy('bob'), false],
  nobody: [ownedBy('ann'), nobody(), false],
  'a customer, for whom the same user acts': [ownedBy('ann'), actingAs('bob', 'ann'), true],
  'the user as whom an actor acted': [actingAs('bob', 'ann'), ownedBy('bob'), false],
  'nobody, in the same epoch': [nobody(), { ...nobody(), epoch: 2 }, true],
  'nobody, in another epoch': [nobody(), { ...nobody(), epoch: 3 }, false],
  'a user who logged in': [nobody(), { ...ownedBy('ann'), authenticatedAt: NOW }, false],
}

for (const [who, [from, to, isEnded]] of Object.entries(FATES)) {
  t.test(`a logout ${isEnded ? 'ends' : 'leaves alone'} a session that belongs by now to ${who}`, async (t) => {
    const it = await limited(t, undefined)
    const before = await it.put(from)
    const latest = { ...before, acting: null, ...to, version: 8 }
    await it.store.update(latest, 7)
    for (const { name, until } of placesOf(latest)) await it.store.addToIndex(name, latest.handle, until)
    t.equal(await it.inTurn(() => it.engine.users.endOwn(before)), isEnded)
    t.strictSame(await alive(it, [before]), [!isEnded])
    const left = isEnded ? [] : placesOf(latest).map(({ name }) => name)
    for (const name of ['ann', 'bob', besideOf('ann'), besideOf('bob')]) {
      t.strictSame(await it.listed(name), left.includes(name) ? [before.handle] : [], name)
    }
    for (const name of ['ann', 'bob']) t.strictSame(await it.listed(leavingOf(name)), [])
  })
}

t.test('a session that goes to another user while its own user logs out is not ended', async (t) => {
  const it = await limited(t, undefined)
  const before = await it.put(ownedBy('ann'))
  const removal = it.gate.hold('delete')
  const ended = it.engine.users.endOwn(before)
  await removal.arrived
  await it.store.update({ ...before, ...ownedBy('bob'), version: 8 }, 7)
  removal.release()
  t.equal(await ended, false)
  t.match(await it.store.get(before.handle), { userId: 'bob' })
})

t.test(
  'a session that comes back to its user while its old place is given back is not left without a place',
  async (t) => {
    const it = await limited(t, undefined)
    const before = await it.put(ownedBy('ann'))
    await it.store.update({ ...before, ...ownedBy('bob'), version: 8 }, 7)
    const removal = it.gate.hold('removeFromIndex')
    const ended = it.engine.users.endOwn(before)
    await removal.arrived
    await it.store.update({ ...before, version: 9 }, 8)
    removal.release()
    await ended
    t.strictSame(await alive(it, [before]), [false])
    t.strictSame(await it.listed('ann'), [])
  },
)

t.test('the session that an outdated id names ends, whoever has it', async (t) => {
  const it = await limited(t, undefined)
  const [login, anonymous] = [await it.put(ownedBy('ann')), await it.put(nobody())]
  for (const { handle } of [login, anonymous]) await it.inTurn(() => it.engine.users.endNamed(handle))
  t.strictSame(await alive(it, [login, anonymous]), [false, false])
  t.strictSame(await it.listed('ann'), [])
  t.strictSame(
    it.ends,
    [login, anonymous].map(({ handle }) => ({ handle, why: 'replay' })),
  )
  t.match(it.events, [{ type: 'revoke', handle: login.handle, userId: 'ann', reason: 'replay' }])
  t.equal(it.events.length, 1)
  await it.engine.users.endNamed('A'.repeat(22))
})
