import t from 'tap'
import type { Client } from '../../lib/session/engine.ts'
import { NONE } from '../../lib/session/load-session.ts'
import { RequestFacts } from '../../lib/session/request-facts.ts'
import type { RequestState } from '../../lib/session/request-state.ts'
import { UserSnapshots } from '../../lib/session/user-snapshot.ts'
import { testClock } from '../support/clock.ts'
import { actingAs, HALF_LOGIN_ENDS, nobody, NOW, pendingOf } from './records.ts'
import { liveOf, LOGIN, stateOf } from './states.ts'

const MINUTE = 60_000

/** The facts of a request, whose state and clock a test moves on. */
function factsOf(
  state: RequestState,
  { isRequired, isPassive = false }: { isRequired?: boolean; isPassive?: boolean } = {},
): { facts: RequestFacts; now: { state: RequestState }; clock: ReturnType<typeof testClock> } {
  const clock = testClock()
  clock.set(NOW)
  const lifetimes = { idleTimeout: 20 * MINUTE, absoluteTimeout: 480 * MINUTE, rememberTimeout: 4_800 * MINUTE }
  const engine = {
    settings: { ...lifetimes, renewalTimeout: 60 * MINUTE, clock },
    snapshots: new UserSnapshots(),
    device: isRequired === undefined ? undefined : { settings: { isRequired } },
  }
  const client: Client = { protocol: 'https', ip: '::1', userAgent: '', isPassive }
  const now = { state }
  return { facts: new RequestFacts(engine as never, client, () => now.state), now, clock }
}

t.test('a request without a session has no facts to tell', async (t) => {
  const { facts } = factsOf(stateOf(NONE), { isRequired: true })
  t.equal(facts.record, undefined)
  for (const name of ['userId', 'user', 'actor', 'pendingUser', 'authenticatedAt', 'expiresAt'] as const) {
    t.equal(facts[name], null, name)
  }
  for (const name of ['isDeviceBound', 'isUnproven', 'isWithheld'] as const) t.equal(facts[name], false, name)
  t.equal(facts.isFresh(Infinity), false)
  t.strictSame(facts.missingMethods(['pwd'], Infinity), ['pwd'])
})

t.test('each fact is read from the state of that moment', async (t) => {
  const loaded = liveOf()
  const { facts, now, clock } = factsOf(stateOf(loaded))
  t.equal(facts.record, loaded.record)
  t.equal(facts.userId, 'ann')
  t.match(facts.user, { id: 'ann' })
  t.strictSame(facts.authenticatedAt, new Date(Number(loaded.record.authenticatedAt)))
  clock.advance(5)
  now.state = stateOf(NONE, { rotation: LOGIN })
  t.equal(facts.record, undefined)
  t.equal(facts.userId, 'bob')
  t.match(facts.user, { id: 'bob' })
  t.strictSame(facts.authenticatedAt, new Date(NOW + 5))
  now.state = stateOf(NONE)
  t.equal(facts.user, null)
  t.equal(facts.authenticatedAt, null)
})

t.test('the user is one object for the request, however large, until the app replaces it', async (t) => {
  const userOf = (name: string): string => JSON.stringify({ id: 'ann', name, text: 'x'.repeat(2_000) })
  const { facts, now } = factsOf(stateOf(liveOf({ user: userOf('Ann') })))
  const { user } = facts
  t.match(user, { id: 'ann', name: 'Ann' })
  t.equal(facts.user, user)
  now.state = { ...now.state, user: userOf('Anna') }
  t.match(facts.user, { name: 'Anna' })
  t.equal(facts.user, facts.user)
})

t.test('a login in the year 1970 is a login', async (t) => {
  const { facts } = factsOf(stateOf(liveOf({ authenticatedAt: 0 })))
  t.strictSame(facts.authenticatedAt, new Date(0))
  t.equal(facts.isFresh(NOW), false)
  t.equal(facts.isFresh(NOW + 1), true)
})

t.test('who acts as another user is the actor, and has not logged in as that user', async (t) => {
  const { facts } = factsOf(stateOf(liveOf(actingAs('bob', 'ann'))))
  t.match(facts.user, { id: 'bob' })
  t.match(facts.actor, { id: 'ann' })
  t.equal(facts.authenticatedAt, null)
  t.equal(facts.isFresh(Infinity), false)
})

t.test('a half login shows its user until its end by the clock', async (t) => {
  const { facts, clock } = factsOf(stateOf(liveOf(pendingOf('ann'))))
  t.equal(facts.user, null)
  t.match(facts.pendingUser, { id: 'ann' })
  clock.set(HALF_LOGIN_ENDS - 1)
  t.match(facts.pendingUser, { id: 'ann' })
  clock.set(HALF_LOGIN_ENDS)
  t.equal(facts.pendingUser, null)
})

t.test('a login is recent up to the time that is asked for, by the clock', async (t) => {
  const { facts, now, clock } = factsOf(stateOf(liveOf({ authenticatedAt: NOW - 100 })))
  t.equal(facts.isFresh(101), true)
  t.equal(facts.isFresh(100), false)
  t.equal(facts.isFresh(99), false)
  clock.advance(1)
  t.equal(facts.isFresh(101), false)
  now.state = stateOf(NONE, { rotation: LOGIN })
  t.equal(facts.isFresh(1), true, 'a staged login is a proof of now')
  t.equal(facts.isFresh(0), false)
})

t.test('ways to log in are missing that were used too long ago, by the clock', async (t) => {
  const { facts, clock } = factsOf(stateOf(liveOf({ methods: [{ name: 'otp', at: NOW - 100 }] })))
  t.strictSame(facts.missingMethods(['pwd', 'otp'], 101), ['pwd'])
  clock.advance(1)
  t.strictSame(facts.missingMethods(['pwd', 'otp'], 101), ['pwd', 'otp'])
})

t.test('the deadlines are those after the request, and a poll moves none', async (t) => {
  const deadlines = { lastSeenAt: NOW - MINUTE, idleDeadline: NOW + 5, absoluteDeadline: NOW + 480 * MINUTE }
  const state = stateOf(liveOf(deadlines))
  const absolute = new Date(NOW + 480 * MINUTE)
  t.strictSame(factsOf(state).facts.expiresAt, { idle: new Date(NOW + 20 * MINUTE), absolute })
  t.strictSame(factsOf(state, { isPassive: true }).facts.expiresAt, { idle: new Date(NOW + 5), absolute })
})

t.test('only a bound session without its proof is unproven', async (t) => {
  t.equal(factsOf(stateOf({ state: 'unproven', handle: 'h', userId: 'ann' })).facts.isUnproven, true)
  t.equal(factsOf(stateOf({ state: 'shadowed', handle: 'h' })).facts.isUnproven, false)
  t.equal(factsOf(stateOf(liveOf())).facts.isUnproven, false)
})

t.test('a user is withheld where the app asks for bound sessions, and this one is not bound', async (t) => {
  const [bound, unbound, anonymous] = [liveOf(), liveOf({ deviceKey: null }), liveOf(nobody())]
  const isWithheld = (state: RequestState, isRequired?: boolean): boolean =>
    factsOf(state, isRequired === undefined ? {} : { isRequired }).facts.isWithheld
  t.equal(isWithheld(stateOf(unbound), true), true)
  t.equal(isWithheld(stateOf(unbound), false), false)
  t.equal(isWithheld(stateOf(unbound)), false)
  t.equal(isWithheld(stateOf(bound), true), false)
  t.equal(factsOf(stateOf(bound)).facts.isDeviceBound, true)
  t.equal(factsOf(stateOf(unbound)).facts.isDeviceBound, false)
  t.equal(isWithheld(stateOf(anonymous), true), false, 'nobody is logged in')
  t.equal(isWithheld(stateOf(unbound, { rotation: { reason: 'regenerate' } }), true), true)
  for (const loaded of [NONE, anonymous, unbound]) {
    t.equal(isWithheld(stateOf(loaded, { rotation: LOGIN }), true), false, 'the login of now may yet be bound')
  }
})
