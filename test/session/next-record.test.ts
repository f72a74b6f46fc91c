import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import type { Checked } from '../../lib/session/fresh-users.ts'
import type { Lineage, MintedSecret } from '../../lib/session/id.ts'
import { parentOf } from '../../lib/session/id.ts'
import type { NextRecord, Rotation, Work } from '../../lib/session/next-record.ts'
import { isUpkeepDue, nextRecord, placeTaken } from '../../lib/session/next-record.ts'
import { besideOf } from '../../lib/session/places.ts'
import type { Presentation, Verdict } from '../../lib/session/verdict.ts'
import { SERVE } from '../../lib/session/verdict.ts'
import type { Identity } from '../../lib/session/record.ts'
import type { SessionRecord } from '../../types/index.ts'
import { actingAs, NOW, ownedBy, pendingOf, recordAt } from './records.ts'

const MINUTE = 60_000
const LIFETIMES = lifetimesOf({})
const TOUCH = LIFETIMES.idleTimeout / 20
const { renewalTimeout } = LIFETIMES

/** The end of the sessions of this file, far enough for every use. */
const ENDS = NOW + 600 * MINUTE

const IDENTITY = {
  userId: 'bob',
  user: '{"id":"bob"}',
  authHash: 'b',
  authCheckedAt: NOW,
  remember: false,
  device: null,
}

/** Returns the record of a login of `ann` with one id, last used and issued now. */
function annAt(changes: Partial<SessionRecord> = {}): SessionRecord {
  const instants = { lastSeenAt: NOW, rotatedAt: NOW, idleDeadline: NOW + 30 * MINUTE, absoluteDeadline: ENDS }
  const oneId = { tip: null, rivals: [], isForked: false, deviceKey: null, remember: false }
  return recordAt(NOW, { ...ownedBy('ann'), ...instants, ...oneId, data: '{"a":1}', ...changes })
}

/** Returns an id of the record as a client of the login shows it. */
function shown(record: SessionRecord, changes: Partial<Presentation['id']> = {}, isTied = true): Presentation {
  const { secretHash, epoch, generation, rotatedAt, parent } = record
  const id = { secretHash, epoch, generation, issuedAt: rotatedAt, parent, ...changes }
  return { id, isTied: () => isTied, isShowNoted: false, evidenceFor: () => 'unbound' }
}

interface Next extends NextRecord {
  /** The arguments of each call of `mint`. */
  readonly mints: [epoch: number, lineage: Lineage | undefined][]
}

/** Applies a request that does nothing but what is given. */
function next(record: SessionRecord, work: Partial<Work> = {}): Next {
  const mints: Next['mints'] = []
  const mint = (epoch: number, lineage?: Lineage): MintedSecret => {
    mints.push([epoch, lineage])
    return { cookieValue: 'new', secretHash: 'hash of new' }
  }
  const idle: Work = {
    edit: { from: record.data, to: record.data, isWhole: false },
    rotation: undefined,
    presented: undefined,
    checked: undefined,
    user: undefined,
    isTouched: false,
    isPassive: false,
    carrier: 'reply',
    now: NOW,
  }
  return { ...nextRecord(record, { ...idle, ...work }, LIFETIMES, mint), mints }
}

t.test('a request that wants nothing leaves the record as it is', async (t) => {
  const record = annAt()
  const { kind, minted, mints, ...rest } = next(record, { presented: shown(record) })
  t.equal(rest.record, record)
  t.strictSame({ kind, minted, mints }, { kind: 'same', minted: undefined, mints: [] })
})

t.test('a use is written after a twentieth of the idle timeout, as a touch that keeps the version', async (t) => {
  const record = annAt()
  t.equal(next(record, { now: NOW + TOUCH - 1 }).kind, 'same')
  const now = NOW + TOUCH
  const touched = { ...record, lastSeenAt: now, idleDeadline: now + LIFETIMES.idleTimeout }
  t.match(next(record, { now }), { kind: 'touch', minted: undefined })
  t.strictSame(next(record, { now }).record, touched)
  t.equal(next(record, { now, isPassive: true }).kind, 'same', 'a passive request is no use')
})

t.test('a touch by name is written at once, but never by a passive request', async (t) => {
  const record = annAt()
  t.match(next(record, { now: NOW + 1, isTouched: true }), { kind: 'touch', record: { lastSeenAt: NOW + 1 } })
  t.equal(next(record, { now: NOW + 1, isTouched: true, isPassive: true }).kind, 'same')
})

t.test('an edit of the data writes the whole record, and counts as a use', async (t) => {
  const record = annAt()
  const edit = { from: '{"a":1}', to: '{"a":2}', isWhole: false }
  const now = NOW + 1
  t.strictSame(
    { ...next(record, { edit, now }) },
    {
      kind: 'update',
      record: {
        ...record,
        data: '{"a":2}',
        version: record.version + 1,
        lastSeenAt: now,
        idleDeadline: now + LIFETIMES.idleTimeout,
      },
      minted: undefined,
      mints: [],
    },
  )
  const passive = next(record, { edit, now, isPassive: true })
  t.strictSame(passive.record, { ...record, data: '{"a":2}', version: record.version + 1 }, 'a passive edit is no use')
  const shorter = annAt({ idleDeadline: NOW + 5 })
  t.equal(next(shorter, { edit, isPassive: true }).record.idleDeadline, NOW + 5, 'not in the instant of a use either')
})

t.test('an edit is put on top of what another request wrote meanwhile', async (t) => {
  const record = annAt({ data: '{"a":1,"theirs":true}' })
  t.equal(
    next(record, { edit: { from: '{"a":1}', to: '{"a":2}', isWhole: false } }).record.data,
    '{"a":2,"theirs":true}',
  )
  t.equal(next(record, { edit: { from: '{"a":1}', to: '{"a":2}', isWhole: true } }).record.data, '{"a":2}')
})

t.test('a record from the future is written back in time, even by a passive request', async (t) => {
  const record = annAt({ lastSeenAt: NOW + 1, idleDeadline: NOW + 1 + LIFETIMES.idleTimeout })
  const back = { lastSeenAt: NOW, idleDeadline: NOW + LIFETIMES.idleTimeout, version: record.version + 1 }
  for (const isPassive of [false, true]) t.match(next(record, { isPassive }), { kind: 'update', record: back })
  const created = annAt({ createdAt: NOW + 5, authenticatedAt: NOW + 5, lastSeenAt: NOW })
  const later = next(annAt({ ...created, lastSeenAt: NOW - MINUTE, idleDeadline: ENDS }), { isPassive: true })
  t.match(later, { kind: 'update', record: { authenticatedAt: NOW, lastSeenAt: NOW - MINUTE, idleDeadline: ENDS } })
})

t.test('a snapshot from the app is stored with its instant, and is no look at the credentials', async (t) => {
  const record = annAt({ userAt: NOW - MINUTE })
  const user = '{"id":"ann","n":1}'
  const checked: Checked = { from: record.user, user: '{"id":"ann","n":2}', at: NOW, authHash: null }
  t.match(next(record, { user, checked }), {
    kind: 'update',
    record: { user, userAt: NOW, authCheckedAt: record.authCheckedAt },
  })
  t.equal(next(record, { user: String(record.user) }).kind, 'update', 'the instant is new where the snapshot is not')
})

t.test('an answer of loadUser counts only for the snapshot it was asked for', async (t) => {
  const record = annAt()
  const user = '{"id":"ann","n":1}'
  const checked: Checked = { from: record.user, user, at: NOW, authHash: null }
  t.match(next(record, { checked }), { kind: 'update', record: { user, authCheckedAt: NOW } })
  const { authCheckedAt } = record
  t.match(
    next(record, { checked: { ...checked, at: authCheckedAt - 1 } }).record,
    { user, authCheckedAt },
    'never back',
  )
  const newer = annAt({ user: '{"id":"ann","n":3}' })
  const unchanged = next(newer, { checked })
  t.equal(unchanged.kind, 'same')
  t.strictSame(unchanged.record, newer)
  t.equal(next(record, { checked: { ...checked, user: String(record.user) } }).kind, 'same', 'no news is not written')
})

t.test('an answer of loadUser for an actor changes the actor, and each of the two alone', async (t) => {
  const record = annAt(actingAs('ann', 'eve'))
  const eve = String(record.acting?.user)
  const same: Checked = { from: record.user, user: String(record.user), at: NOW, authHash: null }
  const actor = { from: eve, user: '{"id":"eve","n":1}', at: NOW, authHash: null }
  const acting = { ...record.acting, user: actor.user, authCheckedAt: NOW }
  const both = next(record, { checked: { ...same, actor } })
  t.equal(both.kind, 'update')
  t.strictSame(both.record.acting, acting)
  t.match(next(record, { checked: { ...same, actor: { ...actor, from: '{"id":"eve","n":9}' } } }).kind, 'same')
  t.match(next(record, { checked: same }).kind, 'same', 'nobody asked for the actor')
  const without = next(annAt({ acting: null }), { checked: { ...same, actor } })
  t.equal(without.record.acting, null, 'nobody acts any more')
})

t.test('an id is renewed by age, earlier on a reply than on a stream, and never without a response', async (t) => {
  const record = annAt()
  const at = (age: number, work: Partial<Work> = {}): Next =>
    next(record, { presented: shown(record), now: NOW + age, ...work })
  t.equal(at(renewalTimeout - 1).minted, undefined)
  const renewed = at(renewalTimeout)
  t.equal(renewed.kind, 'touch', 'a renewal alone writes no record')
  t.equal(renewed.record.secretHash, record.secretHash)
  t.strictSame(renewed.minted, { cookieValue: 'new', secretHash: 'hash of new' })
  const lineage = { generation: 4, issuedAt: NOW + renewalTimeout, parent: parentOf(record.secretHash) }
  t.strictSame(renewed.mints, [[record.epoch, lineage]])
  t.equal(at(2 * renewalTimeout - 1, { carrier: 'stream' }).minted, undefined)
  t.match(at(2 * renewalTimeout, { carrier: 'stream' }), { minted: { cookieValue: 'new' } })
  t.equal(at(500 * MINUTE, { carrier: 'none' }).minted, undefined)
  t.equal(at(renewalTimeout, { presented: undefined }).minted, undefined, 'the request has written before')
  const passive = at(renewalTimeout, { isPassive: true })
  t.match(passive, { kind: 'same', minted: { cookieValue: 'new' } }, 'the caller gives a passive request no carrier')
})

t.test('an edit beside a renewal writes the record and carries the new id', async (t) => {
  const record = annAt({ rotatedAt: NOW - renewalTimeout })
  const edit = { from: '{"a":1}', to: '{"a":2}', isWhole: false }
  t.match(next(record, { presented: shown(record), edit }), {
    kind: 'update',
    record: { data: '{"a":2}', secretHash: record.secretHash },
    minted: { cookieValue: 'new' },
  })
})

t.test('the first show of a renewed id is written, and the id gets no renewal of its own yet', async (t) => {
  const record = annAt({ rotatedAt: NOW - renewalTimeout })
  const child = { secretHash: 'child', generation: 4, issuedAt: NOW - 1, parent: parentOf(record.secretHash) }
  t.match(next(record, { presented: shown(record, child) }), {
    kind: 'update',
    record: { tip: { secretHash: 'child', issuedAt: NOW - 1, shownAt: NOW, isTied: true } },
    minted: undefined,
  })
})

t.test('an id that shows a copy is written down once, so that the login is recent no more', async (t) => {
  const record = annAt()
  const old = { secretHash: 'old', generation: 1, parent: 'of another line' }
  t.match(next(record, { presented: shown(record, old) }), {
    kind: 'update',
    record: { isForked: true },
    minted: undefined,
  })
  t.equal(next(annAt({ isForked: true }), { presented: shown(record, old) }).kind, 'same')
  const before = { epoch: record.epoch - 1 }
  t.match(next(record, { presented: shown(record, before) }), { kind: 'same', record: { isForked: false } })
})

t.test('a login replaces the id, the user and both lifetimes in one write', async (t) => {
  const record = annAt({ deviceKey: 'a key', lastSeenAt: NOW - MINUTE })
  const after = next(record, { rotation: { reason: 'login', identity: IDENTITY }, presented: shown(record) })
  t.match(after, { kind: 'update', minted: { cookieValue: 'new' }, mints: [[record.epoch + 1, undefined]] })
  t.match(after.record, {
    ...{ userId: 'bob', user: '{"id":"bob"}', authHash: 'b', authenticatedAt: NOW, lastSeenAt: NOW, data: '{"a":1}' },
    ...{ secretHash: 'hash of new', epoch: record.epoch + 1, version: record.version + 1, deviceKey: null },
    ...{ idleDeadline: NOW + LIFETIMES.idleTimeout, absoluteDeadline: NOW + LIFETIMES.absoluteTimeout },
  })
})

t.test('a confirmed login loses the ways from before if a replaced id came back meanwhile', async (t) => {
  const [old, again, fresh] = [
    { name: 'pwd', at: NOW - 5 },
    { name: 'otp', at: NOW },
    { name: 'hwk', at: NOW },
  ] as const
  const methodsAfter = (isForked: boolean, used: Partial<Identity> = { usedNow: ['otp', 'hwk'] }) => {
    const record = annAt({ isForked, methods: [old, again] })
    const identity = { ...IDENTITY, methods: [old, again, fresh], ...used }
    return next(record, { rotation: { reason: 'confirm', identity } }).record.methods
  }
  t.strictSame(methodsAfter(false), [old, again, fresh])
  t.strictSame(
    methodsAfter(true),
    [again, fresh],
    'a way that is used again counts, at whatever instant it was used before',
  )
  t.strictSame(methodsAfter(true, { usedNow: [] }), [])
  t.strictSame(methodsAfter(true, {}), [old, again, fresh], 'a login names its own ways')
  const none = next(annAt({ isForked: true }), { rotation: { reason: 'confirm', identity: IDENTITY } })
  t.strictSame(none.record.methods ?? null, null)
})

t.test('what a change of the id only carries over is that of the latest record', async (t) => {
  const record = annAt({ label: 'Kitchen' })
  const identity = { ...IDENTITY, userId: 'ann', user: '{"id":"ann","old":1}', label: 'Desk' }
  const after = (carries?: Rotation['carries']): SessionRecord =>
    next(record, { rotation: { reason: 'confirm', identity, carries } }).record
  t.match(after(), { user: identity.user, label: 'Desk' })
  t.match(after(['user']), { user: record.user, label: 'Desk' })
  t.match(after(['user', 'label']), { user: record.user, label: 'Kitchen' })
})

t.test('a new id alone keeps the user and the end, and is a use unless the request is passive', async (t) => {
  const record = annAt({ lastSeenAt: NOW - MINUTE, authHash: 'old' })
  const rotation: Rotation = { reason: 'regenerate' }
  const { userId, user, authHash, authCheckedAt, authenticatedAt, absoluteDeadline } = record
  const kept = { userId, user, authHash, authCheckedAt, authenticatedAt, absoluteDeadline }
  const after = next(record, { rotation })
  t.match(after.record, { ...kept, secretHash: 'hash of new', lastSeenAt: NOW, tip: null, rotatedAt: NOW })
  t.strictSame(after.record?.rivals, [])
  const passive = next(record, { rotation, isPassive: true }).record
  t.match(passive, { ...kept, lastSeenAt: NOW - MINUTE, idleDeadline: record.idleDeadline })
  const user2 = '{"id":"ann","n":1}'
  t.match(next(record, { rotation, user: user2 }).record, { user: user2, userAt: NOW }, 'with a snapshot of the app')
  const fresh = { rotation: { ...rotation, authHash: 'new' } }
  t.match(next(record, fresh).record, { userId, user, authHash: 'new', authCheckedAt: NOW })
})

t.test('a half login notes who owes a proof, and logs nobody in', async (t) => {
  const record = recordAt(NOW, { ...annAt(), userId: null, user: null, authenticatedAt: null })
  const { pending } = pendingOf('ann')
  if (!pending) throw new Error('there is a half login')
  const after = next(record, { rotation: { reason: 'pending', pending } })
  t.match(after.record, { userId: null, user: null, authenticatedAt: null, secretHash: 'hash of new' })
  t.strictSame(after.record?.pending, pending)
})

t.test('a role begins with its own data and its own user, and keeps the data of the actor', async (t) => {
  const record = annAt()
  const begin = {
    ...{ authHash: 'c', reason: 'ticket 7', limit: 5 * MINUTE, lifetimes: undefined },
    edit: { from: '{"a":1}', to: '{"a":2}', isWhole: false },
  }
  const role = { userId: 'cleo', user: '{"id":"cleo"}', actor: record.user, methods: [], data: '{"own":1}', begin }
  const edit = { from: '{"own":1}', to: '{"own":2}', isWhole: false }
  const after = next(record, { rotation: { reason: 'act', role }, edit })
  t.match(after, { kind: 'update', minted: { cookieValue: 'new' } })
  t.match(after.record, {
    ...{ userId: 'cleo', authHash: 'c', data: '{"own":2}', absoluteDeadline: NOW + 5 * MINUTE },
    acting: { userId: 'ann', data: '{"a":2}', since: NOW },
    secretHash: 'hash of new',
  })
})

t.test('a login ends the binding to a device, and a proof only one that was never shown', async (t) => {
  const hidden = '1.0.binding'
  const seen = '1.1.binding'
  const { pending } = pendingOf('ann')
  for (const [reason, deviceKey, kept] of [
    ['login', seen, null],
    ['pending', seen, null],
    ['confirm', seen, seen],
    ['confirm', hidden, null],
    ['confirm', null, null],
    ['regenerate', hidden, hidden],
    ['regenerate', seen, seen],
  ] as const) {
    const rotation: Rotation = { reason, ...(reason === 'pending' && pending && { pending }) }
    t.equal(next(annAt({ deviceKey }), { rotation }).record.deviceKey, kept, `${reason} ${String(deviceKey)}`)
  }
})

t.test('a binding counts from the request that shows the bound cookie, also if that changes the id', (t) => {
  for (const [reason, evidence, kept] of [
    ['confirm', 'proven', '1.1.binding'],
    ['regenerate', 'proven', '1.1.binding'],
    ['login', 'proven', null],
    ['confirm', 'unbound', null],
    ['regenerate', 'unbound', '1.0.binding'],
  ] as const) {
    const record = annAt({ deviceKey: '1.0.binding' })
    const presented: Presentation = { ...shown(record), evidenceFor: () => evidence }
    t.equal(next(record, { rotation: { reason }, presented }).record.deviceKey, kept, `${reason} ${evidence}`)
  }
  t.end()
})

t.test('a dropped key goes with the rotation, unless the request left the key in its data', async (t) => {
  const record = annAt({ data: '{"a":1,"flow":"x"}' })
  const drop = (to: string, drops?: string, from = to): string =>
    next(record, { rotation: { reason: 'regenerate', drops }, edit: { from, to, isWhole: false } }).record.data
  t.equal(drop('{"a":1}', 'flow'), '{"a":1}', 'another request wrote the key')
  t.equal(drop('{"a":1,"flow":"x"}', 'flow'), '{"a":1,"flow":"x"}')
  t.equal(drop('{"a":1}', undefined), '{"a":1,"flow":"x"}')
  const other = annAt({ data: '{"a":1,"undefined":1}' })
  const edit = { from: '{"a":1}', to: '{"a":1}', isWhole: false }
  t.equal(next(other, { rotation: { reason: 'regenerate' }, edit }).record.data, other.data, 'no key is to go')
  t.equal(drop('{}', 'absent'), '{"a":1,"flow":"x"}')
})

t.test(
  'the place of a staged change is the user of a login, or beside the user of a half login or a role',
  async (t) => {
    const { pending } = pendingOf('ann')
    if (!pending) throw new Error('there is a half login')
    const stop = { userId: 'cleo', user: '{"id":"cleo"}', actor: null, methods: [], data: '{}' }
    const begin = {
      ...{ authHash: null, reason: '', limit: 1, lifetimes: undefined },
      edit: { from: '{}', to: '{}', isWhole: false },
    }
    for (const [rotation, place] of [
      [undefined, undefined],
      [{ reason: 'login', identity: IDENTITY }, 'bob'],
      [{ reason: 'confirm', identity: IDENTITY }, undefined],
      [{ reason: 'regenerate' }, undefined],
      [{ reason: 'pending', pending }, besideOf('ann')],
      [{ reason: 'act', role: { ...stop, begin } }, besideOf('cleo')],
      [{ reason: 'stop-acting', role: stop }, undefined],
    ] satisfies [Rotation | undefined, string | undefined][]) {
      t.equal(placeTaken(rotation), place, JSON.stringify(rotation))
    }
  },
)

t.test('upkeep is due for a touch, a renewal, a lesson of the id, and a record from the future', async (t) => {
  const renewable: Verdict = { kind: 'enter', change: undefined, isFork: false, isRenewable: true }
  const lesson: Verdict = { kind: 'enter', change: { headAt: NOW }, isFork: false, isRenewable: false }
  const due = (changes: Partial<SessionRecord>, verdict: Verdict = SERVE, isPassive = false): boolean =>
    isUpkeepDue(annAt(changes), verdict, { ...LIFETIMES, clock: () => NOW }, { isPassive })
  const isPassive = true
  t.notOk(due({}))
  t.notOk(due({ lastSeenAt: NOW - TOUCH + 1 }))
  t.ok(due({ lastSeenAt: NOW - TOUCH }))
  t.notOk(due({ lastSeenAt: NOW - TOUCH }, SERVE, isPassive))
  t.notOk(due({ rotatedAt: NOW - renewalTimeout + 1 }, renewable))
  t.ok(due({ rotatedAt: NOW - renewalTimeout }, renewable))
  t.notOk(due({ rotatedAt: NOW - renewalTimeout }, renewable, isPassive))
  t.notOk(due({ rotatedAt: NOW - renewalTimeout }), 'the id may not be renewed')
  t.notOk(due({ rotatedAt: NOW - renewalTimeout }, { kind: 'refuse' }))
  t.ok(due({}, lesson, isPassive))
  t.ok(due({ lastSeenAt: NOW + 1 }, SERVE, isPassive))
})
