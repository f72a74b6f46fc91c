import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import type { Evidence } from '../../lib/session/device-bound/judge-proof.ts'
import type { PresentedId } from '../../lib/session/id.ts'
import { hashOf, newHandle, parentOf } from '../../lib/session/id.ts'
import { newRecord, rotated } from '../../lib/session/record.ts'
import type { Verdict } from '../../lib/session/verdict.ts'
import { CONFIRMATION, GRACE, judge, LATE, MAX_RIVALS, MAX_SIBLING_AGE, RECENT_USE } from '../../lib/session/verdict.ts'
import type { SessionRecord } from '../../types/index.ts'

const START = Date.UTC(2026, 0, 1)
const MINUTE = 60_000

type Id = Omit<PresentedId, 'handle'>

/** The id of a login. */
const first: Id = { secretHash: hashOf('first'), epoch: 0, generation: 0, issuedAt: START, parent: '' }

/** Returns a renewal of an id, issued at an instant. */
function renewalOf(parent: Id, name: string, issuedAt: number): Id {
  return {
    secretHash: hashOf(name),
    epoch: parent.epoch,
    generation: parent.generation + 1,
    issuedAt,
    parent: parentOf(parent.secretHash),
  }
}

/** A record that learns what each shown id teaches it. */
class Life {
  record: SessionRecord = newRecord(newHandle(), first.secretHash, '{}', START, lifetimesOf({}))
  now = START

  show(id: Id, { isTied = true, isShowNoted = false } = {}): Verdict {
    const verdict = judge(
      this.record,
      { id, isTied: () => isTied, isShowNoted, evidenceFor: () => 'unbound' },
      this.now,
    )
    if (verdict.kind === 'enter') this.record = { ...this.record, ...verdict.change }
    return verdict
  }

  later(milliseconds: number): this {
    this.now += milliseconds
    return this
  }
}

/** Returns the hashes of the rivals that a record knows, the oldest first. */
function rivalsOf({ record }: Life): string[] {
  return record.rivals.map(({ secretHash }) => secretHash)
}

/** Returns a life with a renewal that was shown, and confirmed where asked for. */
function renewed({ isConfirmed }: { isConfirmed: boolean }): { life: Life; second: Id } {
  const life = new Life().later(15 * MINUTE)
  const second = renewalOf(first, 'second', life.now)
  life.show(second)
  if (isConfirmed) life.later(CONFIRMATION).show(second)
  return { life, second }
}

t.test('the times and the number of rivals are those of the guide', async (t) => {
  t.strictSame(
    { LATE, GRACE, CONFIRMATION, MAX_SIBLING_AGE, RECENT_USE, MAX_RIVALS },
    {
      LATE: 150_000,
      GRACE: 30_000,
      CONFIRMATION: 60_000,
      MAX_SIBLING_AGE: 5 * MINUTE,
      RECENT_USE: 10 * MINUTE,
      MAX_RIVALS: 4,
    },
  )
})

t.test('the only id in use is served, may be renewed, and teaches the record nothing', async (t) => {
  t.strictSame(new Life().show(first), { kind: 'enter', change: undefined, isFork: false, isRenewable: true })
})

t.test('the first show of an id is noted where a limit depends on it', async (t) => {
  const life = new Life().later(5)
  t.match(life.show(first, { isShowNoted: true }), { change: { shownAt: START + 5 }, isRenewable: true })
  t.match(life.show(first, { isShowNoted: true }), { change: undefined })
})

t.test('an id of another epoch opens nothing: superseded for 30 seconds, unknown after', async (t) => {
  const life = new Life()
  life.record = rotated(life.record, hashOf('login'), START)
  t.match(life.show(first), { kind: 'superseded' })
  t.match(life.later(GRACE).show(first), { kind: 'unknown' })
  t.match(life.show({ ...first, epoch: 2 }), { kind: 'unknown' })
})

t.test('a renewed id counts after it was shown twice, a minute apart', async (t) => {
  const { life, second } = renewed({ isConfirmed: false })
  t.match(life.record, { secretHash: first.secretHash, tip: { secretHash: second.secretHash } })
  t.match(life.later(CONFIRMATION - 1).show(second), { kind: 'enter', change: undefined, isRenewable: false })
  t.match(life.later(1).show(second), { kind: 'enter', isRenewable: true })
  t.match(life.record, { secretHash: second.secretHash, generation: 1, tip: null, rotatedAt: second.issuedAt })
})

t.test(
  'a killed browser that comes back with the id before is served, and the login is no longer recent',
  async (t) => {
    const { life, second } = renewed({ isConfirmed: false })
    t.match(life.later(20_000).show(first), { kind: 'enter', isFork: true, isRenewable: false })
    t.ok(life.record.isForked)
    t.match(life.later(LATE).show(first), { kind: 'enter', isRenewable: true }, 'it is the id in use from now on')
    t.equal(life.record.tip, null)
    t.strictSame(rivalsOf(life), [second.secretHash], 'the renewal is its only rival')
    t.match(life.show(second), { kind: 'end', sign: 'second-holder' })
  },
)

t.test(
  'of two ids side by side the one shown first after the window stays, and the other ends the session',
  async (t) => {
    const { life, second } = renewed({ isConfirmed: false })
    const { now } = life.later(5_000)
    life.show(first)
    for (const id of [second, first, second]) {
      const before = life.record
      t.match(life.later(9_000).show(id), { kind: 'enter', isRenewable: false })
      t.strictSame(life.record, before, 'the record learns nothing at first')
    }
    for (const id of [first, second, first]) {
      t.match(life.later(20_000).show(id), { kind: 'enter' })
      t.ok(life.record.headAt < now + LATE, 'nothing is decided in the window')
    }
    t.match(life.later(LATE).show(second), { kind: 'enter' })
    t.match(life.later(10 * MINUTE).show(first), { kind: 'end', sign: 'second-holder' })
  },
)

t.test('requests of a browser that overtake each other are served', async (t) => {
  const life = new Life().later(15 * MINUTE)
  const [left, right] = [renewalOf(first, 'left', life.now), renewalOf(first, 'right', life.now)]
  life.show(right)
  t.match(life.later(1_000).show(left), { kind: 'enter', isFork: false }, 'a sibling')
  t.match(life.later(1_000).show(right), { kind: 'enter' })
  t.match(life.later(1_000).show(first), { kind: 'enter' })
  t.match(life.later(LATE).show(left), { kind: 'enter', isRenewable: false }, 'the jar kept this one')
  t.match(life.later(CONFIRMATION).show(left), { kind: 'enter', isRenewable: true })
  t.equal(life.record.secretHash, left.secretHash)
  t.match(life.show(right), { kind: 'end' })
})

t.test('a renewal of the rival that lost ends the session', async (t) => {
  const { life, second } = renewed({ isConfirmed: false })
  life.later(5_000).show(first)
  life.later(LATE).show(first)
  t.match(life.show(renewalOf(second, 'third', life.now)), { kind: 'end', sign: 'second-holder' })
})

t.test('a rival that is a confirmed predecessor takes over with a renewal of its own', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  life.later(LATE).show(second)
  t.match(life.show(first), { kind: 'enter', isFork: true }, 'the jar of a killed browser, minutes later')
  t.match(life.later(LATE).show(first), { kind: 'enter', isRenewable: true })
  t.match(life.record, { secretHash: first.secretHash, generation: 0, tip: null })
  t.match(life.show(second), { kind: 'end', sign: 'second-holder' })
})

t.test('a late request with the id before a confirmed one is served, and teaches nothing', async (t) => {
  const { life } = renewed({ isConfirmed: true })
  t.match(life.later(LATE - CONFIRMATION - 1).show(first), { kind: 'enter', change: undefined, isRenewable: false })
  t.match(life.later(1).show(first), { kind: 'enter', isFork: true }, 'the window is over')
})

t.test('an id of the same generation that was issued to an unknown id counts as far behind', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  const stranger: Id = { ...second, secretHash: hashOf('of another line'), parent: parentOf(hashOf('unknown')) }
  t.match(life.show(stranger), { kind: 'refuse' })
})

t.test('an id in use that is shown beside a rival teaches the record nothing while the window is open', async (t) => {
  const life = new Life()
  t.match(life.show({ ...first, secretHash: hashOf('sibling') }), { kind: 'enter' })
  t.match(life.show(first), { kind: 'enter', change: undefined, isRenewable: true })
  const later = renewed({ isConfirmed: true })
  later.life.show(renewalOf(first, 'sibling', later.life.now))
  t.match(later.life.show(later.second, { isShowNoted: true }), { kind: 'enter', change: undefined })
})

t.test('the first show of the id in use after the window is noted, and no other', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  life.show(renewalOf(first, 'sibling', life.now))
  t.match(life.later(LATE).show(second), { kind: 'enter', change: { headAt: life.now } })
  t.match(life.later(1).show(second), { kind: 'enter', change: undefined })
})

t.test(
  'an id that came back opens nothing for another client, once the window of that client has closed',
  async (t) => {
    const inTime = renewed({ isConfirmed: false })
    inTime.life.later(5_000).show(first)
    t.match(inTime.life.later(1).show(inTime.second), { kind: 'enter', change: undefined }, 'both are in use')
    t.match(inTime.life.later(GRACE - 2).show(first, { isTied: false }), { kind: 'enter' })
    const { life, second } = renewed({ isConfirmed: false })
    life.later(5_000).show(first)
    t.match(life.later(GRACE).show(second), { kind: 'enter', change: { headAt: life.now } })
    t.match(life.later(1).show(first, { isTied: false }), { kind: 'end', sign: 'second-holder' })
  },
)

t.test('a rival that is in use after the window leaves the other rivals as they are', async (t) => {
  const { life, second } = renewed({ isConfirmed: false })
  const [left, right] = [renewalOf(first, 'left', life.now), renewalOf(first, 'right', life.now)]
  life.show(left)
  life.show(right)
  t.match(life.later(LATE).show(left), { kind: 'enter' })
  t.strictSame(rivalsOf(life), [right.secretHash, second.secretHash])
})

t.test('an id that loses twice takes one place among the rivals', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  const third = renewalOf(second, 'third', life.later(15 * MINUTE).now)
  life.show(third)
  const sibling = renewalOf(first, 'sibling', second.issuedAt)
  t.match(life.show(sibling), { kind: 'enter' })
  t.match(life.show(second), { kind: 'enter', isFork: true })
  t.match(life.later(LATE).show(sibling), { kind: 'enter', isRenewable: true })
  t.strictSame(rivalsOf(life), [third.secretHash, second.secretHash])
})

t.test('an id in use that is its own rival stays in use, and is no rival after it', async (t) => {
  const life = new Life()
  life.record = { ...life.record, rivals: [{ secretHash: first.secretHash, since: START, isTied: true }] }
  t.match(life.later(LATE).show(first), { kind: 'enter', isRenewable: true })
  t.match(life.record, { secretHash: first.secretHash, tip: null, headAt: life.now })
  t.strictSame(rivalsOf(life), [])
})

t.test('a copied value alone is served for 30 seconds, then it ends the session', async (t) => {
  const stranger = { isTied: false }
  const { life } = renewed({ isConfirmed: false })
  const served = { kind: 'enter', change: undefined, isFork: false, isRenewable: false } as const
  t.strictSame(life.later(GRACE - 1).show(first, stranger), served)
  t.match(life.later(1).show(first, stranger), { kind: 'end', sign: 'replaced' })
  const later = renewed({ isConfirmed: true })
  t.match(later.life.show(first, stranger), { kind: 'end', sign: 'replaced' })
})

t.test('a sibling by a client that the login does not know is served for five minutes', async (t) => {
  const stranger = { isTied: false }
  const { life } = renewed({ isConfirmed: false })
  const sibling = renewalOf(first, 'sibling', life.now - 1)
  t.match(life.later(MAX_SIBLING_AGE - 1).show(sibling, stranger), { kind: 'enter' })
  const other = renewalOf(first, 'other', life.now - MAX_SIBLING_AGE - 1)
  t.match(life.show(other, stranger), { kind: 'end', sign: 'sibling' })
})

t.test('a sibling that turns up after another was confirmed may be a response that stalled', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  const sibling = renewalOf(first, 'sibling', second.issuedAt)
  t.match(life.show(sibling, { isTied: false }), { kind: 'end', sign: 'sibling' })
  t.match(life.show(sibling), { kind: 'enter', isFork: false })
  t.match(life.later(LATE).show(second), { kind: 'enter' })
  t.match(life.show(sibling), { kind: 'end', sign: 'second-holder' })
})

t.test('an id far behind ends the session while it is in use, and is refused when it is not', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  const third = renewalOf(second, 'third', life.later(15 * MINUTE).now)
  life.show(third)
  life.later(CONFIRMATION).show(third)
  life.record = { ...life.record, lastSeenAt: life.now }
  t.match(life.show(first), { kind: 'end', sign: 'older' })
  life.later(RECENT_USE)
  t.match(life.show(first), { kind: 'refuse' }, 'a jar restored from a backup')
  t.match(life.show(first, { isTied: false }), { kind: 'end', sign: 'older' })
})

t.test('of two ids side by side one without the look of the login shortens the window', async (t) => {
  const { life, second } = renewed({ isConfirmed: false })
  const sibling = renewalOf(first, 'sibling', life.now)
  t.match(life.show(sibling, { isTied: false }), { kind: 'enter' })
  t.match(life.later(GRACE).show(second), { kind: 'enter' })
  t.match(life.show(sibling, { isTied: false }), { kind: 'end', sign: 'second-holder' })
})

t.test('a thief without the look of the login who confirms an id loses it to its owner', async (t) => {
  const life = new Life().later(15 * MINUTE)
  const stolen = renewalOf(first, 'stolen', life.now)
  life.show(stolen, { isTied: false })
  life.later(CONFIRMATION).show(stolen, { isTied: false })
  t.equal(life.record.isTied, false)
  t.match(life.later(LATE).show(first), { kind: 'enter', isFork: true })
  t.match(life.later(GRACE).show(first), { kind: 'enter' })
  t.match(life.show(stolen, { isTied: false }), { kind: 'end', sign: 'second-holder' })
})

t.test('an id that is newer than the record heals a record that a failover set back', async (t) => {
  const { life, second } = renewed({ isConfirmed: true })
  const third = renewalOf(second, 'third', life.later(15 * MINUTE).now)
  life.record = newRecord(life.record.handle, first.secretHash, '{}', START, lifetimesOf({}))
  t.match(life.show(third), { kind: 'enter' })
  t.match(life.record, { secretHash: third.secretHash, generation: 2, tip: null })
})

t.test('a record remembers no more rivals than it may', async (t) => {
  const { life } = renewed({ isConfirmed: false })
  for (let count = 0; count < 3 * MAX_RIVALS; count += 1) life.show(renewalOf(first, `rival ${count}`, life.now))
  t.equal(life.record.rivals.length, MAX_RIVALS)
})

t.test(
  'the proof of the device decides on an id of the present login of a bound session, and on no other',
  async (t) => {
    const life = new Life().later(15 * MINUTE)
    const second = renewalOf(first, 'second', life.now)
    const judgeWith = (id: Id, evidence: Evidence): Verdict =>
      judge(life.record, { id, isTied: () => true, isShowNoted: false, evidenceFor: () => evidence }, life.now)

    const { secretHash } = second
    const entered = { kind: 'enter', change: { tip: { secretHash } } }
    t.match(judgeWith(second, 'missing'), entered, 'a session without a key asks for no proof')
    life.record = { ...life.record, deviceKey: 'the key of a device' }
    t.strictSame(judgeWith(first, 'missing'), { kind: 'unproven', lack: 'missing' })
    t.match(judgeWith(second, 'proven'), { kind: 'enter', isRenewable: false })
    t.match(
      judgeWith(first, 'unbound'),
      { kind: 'enter', isRenewable: true },
      'judged like an id of an unbound session',
    )
    life.record = rotated(life.record, hashOf('login'), life.now)
    life.record = { ...life.record, deviceKey: 'the key of a device' }
    t.match(judgeWith(first, 'proven'), { kind: 'superseded' })
  },
)

t.test('a rotation forgets every id, tip and rival, without grace', async (t) => {
  const { life, second } = renewed({ isConfirmed: false })
  life.show(first)
  const fresh = rotated(life.record, hashOf('login'), life.now)
  t.match(fresh, { epoch: 1, generation: 0, parent: '', tip: null, handle: life.record.handle })
  t.strictSame(fresh.rivals, [])
  life.record = fresh
  for (const id of [first, second]) t.match(life.show(id), { kind: 'superseded' })
})

t.test('an id before the confirmed one that comes late is not judged by a rival of an earlier renewal', async (t) => {
  const { life, second } = renewed({ isConfirmed: false })
  t.match(life.later(1).show(first), { kind: 'enter', isFork: true })
  t.match(life.later(LATE).show(second), { kind: 'enter' }, 'the renewed id is in use')
  life.later(15 * MINUTE)
  const third = renewalOf(second, 'third', life.now)
  life.show(third)
  t.match(life.later(1).show(second), { kind: 'enter' }, 'late, before the third is confirmed')
  t.match(life.later(CONFIRMATION).show(third), { kind: 'enter', isRenewable: true })
  t.match(life.later(1).show(second), { kind: 'enter' }, 'late, after it')
})
