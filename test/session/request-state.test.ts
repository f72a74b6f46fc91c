import t from 'tap'
import type { LiveSession, Loaded } from '../../lib/session/load-session.ts'
import { NONE } from '../../lib/session/load-session.ts'
import type { Written } from '../../lib/session/commit.ts'
import type { Rotation } from '../../lib/session/next-record.ts'
import type { RequestState } from '../../lib/session/request-state.ts'
import * as states from '../../lib/session/request-state.ts'
import type { Verdict } from '../../lib/session/verdict.ts'
import { SERVE } from '../../lib/session/verdict.ts'
import type { SessionRecord } from '../../types/index.ts'
import { refusalOf } from '../support/refusal.ts'
import { actingAs, NOW } from './records.ts'
import { BOB, liveOf as boundLive, LOGIN, stateOf } from './states.ts'

const MINUTE = 60_000
const SETTINGS = {
  idleTimeout: 20 * MINUTE,
  absoluteTimeout: 480 * MINUTE,
  rememberTimeout: 4_800 * MINUTE,
  renewalTimeout: 60 * MINUTE,
  clock: () => NOW,
}

const REGENERATE: Rotation = { reason: 'regenerate' }
const ROLE: Rotation = {
  reason: 'act',
  role: { userId: 'bob', user: BOB, actor: null, methods: [], data: '{}' },
}

const GONE: Loaded = { state: 'gone', secretHash: 'hash', since: NOW }
const SHADOWED: Loaded = { state: 'shadowed', handle: 'shadowed one' }
const OUTDATED: Loaded = { state: 'outdated', handle: 'outdated one' }
const UNPROVEN: Loaded = { state: 'unproven', handle: 'unproven one', userId: 'ann' }
const SET = { kind: 'set', value: 'id.secret', expiresAt: undefined, renewedAt: undefined, binds: undefined } as const

function liveOf(changes: Partial<SessionRecord> = {}, more: Partial<LiveSession> = {}): LiveSession {
  return boundLive({ deviceKey: null, lastSeenAt: NOW, ...changes }, more)
}

function recordOf(changes: Partial<SessionRecord> = {}): SessionRecord {
  return liveOf(changes).record
}

function codeOf(call: () => unknown): string | undefined {
  return refusalOf(call)?.code
}

t.test(
  'a request begins with nothing staged; a dead id clears its cookie, a session that moved in sets its own',
  async (t) => {
    const rest = { rotation: undefined, user: undefined, isTouched: false, committed: undefined }
    const shown = { ...liveOf(), presented: { id: { secretHash: 'shown' } } as never }
    const cases: [loaded: Loaded, cookie: unknown, shown?: string][] = [
      [NONE, undefined],
      [SHADOWED, undefined],
      [OUTDATED, undefined],
      [UNPROVEN, undefined],
      [GONE, { kind: 'clear' }, GONE.secretHash],
      [liveOf(), undefined],
      [shown, undefined, 'shown'],
      [liveOf({}, { cookie: SET }), SET],
    ]
    for (const [loaded, cookie, hash] of cases) {
      t.strictSame(states.initialState(loaded, false), { loaded, shown: hash, cookie, isByHeader: false, ...rest })
      t.equal(states.initialState(loaded, true).isByHeader, true)
    }
  },
)

t.test('a renewed id is sent, and a dead id cleared, within one second or not at all', async (t) => {
  const cookieAt = (state: RequestState, now: number, replaced: string[] = []): unknown =>
    states.cookieOf(state, {
      settings: { clock: () => now },
      replacedIds: { get: (hash) => (replaced.includes(hash) ? true : undefined) },
    })
  const renewed = { ...SET, renewedAt: NOW }
  for (const [state, cookie] of [
    [stateOf(liveOf(), { cookie: renewed }), renewed],
    [stateOf(GONE), { kind: 'clear' }],
  ] as const) {
    t.strictSame(cookieAt(state, NOW), cookie)
    t.strictSame(cookieAt(state, NOW + 999), cookie)
    t.equal(cookieAt(state, NOW + 1_000), undefined)
    t.equal(cookieAt(state, NOW + 1_001), undefined)
  }
  t.equal(cookieAt(stateOf(GONE), NOW, ['hash']), undefined, 'a login of this process replaced the id')
  t.strictSame(cookieAt(stateOf(GONE), NOW, ['another']), { kind: 'clear' })
  t.equal(cookieAt(stateOf(liveOf(), { cookie: renewed }), NOW, ['hash']), renewed)
  t.equal(cookieAt(stateOf(liveOf(), { cookie: SET }), NOW + 9_999), SET, 'the app asked for this cookie')
  t.equal(cookieAt(stateOf(liveOf(), { cookie: { ...SET, renewedAt: 0 } }), NOW), undefined)
  t.equal(cookieAt(stateOf(NONE), NOW), undefined)
  const cleared = { kind: 'clear' } as const
  t.equal(cookieAt(stateOf(NONE, { cookie: cleared }), NOW + 9_999), cleared, 'a logout clears the cookie at any time')
})

t.test('an update writes a live record, or waits for the response of a request that can still begin one', async (t) => {
  const live = liveOf()
  t.equal(states.updatable(stateOf(live), false), live)
  t.equal(states.updatable(stateOf(live), true), live)
  t.equal(states.updatable(stateOf(live, { rotation: REGENERATE }), false), undefined)
  t.equal(states.updatable(stateOf(live, { rotation: REGENERATE }), true), undefined)
  for (const loaded of [NONE, GONE]) {
    t.equal(states.updatable(stateOf(loaded), false), undefined)
    t.equal(
      codeOf(() => states.updatable(stateOf(loaded), true)),
      'SESSION_RESPONSE_STARTED',
    )
    t.equal(
      codeOf(() => states.updatable(stateOf(loaded, { rotation: LOGIN }), true)),
      'SESSION_RESPONSE_STARTED',
    )
  }
  for (const loaded of [SHADOWED, OUTDATED]) {
    t.equal(
      codeOf(() => states.updatable(stateOf(loaded), false)),
      'SESSION_SUPERSEDED',
    )
    t.equal(
      codeOf(() => states.updatable(stateOf(loaded), true)),
      'SESSION_RESPONSE_STARTED',
    )
    t.equal(states.updatable(stateOf(loaded, { rotation: LOGIN }), false), undefined)
  }
  t.equal(
    codeOf(() => states.updatable(stateOf(UNPROVEN), false)),
    'SESSION_PROOF_REQUIRED',
  )
  t.equal(
    codeOf(() => states.updatable(stateOf(UNPROVEN), true)),
    'SESSION_PROOF_REQUIRED',
  )
  t.equal(states.updatable(stateOf(UNPROVEN, { rotation: LOGIN }), false), undefined)
})

t.test('a session is not ended that has a new id of a parallel request, or whose device gave no proof', async (t) => {
  t.equal(
    codeOf(() => states.refuseEnd(SHADOWED)),
    'SESSION_SUPERSEDED',
  )
  t.equal(
    codeOf(() => states.refuseEnd(UNPROVEN)),
    'SESSION_PROOF_REQUIRED',
  )
  for (const loaded of [NONE, GONE, OUTDATED, liveOf()]) {
    t.equal(
      codeOf(() => states.refuseEnd(loaded)),
      undefined,
    )
  }
})

t.test('a second change of the user beside that of acting is refused, and the message tells the way', async (t) => {
  const refusal = refusalOf(() => states.refuseBesideRole(stateOf(liveOf(), { rotation: ROLE })))
  t.match(refusal, { code: 'SESSION_OPTION_INVALID', detail: /actAs.*stopActing.*await req\.session\.save\(\)/ })
  for (const rotation of [undefined, REGENERATE, LOGIN]) {
    t.equal(
      codeOf(() => states.refuseBesideRole(stateOf(liveOf(), { rotation }))),
      undefined,
    )
  }
})

t.test(
  'a snapshot waits beside a change of the id, unless the session shows another user or login after it',
  async (t) => {
    const state = stateOf(liveOf(), { user: BOB })
    const staged = (reason: Rotation['reason'], user?: string): string | undefined =>
      states.afterStaging(state, { reason }, user).user
    for (const reason of ['confirm', 'auth-hash', 'regenerate', 'act'] as const) t.equal(staged(reason), BOB, reason)
    for (const reason of ['login', 'stop-acting'] as const) {
      t.equal(staged(reason), undefined, reason)
      t.equal(staged(reason, 'given'), 'given', reason)
    }
    t.strictSame(states.afterStaging(state, undefined, undefined), state)
    t.equal(states.afterStaging(state, REGENERATE, undefined).rotation, REGENERATE)
  },
)

t.test('a write is due for what is staged, for a newer user, and for upkeep', async (t) => {
  const isDue = (state: RequestState, client = {}): boolean => states.isWriteDue(state, SETTINGS, client)
  t.equal(isDue(stateOf(liveOf())), false)
  for (const loaded of [NONE, GONE, SHADOWED, OUTDATED, UNPROVEN]) t.equal(isDue(stateOf(loaded)), false)
  for (const more of [{ rotation: REGENERATE }, { user: BOB }, { isTouched: true }]) {
    t.equal(isDue(stateOf(NONE, more)), true)
    t.equal(isDue(stateOf(liveOf(), more)), true)
  }
  t.equal(isDue(stateOf(liveOf({ lastSeenAt: NOW - MINUTE }))), true)
  t.equal(isDue(stateOf(liveOf({ lastSeenAt: NOW - MINUTE })), { isPassive: true }), false)
  t.equal(isDue(stateOf(liveOf({ lastSeenAt: NOW - MINUTE + 1 }))), false)
  const learns: Verdict = { kind: 'enter', change: { isForked: true }, isFork: true, isRenewable: false }
  t.equal(isDue(stateOf(liveOf({}, { verdict: learns }))), true)
  const checked = (user: string, actor?: string): Partial<LiveSession> => {
    const common = { from: null, at: NOW, authHash: null }
    return { checked: { ...common, user, ...(actor !== undefined && { actor: { ...common, user: actor } }) } }
  }
  const [ann, newer] = ['{"id":"ann"}', '{"id":"ann","newer":true}']
  t.equal(isDue(stateOf(liveOf({}, checked(ann)))), false)
  t.equal(isDue(stateOf(liveOf({}, checked(newer)))), true)
  const acting = actingAs('bob', 'ann')
  t.equal(isDue(stateOf(liveOf(acting, checked(BOB, ann)))), false)
  t.equal(isDue(stateOf(liveOf(acting, checked(BOB)))), false)
  t.equal(isDue(stateOf(liveOf(acting, checked(BOB, newer)))), true)
  t.equal(isDue(stateOf(liveOf({}, checked(ann, newer)))), true, 'nobody acts in the record')
})

t.test('the next id is one of a header if the request or the login says so', async (t) => {
  t.equal(states.isNextByHeader(stateOf(NONE)), false)
  t.equal(states.isNextByHeader(stateOf(NONE, { rotation: LOGIN })), false)
  t.equal(states.isNextByHeader(stateOf(NONE, { rotation: { ...LOGIN, isByHeader: false } })), false)
  t.equal(states.isNextByHeader(stateOf(NONE, { rotation: { ...LOGIN, isByHeader: true } })), true)
  t.equal(states.isNextByHeader(stateOf(NONE, { isByHeader: true })), true)
})

t.test('a record that another request wrote takes the place of the one that was loaded', async (t) => {
  const verdict: Verdict = { ...SERVE, isRenewable: true } as Verdict
  const live = liveOf({}, { verdict })
  const state = stateOf(live, { user: BOB, isTouched: true })
  const record = recordOf()
  t.strictSame(states.withRecord(state, live, record), { ...state, loaded: { ...live, record } })
})

t.test('after a rotation the record is the session, the id is in the cookie, and there is a way back', async (t) => {
  const live = liveOf({}, { verdict: { kind: 'enter', change: {}, isFork: true, isRenewable: true } })
  const state = stateOf(live, { rotation: { ...LOGIN, isByHeader: true }, user: BOB, isTouched: true })
  const record = recordOf({ epoch: 9 })
  const wayBack = { written: record, before: live.record }
  const after = states.afterWrite(state, { kind: 'written', record, cookieValue: 'new', wayBack }, NOW)
  t.strictSame(after, {
    loaded: { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined },
    cookie: { ...SET, value: 'new', binds: { handle: record.handle, epoch: 9 } },
    rotation: undefined,
    user: undefined,
    isTouched: false,
    isByHeader: true,
    shown: undefined,
    committed: { wayBack, before: state },
  })
  t.strictSame(states.beforeWrite(after), { ...state, rotation: undefined, user: undefined, isTouched: false })
  const later = { rotation: REGENERATE, user: BOB, isTouched: true }
  t.strictSame(states.beforeWrite({ ...after, ...later }), { ...state, ...later }, 'what was staged since stays')
})

t.test('a login that made a record of its own leaves nothing to go back to', async (t) => {
  const record = recordOf()
  const wayBack = { written: record, before: undefined }
  const written = { kind: 'written', record, cookieValue: 'new', wayBack } as const
  const live = stateOf(liveOf(), { rotation: LOGIN })
  t.strictSame(states.afterWrite(live, written, NOW).committed, { wayBack, before: { ...live, loaded: NONE } })
  const shadowed = stateOf(SHADOWED, { rotation: LOGIN })
  t.strictSame(states.afterWrite(shadowed, written, NOW).committed, { wayBack, before: shadowed })
})

t.test('the way back of a second rotation leads to the session before the first one', async (t) => {
  const [first, second, third] = [recordOf({ epoch: 3 }), recordOf({ epoch: 4 }), recordOf({ epoch: 5 })]
  const written = (record: SessionRecord, before: SessionRecord | undefined): Written => {
    return { kind: 'written', record, cookieValue: 'new', wayBack: { written: record, before } }
  }
  const state = stateOf(liveOf(), { rotation: LOGIN })
  const { record } = liveOf()
  const once = states.afterWrite(state, written(first, record), NOW)
  const twice = states.afterWrite(once, written(second, first), NOW)
  t.strictSame(twice.committed, { wayBack: { written: second, before: record, between: [first] }, before: state })
  const thrice = states.afterWrite(twice, written(third, second), NOW)
  t.strictSame(thrice.committed?.wayBack, { written: third, before: record, between: [first, second] })
  const own = states.afterWrite(once, written(second, undefined), NOW)
  t.strictSame(own.committed?.wayBack, { written: second, before: undefined, between: [first] }, 'a record of its own')
})

t.test('the cookie of a login offers to bind the session, unless a device is bound to it', async (t) => {
  const bindsOf = (rotation: Rotation, changes: Partial<SessionRecord>): unknown => {
    const record = recordOf(changes)
    const wayBack = { written: record, before: undefined }
    const written = { kind: 'written', record, cookieValue: 'new', wayBack } as const
    const { cookie } = states.afterWrite(stateOf(NONE, { rotation }), written, NOW)
    return cookie?.kind === 'set' ? cookie.binds : cookie
  }
  const named = { handle: 'the handle', epoch: 4 }
  t.strictSame(bindsOf(LOGIN, named), named)
  t.equal(bindsOf(LOGIN, { ...named, deviceKey: 'a key' }), undefined)
  t.equal(bindsOf(REGENERATE, named), undefined)
})

t.test('after a write without a new id the cookie stays, and the id has taught all it had', async (t) => {
  const enter: Verdict = { kind: 'enter', change: { isForked: true }, isFork: true, isRenewable: true }
  const live = liveOf({}, { verdict: enter, checked: { from: null, user: BOB, at: NOW, authHash: null } })
  const before = { wayBack: { written: live.record, before: undefined }, before: stateOf(NONE) }
  const state = stateOf(live, { cookie: SET, committed: before, isByHeader: true })
  const record = recordOf()
  const kept = { kind: 'written', record, cookieValue: undefined, wayBack: undefined } as const
  const after = states.afterWrite(state, kept, NOW)
  t.equal(after.cookie, SET)
  t.equal(after.committed, before)
  t.equal(after.isByHeader, true)
  t.strictSame(after.loaded, { ...live, record, verdict: { ...enter, change: undefined }, checked: undefined })
  const renewed = states.afterWrite(state, { ...kept, cookieValue: 'new' }, NOW)
  t.strictSame(renewed.cookie, { ...SET, value: 'new', renewedAt: NOW })
  t.strictSame(renewed.loaded, { ...live, record, verdict: SERVE, checked: undefined }, 'an id is renewed once')
  const refused = states.afterWrite(stateOf(liveOf({}, { verdict: { kind: 'unknown' } })), kept, NOW)
  t.match(refused.loaded, { verdict: SERVE })
  const created = states.afterWrite(stateOf(NONE), { ...kept, cookieValue: 'new' }, NOW)
  t.strictSame(created.loaded, { state: 'live', record, presented: undefined, verdict: SERVE, checked: undefined })
})

t.test('a renewal changes the cookie, and is made once', async (t) => {
  const live = liveOf({ absoluteDeadline: NOW + 5 }, { verdict: { ...SERVE, isRenewable: true } as Verdict })
  const state = stateOf(live, { user: BOB })
  const after = states.afterRenewal(state, { kind: 'renewed', cookieValue: 'new' }, NOW + 1)
  const cookie = { ...SET, value: 'new', renewedAt: NOW + 1 }
  t.strictSame(after, { ...state, loaded: { ...live, verdict: SERVE }, cookie })
  const remembered = liveOf({ remember: true, absoluteDeadline: NOW + 5 })
  const long = states.afterRenewal(stateOf(remembered), { kind: 'renewed', cookieValue: 'new' }, NOW)
  t.match(long.cookie, { expiresAt: NOW + 5 }, 'the cookie of a remembered session outlives the browser')
})

t.test(
  'a session that was lost leaves nothing staged, and the way back of its rotation; one that ended leaves none',
  async (t) => {
    const committed = { wayBack: { written: recordOf(), before: undefined }, before: stateOf(NONE) }
    const state = stateOf(liveOf(), {
      rotation: LOGIN,
      user: BOB,
      isTouched: true,
      cookie: SET,
      committed,
      shown: 'shown',
    })
    for (const isByHeader of [true, false]) {
      const mine = { ...state, isByHeader }
      const rest = { rotation: undefined, user: undefined, isTouched: false, isByHeader, committed, shown: 'shown' }
      const lost = { loaded: { state: 'shadowed', handle: 'h' }, cookie: undefined, ...rest }
      t.strictSame(states.afterLoss(mine, 'h'), lost)
      const ended = { loaded: NONE, cookie: { kind: 'clear' }, ...rest, committed: undefined }
      t.strictSame(states.afterEnd(mine, true), ended)
      t.strictSame(states.afterEnd(mine, false), { loaded: NONE, cookie: SET, ...rest })
    }
  },
)

t.test('a state without a committed rotation has nothing to go back to', async (t) => {
  const state = stateOf(liveOf(), { user: BOB, rotation: REGENERATE })
  t.equal(states.beforeWrite(state), state)
})
