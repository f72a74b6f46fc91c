import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import { newBinding, writeBinding } from '../../lib/session/device-bound/binding.ts'
import type { Lineage, MintedSecret } from '../../lib/session/id.ts'
import { hashOf, parentOf } from '../../lib/session/id.ts'
import type { Rotation, Work } from '../../lib/session/next-record.ts'
import { isUpkeepDue, nextRecord, placeTaken } from '../../lib/session/next-record.ts'
import { besideOf } from '../../lib/session/places.ts'
import type { Presentation } from '../../lib/session/verdict.ts'
import { judge } from '../../lib/session/verdict.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { PendingLogin, SessionRecord } from '../../types/index.ts'

const NOW = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const settings = lifetimesOf({ idleTimeout: '20m', absoluteTimeout: '10h', renewalTimeout: '15m' })

const NO_EDIT = { from: '{}', to: '{}', isWhole: false }

/** A request that reads the session, in the instant in which the record was last used. */
const reading: Work = {
  edit: NO_EDIT,
  rotation: undefined,
  presented: undefined,
  checked: undefined,
  user: undefined,
  isTouched: false,
  isPassive: false,
  carrier: 'reply',
  now: NOW,
}

/** A session with one id, used and renewed just now. */
const plain: SessionRecord = recordAt(NOW, {
  ...{ secretHash: hashOf('first'), tip: null, rivals: [], isForked: false, remember: false, data: '{}' },
  ...{ lastSeenAt: NOW, rotatedAt: NOW, deviceKey: null, user: '{"id":"ann"}', userId: 'ann', authCheckedAt: NOW - 9 },
})

function shown(record: SessionRecord, changes: Partial<Presentation['id']> = {}, isTied = true): Presentation {
  const { secretHash, epoch, generation, parent } = record
  const id = { secretHash, epoch, generation, issuedAt: NOW, parent, ...changes }
  return { id, isTied: () => isTied, isShowNoted: false, evidenceFor: () => 'unbound' }
}

/** Returns what becomes of a record, and the ids that were minted. */
function next(record: SessionRecord, work: Partial<Work>) {
  const mints: (readonly [number, Lineage | undefined])[] = []
  const mint = (epoch: number, lineage?: Lineage): MintedSecret => {
    mints.push([epoch, lineage])
    return { cookieValue: 'new', secretHash: hashOf('new') }
  }
  return { ...nextRecord(record, { ...reading, ...work }, settings, mint), mints }
}

t.test('a request that changes nothing leaves the record as it is', async (t) => {
  const { kind, record, minted, mints } = next(plain, { presented: shown(plain) })
  t.strictSame({ kind, minted, mints }, { kind: 'same', minted: undefined, mints: [] })
  t.equal(record, plain)
})

t.test('a use writes the idle deadline after a twentieth of the idle timeout, or by name', async (t) => {
  t.equal(next(plain, { now: NOW + MINUTE - 1 }).kind, 'same')
  const due = next(plain, { now: NOW + MINUTE })
  t.equal(due.kind, 'touch')
  t.strictSame(due.record, { ...plain, lastSeenAt: NOW + MINUTE, idleDeadline: NOW + 21 * MINUTE })
  t.equal(next(plain, { isTouched: true }).kind, 'touch')
  for (const work of [{ now: NOW + MINUTE }, { isTouched: true }]) {
    t.equal(next(plain, { ...work, isPassive: true }).kind, 'same', 'a passive request is no use')
  }
})

t.test('a passive request that writes keeps both instants of the use, unless a clock was set back', async (t) => {
  const edit = { ...NO_EDIT, to: '{"a":1}' }
  const { kind, record } = next(plain, { edit, isPassive: true, now: NOW + 5 * MINUTE })
  t.equal(kind, 'update')
  t.strictSame(record, { ...plain, data: '{"a":1}', version: plain.version + 1 })
  const used = next(plain, { edit, now: NOW + 5 * MINUTE })
  t.match(used.record, { lastSeenAt: NOW + 5 * MINUTE, idleDeadline: NOW + 25 * MINUTE, data: '{"a":1}' })
  const back = next({ ...plain, lastSeenAt: NOW + 1 }, { isPassive: true })
  t.match(back, { kind: 'update', record: { lastSeenAt: NOW, idleDeadline: NOW + 20 * MINUTE } })
})

t.test('an id is renewed by age: by a reply in time, by a stream later, and never without a response', async (t) => {
  const mintsAfter = (carrier: Work['carrier'], age: number): number =>
    next(plain, { carrier, presented: shown(plain), now: NOW + age }).mints.length
  t.equal(mintsAfter('reply', 15 * MINUTE - 1), 0)
  t.equal(mintsAfter('reply', 15 * MINUTE), 1)
  t.equal(mintsAfter('stream', 30 * MINUTE - 1), 0)
  t.equal(mintsAfter('stream', 30 * MINUTE), 1)
  t.equal(mintsAfter('none', 1000 * MINUTE), 0)
  t.equal(next(plain, { now: NOW + 15 * MINUTE }).mints.length, 0, 'no id was presented')
  const foreign = shown(plain, { epoch: plain.epoch - 1 })
  t.equal(next(plain, { presented: foreign, now: NOW + 15 * MINUTE }).mints.length, 0, 'the id opens nothing')
  const { mints, minted, kind } = next(plain, { presented: shown(plain), now: NOW + 15 * MINUTE })
  const lineage = {
    generation: plain.generation + 1,
    issuedAt: NOW + 15 * MINUTE,
    parent: parentOf(plain.secretHash),
  }
  t.strictSame(mints, [[plain.epoch, lineage]])
  t.match({ minted, kind }, { minted: { secretHash: hashOf('new') }, kind: 'touch' })
})

t.test('the record learns from the id, and an id that shows a copy makes the login old once', async (t) => {
  const child = shown(plain, { secretHash: hashOf('child'), parent: parentOf(plain.secretHash), generation: 4 })
  t.match(next(plain, { presented: child }), { kind: 'update', record: { tip: { secretHash: hashOf('child') } } })
  const copied = shown(plain, { secretHash: hashOf('old'), generation: 1, parent: 'x' }, false)
  t.match(judge(plain, copied, NOW), { kind: 'end' })
  const learned = next(plain, { presented: copied })
  t.match(learned, { kind: 'update', record: { isForked: true, version: plain.version + 1 }, mints: [] })
  t.equal(next(learned.record, { presented: copied }).kind, 'same')
})

t.test('an answer of `loadUser` replaces the snapshot that was asked about, and no other', async (t) => {
  const from = String(plain.user)
  const checked = { from, user: '{"id":"ann","n":2}', at: NOW - 3, authHash: null }
  const { kind, record } = next(plain, { checked })
  t.equal(kind, 'update')
  t.strictSame(record.user, checked.user)
  t.equal(record.authCheckedAt, NOW - 3)
  t.equal(next({ ...plain, authCheckedAt: NOW - 1 }, { checked }).record.authCheckedAt, NOW - 1, 'never back')
  t.equal(next(plain, { checked: { ...checked, from: '{"id":"ann","n":3}' } }).kind, 'same')
  t.equal(next(plain, { checked: { ...checked, user: from } }).kind, 'same', 'a look alone is no write')
})

t.test('a snapshot that the app put in place is written with its instant, and is no look', async (t) => {
  for (const user of ['{"id":"ann","n":2}', String(plain.user)]) {
    const checked = { from: plain.user, user: '{"id":"ann","n":3}', at: NOW, authHash: null }
    const { kind, record } = next(plain, { user, checked })
    t.equal(kind, 'update')
    t.match(record, { user, userAt: NOW, authCheckedAt: plain.authCheckedAt })
  }
})

t.test('the snapshot of an actor is replaced in the same way', async (t) => {
  const acting = {
    ...{ userId: 'root', user: '{"id":"root"}', authHash: null, authCheckedAt: NOW - 9, userAt: 0, methods: [] },
    ...{ absoluteDeadline: NOW + 1e9, remember: false, lifetimes: null, data: '{}', reason: '', since: NOW - 9 },
  }
  const record = { ...plain, acting }
  const actor = { from: acting.user, user: '{"id":"root","n":2}', at: NOW - 1, authHash: null }
  const checked = { from: plain.user, user: String(plain.user), at: NOW - 1, authHash: null }
  const asked = next(record, { checked: { ...checked, actor } })
  t.equal(asked.kind, 'update')
  t.strictSame(asked.record.acting, { ...acting, user: actor.user, authCheckedAt: NOW - 1 })
  t.equal(next(record, { checked }).kind, 'same')
  t.notOk('acting' in next(plain, { checked: { ...checked, user: '{"id":"ann","n":2}' } }).record)
})

const pending: PendingLogin = { userId: 'bob', user: '{"id":"bob"}', authHash: null, methods: [], until: NOW + 1 }
const identity = {
  ...{ userId: 'bob', user: '{"id":"bob"}', authHash: 'hash', authCheckedAt: NOW, remember: false, device: null },
}

t.test('a change of privilege writes a new secret in the next epoch, with data, use and user', async (t) => {
  const edit = { ...NO_EDIT, to: '{"a":1}' }
  const { record, ...rest } = next(plain, { rotation: { reason: 'regenerate' }, edit, user: '{"id":"ann","n":2}' })
  t.match(rest, { kind: 'update', mints: [[plain.epoch + 1, undefined]], minted: { cookieValue: 'new' } })
  t.match(record, { secretHash: hashOf('new'), epoch: plain.epoch + 1, version: plain.version + 1, data: '{"a":1}' })
  t.match(record, { user: '{"id":"ann","n":2}', lastSeenAt: NOW, idleDeadline: NOW + 20 * MINUTE, userId: 'ann' })
  t.equal(record.authHash, plain.authHash)
  const login = next(plain, { rotation: { reason: 'login', identity } }).record
  t.match(login, { userId: 'bob', authHash: 'hash', authenticatedAt: NOW, absoluteDeadline: NOW + 600 * MINUTE })
  const half = next(plain, { rotation: { reason: 'pending', pending } }).record
  t.strictSame(half.pending, pending)
  const later = next(plain, { rotation: { reason: 'confirm', authHash: 'newer' }, now: NOW + 1 }).record
  t.match(later, { authHash: 'newer', authCheckedAt: NOW + 1 })
})

t.test('a binding to a device outlives a change of id, but no login', async (t) => {
  const binding = newBinding({ x: 'x'.repeat(43), y: 'y'.repeat(43) })
  const kept = (reason: Rotation['reason'], isShown: boolean): boolean => {
    const deviceKey = writeBinding({ ...binding, isShown })
    return next({ ...plain, deviceKey }, { rotation: { reason } }).record.deviceKey === deviceKey
  }
  for (const isShown of [true, false]) {
    t.notOk(kept('login', isShown))
    t.notOk(kept('pending', isShown))
    t.ok(kept('regenerate', isShown))
  }
  t.ok(kept('confirm', true))
  t.notOk(kept('confirm', false), 'the browser is offered another')
  t.equal(next(plain, { rotation: { reason: 'confirm' } }).record.deviceKey, null)
})

t.test('a key that a rotation drops stays only where the request left it in its data', async (t) => {
  const data = '{"flow":1,"cart":2}'
  const dropping = (record: string, to: string, drops: string | undefined): string =>
    next(
      { ...plain, data: record },
      {
        rotation: { reason: 'login', identity, drops },
        edit: { from: '{"cart":2}', to, isWhole: false },
      },
    ).record.data
  t.equal(dropping(data, '{"cart":2}', 'flow'), '{"cart":2}')
  t.equal(dropping(data, '{"cart":2}', undefined), data)
  t.equal(dropping(data, '{"cart":2,"flow":3}', 'flow'), '{"flow":3,"cart":2}')
  t.equal(dropping('{"cart":"flow"}', '{"cart":2}', 'flow'), '{"cart":"flow"}', 'the text of a value is no key')
})

t.test('the place of a change in the index is that of the user who is shown or owes a proof', async (t) => {
  const role = { userId: 'bob', user: '{}', actor: null, methods: [], data: '{}' }
  const begin = { authHash: null, reason: '', limit: 1, lifetimes: undefined, edit: NO_EDIT }
  t.equal(placeTaken(undefined), undefined)
  t.equal(placeTaken({ reason: 'login', identity }), 'bob')
  t.equal(placeTaken({ reason: 'confirm', identity }), undefined)
  t.equal(placeTaken({ reason: 'pending', pending }), besideOf('bob'))
  t.equal(placeTaken({ reason: 'regenerate', role: { ...role, begin } }), besideOf('bob'))
  t.equal(placeTaken({ reason: 'regenerate', role }), undefined, 'who stops to act keeps the place of the login')
})

t.test(
  'upkeep is due for a lesson, a clock set back, and the age of a use or an id that is no passive one',
  async (t) => {
    const serve = { kind: 'enter', change: undefined, isFork: false, isRenewable: true } as const
    const due = (record: Partial<SessionRecord>, verdict: Parameters<typeof isUpkeepDue>[1] = serve) =>
      [false, true].map((isPassive) =>
        isUpkeepDue({ ...plain, ...record }, verdict, { ...settings, clock: () => NOW }, { isPassive }),
      )
    t.strictSame(due({}), [false, false])
    t.strictSame(due({ lastSeenAt: NOW - MINUTE + 1, rotatedAt: NOW - 15 * MINUTE + 1 }), [false, false])
    t.strictSame(due({ lastSeenAt: NOW - MINUTE }), [true, false])
    t.strictSame(due({ rotatedAt: NOW - 15 * MINUTE }), [true, false])
    t.strictSame(due({ rotatedAt: NOW - 15 * MINUTE }, { ...serve, isRenewable: false }), [false, false])
    t.strictSame(due({ rotatedAt: NOW - 15 * MINUTE }, { kind: 'refuse' }), [false, false])
    t.strictSame(due({}, { ...serve, change: {} }), [true, true])
    t.strictSame(due({ lastSeenAt: NOW + 1 }), [true, true])
    t.ok(isUpkeepDue({ ...plain, lastSeenAt: NOW - MINUTE }, serve, { ...settings, clock: () => NOW }, {}))
  },
)
