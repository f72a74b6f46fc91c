import * as fc from 'fast-check'
import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import type { Lineage, MintedSecret, PresentedId } from '../../lib/session/id.ts'
import { beginAt, expiredBy, isRenewalDue, isTouchDue, seenAt } from '../../lib/session/lifetime.ts'
import { authenticated, newRecord } from '../../lib/session/record.ts'
import type { Presentation } from '../../lib/session/verdict.ts'
import { judge } from '../../lib/session/verdict.ts'
import type { Work } from '../../lib/session/next-record.ts'
import { isUpkeepDue, nextRecord } from '../../lib/session/next-record.ts'
import type { SecureSessionOptions, SessionRecord } from '../../types/index.ts'

const START = Date.UTC(2026, 0, 1)
const MINUTE = 60_000
const LIFETIMES = lifetimesOf({})

let count = 0
const minted = new Map<string, PresentedId>()
function mint(epoch: number, lineage: Lineage = { generation: 0, issuedAt: 0, parent: '' }): MintedSecret {
  count += 1
  const secretHash = hashOf(`secret-${count}`)
  minted.set(secretHash, { handle: '', secretHash, epoch, ...lineage })
  return { cookieValue: `secret-${count}`, secretHash }
}

/** Returns an id as a client of the login shows it. */
function shown(secretHash: string): Presentation {
  const id = minted.get(secretHash) ?? { secretHash, epoch: 0, generation: 0, issuedAt: 0, parent: '' }
  return { id, isTied: () => true, isShowNoted: false, evidenceFor: () => 'unbound' }
}

t.test('the idle deadline and the absolute deadline begin with the session', async (t) => {
  t.same(beginAt(START, false, LIFETIMES), {
    lastSeenAt: START,
    idleDeadline: START + 30 * MINUTE,
    absoluteDeadline: START + 720 * MINUTE,
  })
  const remembered = beginAt(START, true, LIFETIMES)
  t.equal(remembered.absoluteDeadline, START + LIFETIMES.rememberTimeout)
  t.equal(remembered.idleDeadline, remembered.absoluteDeadline, 'a remembered session may lie idle')
})

t.test('use moves the idle deadline, never past the absolute one', async (t) => {
  const absoluteDeadline = START + 100 * MINUTE
  t.equal(seenAt(START, { remember: false, absoluteDeadline }, LIFETIMES).idleDeadline, START + 30 * MINUTE)
  t.equal(seenAt(START + 90 * MINUTE, { remember: false, absoluteDeadline }, LIFETIMES).idleDeadline, absoluteDeadline)
})

t.test('at the very instant of a deadline the session is over', async (t) => {
  const record = { lastSeenAt: START, idleDeadline: START + 10, absoluteDeadline: START + 20 }
  t.equal(expiredBy(record, START + 9), undefined)
  t.equal(expiredBy(record, START + 10), 'idle')
  t.equal(expiredBy(record, START + 19), 'idle')
  t.equal(expiredBy(record, START + 20), 'absolute')
})

t.test('a touch is due after a twentieth of the idle timeout', async (t) => {
  const record = { lastSeenAt: START, idleDeadline: Infinity, absoluteDeadline: Infinity }
  t.notOk(isTouchDue(record, START + 1.5 * MINUTE - 1, LIFETIMES))
  t.ok(isTouchDue(record, START + 1.5 * MINUTE, LIFETIMES))
})

t.test('a renewal is due by age, and zero turns it off', async (t) => {
  const record = newRecord(newHandle(), hashOf('a'), '{}', START, LIFETIMES)
  t.notOk(isRenewalDue(record, START + 15 * MINUTE - 1, 15 * MINUTE))
  t.ok(isRenewalDue(record, START + 15 * MINUTE, 15 * MINUTE))
  t.notOk(isRenewalDue(record, START + 1000 * MINUTE, 0))
})

const SOME_LIFETIMES: fc.Arbitrary<Pick<SecureSessionOptions, 'assurance' | 'idleTimeout' | 'absoluteTimeout'>> =
  fc.oneof(
    fc.constantFrom('aal1' as const, 'aal2' as const, 'aal3' as const).map((assurance) => ({ assurance })),
    fc.record({
      idleTimeout: fc.integer({ min: 1, max: 120 }).map((minutes) => `${BigInt(minutes)}m` as const),
      absoluteTimeout: fc.integer({ min: 120, max: 600 }).map((minutes) => `${BigInt(minutes)}m` as const),
    }),
    fc.constant({}),
  )

type Step = {
  wait: number
  does: 'read' | 'touch' | 'write' | 'rotate' | 'check' | 'login'
  remember: boolean
  isNewest: boolean
  isPassive: boolean
}

const STEP: fc.Arbitrary<Step> = fc.record({
  wait: fc.oneof(fc.integer({ min: 0, max: 5 * MINUTE }), fc.integer({ min: 0, max: 24 * 60 * MINUTE })),
  does: fc.constantFrom('read', 'read', 'touch', 'write', 'rotate', 'check', 'login'),
  remember: fc.boolean(),
  /** Tells whether the client comes with the newest secret that it was given, or lost that response. */
  isNewest: fc.boolean(),
  isPassive: fc.boolean(),
})

function workOf(step: Step, presented: Presentation, now: number): Work {
  const identity = {
    userId: 'ann',
    user: '{"id":"ann"}',
    authHash: null,
    authCheckedAt: now,
    remember: step.remember,
    device: null,
  }
  return {
    edit: { from: '{}', to: step.does === 'write' ? `{"n":${now}}` : '{}', isWhole: false },
    rotation:
      step.does === 'login'
        ? { reason: 'login', identity }
        : step.does === 'rotate'
          ? { reason: 'regenerate' }
          : undefined,
    presented,
    checked:
      step.does === 'check' ? { from: '{"id":"ann"}', user: '{"id":"ann","n":1}', at: now, authHash: null } : undefined,
    user: undefined,
    isTouched: step.does === 'touch',
    isPassive: step.isPassive,
    carrier: step.isPassive ? 'none' : 'reply',
    now,
  }
}

t.test('no request is served after either deadline, whatever the order of touch, renew, save and login', async (t) => {
  fc.assert(
    fc.property(
      SOME_LIFETIMES,
      fc.boolean(),
      fc.array(STEP, { minLength: 1, maxLength: 40 }),
      (options, remember, steps) => {
        const lifetimes = lifetimesOf(options)
        let now = START
        let record: SessionRecord = authenticated(
          newRecord(newHandle(), hashOf('first'), '{}', now, lifetimes),
          { userId: 'ann', user: '{"id":"ann"}', authHash: null, authCheckedAt: now, remember, device: null },
          now,
          lifetimes,
        )
        // The true deadlines, kept by hand and with no regard for what is stored.
        let lastUse = now
        let end = now + (remember ? lifetimes.rememberTimeout : lifetimes.absoluteTimeout)
        let isRemembered = remember
        let older = 'first'
        let newest = 'first'
        for (const step of steps) {
          now += step.wait
          const idleEnd = isRemembered ? end : lastUse + lifetimes.idleTimeout
          const isServed = expiredBy(record, now) === undefined
          if (isServed && (now >= idleEnd || now >= end)) return false
          if (record.idleDeadline > Math.min(idleEnd, end) || record.absoluteDeadline > end) return false
          if (!isServed) return true
          const presented = shown(hashOf(step.isNewest ? newest : older))
          const verdict = judge(record, presented, now)
          if (verdict.kind !== 'enter') continue
          if (!step.isPassive || step.does === 'login') lastUse = now
          const before = record
          const next = nextRecord(record, workOf(step, presented, now), lifetimes, mint)
          record = next.record
          if (step.does === 'login') {
            end = now + (step.remember ? lifetimes.rememberTimeout : lifetimes.absoluteTimeout)
            isRemembered = step.remember
          }
          if (next.minted !== undefined) {
            older = step.does === 'login' || step.does === 'rotate' ? next.minted.cookieValue : newest
            newest = next.minted.cookieValue
          }
          if (record.version - before.version !== (next.kind === 'update' ? 1 : 0)) return false
          if (record.rivals.length > 4 || record.createdAt !== START) return false
          if (step.does !== 'login' && record.authenticatedAt !== before.authenticatedAt) return false
          if (step.isPassive && step.does !== 'login' && record.idleDeadline !== before.idleDeadline) return false
          const isDue = isUpkeepDue(before, verdict, { ...lifetimes, clock: () => now }, step)
          if (step.does === 'read' && !isDue && (next.kind !== 'same' || next.minted !== undefined)) return false
        }
        return true
      },
    ),
    { numRuns: 2000 },
  )
  t.pass()
})

t.test('an unused session lives no shorter than its idle timeout less a twentieth', async (t) => {
  fc.assert(
    fc.property(
      SOME_LIFETIMES,
      fc.array(fc.integer({ min: 0, max: 2 * MINUTE }), { maxLength: 60 }),
      (options, waits) => {
        const lifetimes = lifetimesOf(options)
        let now = START
        let record = newRecord(newHandle(), hashOf('first'), '{}', now, lifetimes)
        for (const wait of waits) {
          now += wait
          if (expiredBy(record, now) !== undefined) {
            return now - START >= lifetimes.absoluteTimeout || wait >= lifetimes.idleTimeout * 0.95
          }
          record = nextRecord(
            record,
            workOf(
              { wait, does: 'read', remember: false, isNewest: true, isPassive: false },
              shown(record.secretHash),
              now,
            ),
            { ...lifetimes, renewalTimeout: 0 },
            mint,
          ).record
          const left = record.idleDeadline - now
          if (left < Math.min(lifetimes.idleTimeout * 0.95, record.absoluteDeadline - now)) return false
        }
        return true
      },
    ),
    { numRuns: 500 },
  )
  t.pass()
})
