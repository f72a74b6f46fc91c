import t from 'tap'
import type { LiveSession, Loaded } from '../../lib/session/load-session.ts'
import { NONE } from '../../lib/session/load-session.ts'
import type { Rotation } from '../../lib/session/next-record.ts'
import type { RequestState } from '../../lib/session/request-state.ts'
import * as facts from '../../lib/session/state-facts.ts'
import type { Evidence } from '../../lib/session/device-bound/judge-proof.ts'
import type { Verdict } from '../../lib/session/verdict.ts'
import type { SessionRecord } from '../../types/index.ts'
import { actingAs, NOW, pendingOf } from './records.ts'
import { BOB, liveOf, LOGIN, stateOf } from './states.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

const LIFETIMES = {
  idleTimeout: 20 * MINUTE,
  absoluteTimeout: 8 * HOUR,
  rememberTimeout: 30 * 24 * HOUR,
  renewalTimeout: HOUR,
}
const SETTINGS = { ...LIFETIMES, clock: () => NOW }

const ANN = '{"id":"ann"}'

/** A staged change by which the user of the session acts as Bob. */
const ROLE: Rotation = {
  reason: 'act',
  role: {
    userId: 'bob',
    user: BOB,
    actor: ANN,
    methods: [{ name: 'otp', at: NOW - 10 }],
    data: '{"of":"bob"}',
    begin: {
      authHash: null,
      reason: 'ticket 7',
      limit: 5 * MINUTE,
      lifetimes: undefined,
      edit: { from: '{}', to: '{}', isWhole: false },
    },
  },
}

/** A staged login of Bob who owes the second factor. */
const HALF: Rotation = {
  reason: 'pending',
  pending: { userId: 'bob', user: BOB, authHash: null, methods: [{ name: 'pwd', at: 5 }], until: 9 },
}

const NOBODY = stateOf(NONE)
const CHECKED = { from: ANN, user: '{"id":"ann","newer":true}', at: NOW - 7, authHash: null }

t.test('a request without a live session has no record, no user, no data and no deadlines', async (t) => {
  for (const loaded of [
    NONE,
    { state: 'shadowed', handle: 'h' },
    { state: 'unproven', handle: 'h', userId: 'ann' },
  ] as Loaded[]) {
    const state = stateOf(loaded)
    t.equal(facts.recordOf(state), undefined)
    t.equal(facts.isDeviceBound(state), false)
    t.equal(facts.userIdOf(state), null)
    t.equal(facts.userJsonOf(state), null)
    t.equal(facts.actorJsonOf(state), null)
    t.equal(facts.dataJsonOf(state), '{}')
    t.equal(facts.authCheckedAtOf(state), 0)
    t.equal(facts.authenticatedAtOf(state, NOW), null)
    t.equal(facts.freshSinceOf(state, NOW), null)
    t.equal(facts.pendingJsonOf(state, NOW), null)
    t.equal(facts.deadlinesOf(state, SETTINGS, {}), null)
    t.strictSame(facts.missingMethodsOf(state, ['pwd'], Infinity, NOW), ['pwd'])
  }
})

t.test('a live session tells what its record holds', async (t) => {
  const loaded = liveOf({ data: '{"cart":1}', methods: [{ name: 'pwd', at: NOW - 50 }] })
  const state = stateOf(loaded)
  const { record } = loaded
  t.equal(facts.recordOf(state), record)
  t.equal(facts.userIdOf(state), 'ann')
  t.equal(facts.userJsonOf(state), ANN)
  t.equal(facts.actorJsonOf(state), null)
  t.equal(facts.dataJsonOf(state), '{"cart":1}')
  t.equal(facts.authCheckedAtOf(state), record.authCheckedAt)
  t.equal(facts.authenticatedAtOf(state, NOW), record.authenticatedAt)
  t.equal(facts.freshSinceOf(state, NOW), record.authenticatedAt)
  t.equal(facts.pendingJsonOf(state, NOW), null)
})

t.test('a newer snapshot of the user counts before the one in the record, and a staged one before both', async (t) => {
  const loaded = liveOf({}, { checked: CHECKED })
  t.equal(facts.userJsonOf(stateOf(loaded)), CHECKED.user)
  t.equal(facts.authCheckedAtOf(stateOf(loaded)), NOW - 7)
  const staged = { user: '{"id":"ann","staged":true}' }
  t.equal(facts.userJsonOf(stateOf(loaded, staged)), staged.user)
  t.equal(facts.userJsonOf(stateOf(loaded, { ...staged, rotation: LOGIN })), BOB)
  t.equal(facts.userJsonOf(stateOf(loaded, { ...staged, rotation: ROLE })), BOB)
})

t.test('a staged login is the user of now, with a proof of now, and nobody who acts', async (t) => {
  for (const loaded of [NONE, liveOf(), liveOf({ ...actingAs('ann', 'eve'), isForked: true })]) {
    const state = stateOf(loaded, { rotation: LOGIN })
    t.equal(facts.userIdOf(state), 'bob')
    t.equal(facts.actorJsonOf(state), null)
    t.equal(facts.authenticatedAtOf(state, NOW), NOW)
    t.equal(facts.freshSinceOf(state, NOW), NOW)
    t.equal(facts.pendingJsonOf(state, NOW), null)
  }
})

t.test('who acts as another user is known, and has not proved to be that user', async (t) => {
  const acting = stateOf(liveOf(actingAs('bob', 'ann')))
  t.equal(facts.userIdOf(acting), 'bob')
  t.equal(facts.actorJsonOf(acting), ANN)
  t.equal(facts.authenticatedAtOf(acting, NOW), null)
  t.equal(facts.freshSinceOf(acting, NOW), null)
  const newer = { ...CHECKED, actor: { ...CHECKED, user: '{"id":"ann","newest":true}' } }
  t.equal(facts.actorJsonOf(stateOf(liveOf(actingAs('bob', 'ann'), { checked: newer }))), newer.actor.user)
  t.equal(facts.actorJsonOf(stateOf(liveOf(actingAs('bob', 'ann'), { checked: CHECKED }))), ANN)
  const staged = stateOf(liveOf({ data: '{"of":"ann"}' }), { rotation: ROLE })
  t.equal(facts.userIdOf(staged), 'bob')
  t.equal(facts.actorJsonOf(staged), ANN)
  t.equal(facts.dataJsonOf(staged), '{"of":"bob"}')
  t.equal(facts.authenticatedAtOf(staged, NOW), null)
  t.equal(facts.freshSinceOf(staged, NOW), null)
})

t.test('a replaced id that came back makes no login recent', async (t) => {
  const fork = { kind: 'enter', change: undefined, isFork: true, isRenewable: false } as const
  t.equal(facts.freshSinceOf(stateOf(liveOf({ isForked: true })), NOW), null)
  t.equal(facts.freshSinceOf(stateOf(liveOf({}, { verdict: fork })), NOW), null)
  t.equal(facts.freshSinceOf(stateOf(liveOf({ authenticatedAt: 5 }, { verdict: { kind: 'refuse' } })), NOW), 5)
})

t.test('ways to log in are missing if they were used too long ago, or if the login does not count', async (t) => {
  const methods = [
    { name: 'pwd', at: NOW - 100 },
    { name: 'otp', at: NOW - 10 },
  ] as const
  const wanted = ['pwd', 'otp', 'hwk'] as const
  const missing = (state: RequestState, within: number): readonly string[] =>
    facts.missingMethodsOf(state, wanted, within, NOW)
  const state = stateOf(liveOf({ methods }))
  t.strictSame(missing(state, Infinity), ['hwk'])
  t.strictSame(missing(state, 101), ['hwk'])
  t.strictSame(missing(state, 100), ['pwd', 'hwk'])
  const forked = stateOf(liveOf({ methods, isForked: true }))
  t.strictSame(missing(forked, 101), wanted)
  t.strictSame(missing(forked, Infinity), ['hwk'])
  const byHardware = { ...LOGIN, identity: { ...LOGIN.identity, methods: [{ name: 'hwk', at: NOW }] } } as Rotation
  t.strictSame(missing(stateOf(liveOf({ methods }), { rotation: byHardware }), 1), ['pwd', 'otp'])
  t.strictSame(missing(stateOf(liveOf({ methods }), { rotation: ROLE }), Infinity), ['pwd', 'hwk'])
})

t.test('a half login ends at its instant, and a staged login of its user ends it too', async (t) => {
  const loaded = liveOf(pendingOf('bob'))
  const until = loaded.record.pending?.until ?? 0
  t.equal(facts.pendingJsonOf(stateOf(loaded), until - 1), BOB)
  t.equal(facts.pendingJsonOf(stateOf(loaded), until), null)
  t.equal(facts.pendingJsonOf(stateOf(loaded), until + 1), null)
  t.equal(facts.pendingJsonOf(stateOf(loaded, { rotation: LOGIN }), NOW), null)
  t.equal(facts.pendingJsonOf(stateOf(liveOf({ pending: null })), NOW), null)
  const half = (more: object): RequestState =>
    stateOf(NONE, { rotation: { ...HALF, pending: { ...HALF.pending, until: NOW + 1, ...more } } as Rotation })
  t.equal(facts.pendingJsonOf(half({}), NOW), BOB)
  const anew = stateOf(liveOf(pendingOf('ann')), { rotation: half({}).rotation })
  t.equal(facts.pendingJsonOf(anew, NOW), BOB, 'a staged half login replaces the stored one')
})

t.test('a session is device-bound where it has a key, and the request the proof or the record itself', async (t) => {
  const shown = (evidence: Evidence): Partial<LiveSession> => ({
    presented: {
      id: { secretHash: '', epoch: 0, generation: 0, issuedAt: 0, parent: '' },
      isTied: () => true,
      isShowNoted: false,
      evidenceFor: () => evidence,
    },
  })
  const isBound = (changes: Partial<SessionRecord>, more?: Partial<LiveSession>): boolean =>
    facts.isDeviceBound(stateOf(liveOf(changes, more)))
  t.equal(isBound({}), true, 'the request wrote the record')
  t.equal(isBound({}, shown('proven')), true)
  t.equal(isBound({}, shown('unbound')), false)
  t.equal(isBound({ deviceKey: null }, shown('proven')), false)
  t.equal(isBound({ deviceKey: null }), false)
})

t.test('the deadlines are those after the request', async (t) => {
  const dates = (state: RequestState, client = {}): number[] | null => {
    const found = facts.deadlinesOf(state, SETTINGS, client)
    return found && [found.idle.getTime() - NOW, found.absolute.getTime() - NOW]
  }
  const { idleTimeout, absoluteTimeout, rememberTimeout } = LIFETIMES
  // The record was touched at this instant; a touch is due after a twentieth of the idle timeout.
  const at = (lastSeenAt: number): Loaded =>
    liveOf({ lastSeenAt, idleDeadline: NOW + 5_000, absoluteDeadline: NOW + HOUR })
  t.strictSame(dates(stateOf(at(NOW - MINUTE + 1))), [5_000, HOUR])
  t.strictSame(dates(stateOf(at(NOW - MINUTE))), [idleTimeout, HOUR])
  t.strictSame(dates(stateOf(at(NOW - MINUTE)), { isPassive: true }), [5_000, HOUR], 'a poll moves no deadline')
  t.strictSame(dates(stateOf(at(NOW - MINUTE)), { isPassive: false }), [idleTimeout, HOUR])
  t.strictSame(dates(stateOf(at(NOW), { isTouched: true })), [idleTimeout, HOUR])
  t.strictSame(dates(stateOf(at(NOW), { isTouched: true }), { isPassive: true }), [5_000, HOUR])
  t.strictSame(dates(stateOf(NONE, { rotation: LOGIN })), [idleTimeout, absoluteTimeout])
  t.strictSame(dates(stateOf(at(NOW), { rotation: LOGIN })), [idleTimeout, absoluteTimeout])
  const remembered = { ...LOGIN, identity: { ...LOGIN.identity, remember: true } } as Rotation
  t.strictSame(dates(stateOf(NONE, { rotation: remembered })), [rememberTimeout, rememberTimeout])
  const lifetimes = { idleTimeout: 1_000, absoluteTimeout: 2_000, rememberTimeout: 3_000 }
  const ofUser = { ...LOGIN, identity: { ...LOGIN.identity, lifetimes } } as Rotation
  t.strictSame(dates(stateOf(NONE, { rotation: ofUser })), [1_000, 2_000])
  t.strictSame(dates(stateOf(at(NOW), { rotation: ROLE })), [5 * MINUTE, 5 * MINUTE], 'the limit of acting')
})

t.test('a change of id finds the session as it is staged', async (t) => {
  const loaded = liveOf(actingAs('bob', 'ann'), { checked: { ...CHECKED, from: BOB, user: BOB } })
  const parts = {
    engine: {},
    client: {},
    handle: 'the handle',
    abandonLogin: async () => undefined,
    edit: () => ({ from: '{}', to: '{}', isWhole: false }),
  } as never as Parameters<typeof facts.situationOf>[1]
  const state = stateOf(loaded, { user: '{"id":"bob","staged":true}', rotation: { reason: 'regenerate' } })
  t.strictSame(facts.situationOf(state, parts), {
    ...parts,
    record: loaded.record,
    isForked: false,
    userId: 'bob',
    user: '{"id":"bob","staged":true}',
    actor: ANN,
    authCheckedAt: NOW - 7,
    rotation: { reason: 'regenerate' },
  })
  const forked: Verdict = { kind: 'enter', change: undefined, isFork: true, isRenewable: false }
  for (const one of [liveOf({ isForked: true }), liveOf({ isForked: false }, { verdict: forked })]) {
    t.equal(facts.situationOf(stateOf(one), parts).isForked, true)
  }
  t.match(facts.situationOf(NOBODY, parts), {
    record: undefined,
    isForked: false,
    userId: null,
    user: null,
    actor: null,
  })
})
