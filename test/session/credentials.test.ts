import t from 'tap'
import type { Test } from 'tap'
import { checkUser, fingerprintOf, isCheckDue, knownUsers, loadUser } from '../../lib/session/credentials.ts'
import type { Engine } from '../../lib/session/engine.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { KeptActor, SecureSessionOptions, SessionRecord, SessionUser } from '../../types/index.ts'
import { world } from '../plugin/world.ts'
import type { World } from '../plugin/world.ts'

type Owned = SessionRecord & { readonly userId: string }

interface Account extends SessionUser {
  role?: string
  hash?: unknown
}

interface Accounts extends World {
  engine: Engine
  /** The users whom `loadUser` finds. */
  users: Map<string, Account>
  /** The ids that `loadUser` was asked for. */
  loads: string[]
}

const MINUTE = 60_000

/** The difference between two clocks that counts as none; see `clock-set-back.ts`. */
const SKEW = 150_000

const AUTH_HASH = { authHash: (user: Account) => user.hash as string }

async function accounts(t: Test, session: SecureSessionOptions = {}): Promise<Accounts> {
  const users = new Map<string, Account>([
    ['ann', { id: 'ann', role: 'support', hash: 'a1' }],
    ['bob', { id: 'bob', role: 'user', hash: 'b1' }],
  ])
  const loads: string[] = []
  const load = async (id: string): Promise<Account | undefined> => {
    loads.push(id)
    return users.get(id)
  }
  const it = await world(t, { session: { loadUser: load, userMaxAge: '2m', authCheckInterval: '1m', ...session } })
  return { ...it, engine: await engineOf(it.app), users, loads }
}

/** Returns the session of Bob, whose credentials were compared and whose snapshot was taken just now. */
function bobs(now: number, changes: Partial<SessionRecord> = {}): Owned {
  const user = '{"id":"bob","role":"user"}'
  const authHash = fingerprintOf('bob', 'b1') ?? null
  return { ...recordAt(now), userId: 'bob', user, authHash, authCheckedAt: now, userAt: now, ...changes } as Owned
}

/** Returns the actor's side of a session in which Ann acts as Bob. */
function ann(now: number, changes: Partial<KeptActor> = {}): KeptActor {
  return {
    userId: 'ann',
    user: '{"id":"ann","role":"support"}',
    authHash: fingerprintOf('ann', 'a1') ?? null,
    authCheckedAt: now,
    userAt: now,
    absoluteDeadline: now + 60 * MINUTE,
    remember: false,
    lifetimes: null,
    methods: [],
    data: '{}',
    reason: 'ticket 7',
    since: now,
    ...changes,
  }
}

t.test('a user is asked for at the age of userMaxAge, and without loadUser or a user never', async (t) => {
  const { engine, clock } = await accounts(t)
  const now = clock()
  t.notOk(isCheckDue(engine, bobs(now)))
  t.notOk(isCheckDue(engine, bobs(now - 2 * MINUTE + 1)))
  t.ok(isCheckDue(engine, bobs(now - 2 * MINUTE)))
  t.notOk(isCheckDue(engine, bobs(now, { userAt: 0 })), 'the comparison of the credentials has the newer instant')
  t.notOk(isCheckDue(engine, { ...bobs(0), userId: null }))
  const without = (await world(t)).app
  t.notOk(isCheckDue(await engineOf(without), bobs(0)))
})

t.test('credentials are compared at the age of authCheckInterval, however new the snapshot is', async (t) => {
  const { engine, clock } = await accounts(t, AUTH_HASH)
  const now = clock()
  t.notOk(isCheckDue(engine, bobs(now, { authCheckedAt: now - MINUTE + 1 })))
  t.ok(isCheckDue(engine, bobs(now, { authCheckedAt: now - MINUTE })))
  const { engine: uncompared } = await accounts(t)
  t.notOk(
    isCheckDue(uncompared, bobs(now, { authCheckedAt: now - MINUTE })),
    'without authHash there is nothing to compare',
  )
})

t.test('an instant further ahead than clocks may differ is no instant: the user is asked for', async (t) => {
  const { engine, clock } = await accounts(t, AUTH_HASH)
  const now = clock()
  t.notOk(isCheckDue(engine, bobs(now + SKEW)))
  t.ok(isCheckDue(engine, bobs(now + SKEW + 1)))
  t.ok(isCheckDue(engine, bobs(now, { authCheckedAt: now + SKEW + 1 })))
})

t.test('a session that acts is due as soon as either of its users is', async (t) => {
  const { engine, clock } = await accounts(t, AUTH_HASH)
  const now = clock()
  const old = { userAt: now - 2 * MINUTE, authCheckedAt: now - 2 * MINUTE }
  t.notOk(isCheckDue(engine, bobs(now, { acting: ann(now) })))
  t.ok(isCheckDue(engine, bobs(now, { acting: ann(now, old) })))
  t.ok(isCheckDue(engine, bobs(now, { ...old, acting: ann(now) })))
})

t.test('after an answer the session is not due again, although its record is as old as before', async (t) => {
  const { engine, clock, loads } = await accounts(t, AUTH_HASH)
  const now = clock()
  const record = bobs(now - 5 * MINUTE, { acting: ann(now - 5 * MINUTE) })
  t.ok(isCheckDue(engine, record))
  await checkUser(engine, record)
  t.strictSame(loads, ['bob', 'ann'])
  t.notOk(isCheckDue(engine, record))
  clock.advance(MINUTE - 1)
  t.notOk(isCheckDue(engine, record))
  clock.advance(1)
  t.ok(isCheckDue(engine, record))
})

t.test('a check returns the user as they are now, and the one who acts', async (t) => {
  const { engine, clock, users } = await accounts(t, AUTH_HASH)
  const now = clock()
  users.set('bob', { id: 'bob', role: 'guest', hash: 'b1' })
  const bob = {
    from: '{"id":"bob","role":"user"}',
    user: '{"id":"bob","role":"guest"}',
    at: now,
    authHash: fingerprintOf('bob', 'b1'),
  }
  t.strictSame(await checkUser(engine, bobs(now)), bob)
  const actor = {
    from: '{"id":"ann","role":"support"}',
    user: '{"id":"ann","role":"support"}',
    at: now,
    authHash: fingerprintOf('ann', 'a1'),
  }
  t.strictSame(await checkUser(engine, bobs(now, { acting: ann(now) })), { ...bob, actor })
})

t.test('a user who is gone, or has other credentials, is a reason to end the session', async (t) => {
  const { engine, clock, users } = await accounts(t, AUTH_HASH)
  const now = clock()
  const record = bobs(now, { acting: ann(now) })
  t.type(await checkUser(engine, record), 'object')
  const all = new Map(users)
  for (const [id, account, reason] of [
    ['bob', undefined, 'user-gone'],
    ['ann', undefined, 'user-gone'],
    ['bob', { id: 'bob', hash: 'b2' }, 'auth-hash'],
    ['ann', { id: 'ann', hash: 'a2' }, 'auth-hash'],
    ['bob', { id: 'bob' }, 'auth-hash'],
    ['bob', { id: 'bob', hash: '' }, 'auth-hash'],
    ['bob', { id: 'bob', hash: 7 }, 'auth-hash'],
  ] as [string, Account | undefined, string][]) {
    if (account === undefined) users.delete(id)
    else users.set(id, account)
    t.equal(await checkUser(engine, record), reason)
    for (const [name, user] of all) users.set(name, user)
  }
  t.equal(
    await checkUser(engine, bobs(now, { authHash: null })),
    'auth-hash',
    'a record without a hash matches no user',
  )
})

t.test('without authHash credentials end no session', async (t) => {
  const { engine, clock } = await accounts(t)
  for (const authHash of [null, 'of an earlier configuration']) {
    t.type(await checkUser(engine, bobs(clock(), { authHash })), 'object')
  }
})

t.test('the newer users that are known are those of the last answers', async (t) => {
  const { engine, clock, users } = await accounts(t)
  const now = clock()
  const alone = bobs(now)
  users.set('bob', { id: 'bob', role: 'user' })
  t.equal(knownUsers(engine, alone), undefined)
  await checkUser(engine, alone)
  t.equal(knownUsers(engine, alone), undefined, 'the record knows this user already')
  users.set('bob', { id: 'bob', role: 'guest' })
  await checkUser(engine, alone)
  t.match(knownUsers(engine, alone), { user: '{"id":"bob","role":"guest"}', at: now })
  t.notOk('actor' in (knownUsers(engine, alone) ?? {}))
})

t.test('an actor who changed is known together with the user as the record has them', async (t) => {
  const { engine, clock, users } = await accounts(t)
  const now = clock()
  users.set('bob', { id: 'bob', role: 'user' })
  users.set('ann', { id: 'ann', role: 'guest' })
  const record = bobs(now, { authCheckedAt: now - 1000, acting: ann(now) })
  t.equal(knownUsers(engine, record), undefined)
  await checkUser(engine, record)
  const { user, authHash } = record
  const changed = { user: '{"id":"ann","role":"guest"}', from: '{"id":"ann","role":"support"}', at: now }
  t.strictSame(knownUsers(engine, record), {
    from: user,
    user,
    at: now - 1000,
    authHash,
    actor: { ...changed, authHash: fingerprintOf('ann', 'a1') },
  })
  users.set('bob', { id: 'bob', role: 'guest' })
  await checkUser(engine, record)
  t.match(knownUsers(engine, record), { user: '{"id":"bob","role":"guest"}', at: now, actor: changed })
})

t.test(
  'loadUser returns a snapshot without the credential, its fingerprint and the instant of the question',
  async (t) => {
    const { engine, users, clock } = await accounts(t, AUTH_HASH)
    const at = clock()
    const anns = { user: '{"id":"ann","role":"support"}', fingerprint: fingerprintOf('ann', 'a1'), at }
    t.strictSame(await loadUser(engine, 'ann'), anns)
    users.set('ann', { id: 'ann', role: 'a1', hash: 'a1' })
    t.strictSame(
      await loadUser(engine, 'ann'),
      { ...anns, user: '{"id":"ann"}' },
      'under whatever name the credential is',
    )
    t.equal(await loadUser(engine, 'carl'), undefined)
    users.set('dan', null as unknown as Account)
    t.equal(await loadUser(engine, 'dan'), undefined)
    for (const hash of [undefined, '', 7]) {
      users.set('eve', { id: 'eve', hash })
      t.equal((await loadUser(engine, 'eve'))?.fingerprint, undefined, 'only a text that is not empty is a credential')
    }
    t.equal(
      await loadUser(await engineOf((await world(t)).app), 'ann'),
      undefined,
      'without the option nobody is found',
    )
  },
)

t.test('an answer is as old as its question', async (t) => {
  const it = await accounts(t, {
    loadUser: async (id) => {
      it.clock.advance('5s')
      return { id }
    },
  })
  const asked = it.clock()
  t.equal((await loadUser(it.engine, 'ann'))?.at, asked)
})

t.test(
  'loadUser and authHash that fail make the user unavailable, and their own words stay in the cause',
  async (t) => {
    const broken = (): never => {
      throw Object.assign(new RangeError('no connection to users'), { query: 'select secret' })
    }
    for (const session of [{ loadUser: async () => broken() }, { loadUser: broken }, { authHash: broken }]) {
      const { engine } = await accounts(t, session)
      const error = await loadUser(engine, 'ann').then(
        () => undefined,
        (thrown: unknown) => thrown as Error,
      )
      t.match(error, {
        code: 'SESSION_USER_UNAVAILABLE',
        statusCode: 503,
        cause: { message: 'no connection to users' },
      })
      t.notMatch(error, { message: /no connection/ })
      t.notOk(Object.hasOwn(error?.cause as Error, 'query'))
    }
  },
)

t.test('a user who is not the one that was asked for, or is too large, is refused', async (t) => {
  const { engine, users } = await accounts(t, { maxRecordSize: 1000 })
  users.set('ann', { id: 'bob' })
  await t.rejects(loadUser(engine, 'ann'), {
    code: 'SESSION_USER_INVALID',
    detail: 'loadUser returned a user without the id it was asked for',
  })
  users.set('ann', { id: 'ann', role: 'x'.repeat(1000) })
  await t.rejects(loadUser(engine, 'ann'), { code: 'SESSION_RECORD_TOO_LARGE', detail: /1000 allowed/ })
})

t.test('a fingerprint tells users and hashes apart, and shows neither', async (t) => {
  t.equal(fingerprintOf('ann', 'x'), fingerprintOf('ann', 'x'))
  const all = [
    fingerprintOf('ann', 'x'),
    fingerprintOf('bob', 'x'),
    fingerprintOf('ann', 'y'),
    fingerprintOf('an', 'nx'),
  ]
  t.equal(new Set(all).size, all.length)
  for (const one of all) t.match(one, /^[\w-]{43}$/)
  t.equal(fingerprintOf('ann', undefined), undefined)
  t.equal(fingerprintOf('ann', ''), undefined)
})
