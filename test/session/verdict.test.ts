import t from 'tap'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import { GRACE } from '../../lib/session/lifetime.ts'
import { newRecord, promoted, rotated, withSuccessor } from '../../lib/session/record.ts'
import { matchSecret } from '../../lib/session/verdict.ts'
import { lifetimesOf } from '../../lib/options.ts'

const START = Date.UTC(2026, 0, 1)
const first = newRecord(newHandle(), hashOf('first'), '{}', START, lifetimesOf({}))
const renewed = withSuccessor(first, hashOf('second'), START)
const repeated = withSuccessor(renewed, hashOf('third'), START + GRACE)

t.test('the secret in force is current, one nobody handed out is stale', async (t) => {
  t.equal(matchSecret(first, hashOf('first'), START), 'current')
  t.equal(matchSecret(first, hashOf('other'), START), 'stale')
  t.equal(matchSecret(first, '', START), 'stale')
})

t.test('until a successor has been seen, the old secret is the current one', async (t) => {
  t.equal(matchSecret(renewed, hashOf('first'), START + 1_000_000), 'current')
  t.equal(matchSecret(renewed, hashOf('second'), START), 'successor')
  t.equal(matchSecret(repeated, hashOf('second'), START), 'successor')
  t.equal(matchSecret(repeated, hashOf('third'), START), 'successor')
})

t.test('at most two successors are remembered', async (t) => {
  const thrice = withSuccessor(repeated, hashOf('fourth'), START + 2 * GRACE)
  t.equal(thrice.successors.length, 2)
  t.equal(matchSecret(thrice, hashOf('second'), START), 'stale')
  t.equal(matchSecret(thrice, hashOf('fourth'), START), 'successor')
})

t.test('once a successor is seen, the others are good for a grace, and a sign of a copy after it', async (t) => {
  const now = START + 10_000
  const seen = promoted(repeated, hashOf('third'), now, GRACE)
  t.equal(matchSecret(seen, hashOf('third'), now), 'current')
  for (const old of ['first', 'second']) {
    t.equal(matchSecret(seen, hashOf(old), now + GRACE - 1), 'previous')
    t.equal(matchSecret(seen, hashOf(old), now + GRACE), 'replayed')
  }
  t.equal(seen.rotatedAt, START + GRACE, 'its age counts from when it was handed out')
  t.same(seen.successors, [])
})

t.test('a rotation leaves no grace to anything', async (t) => {
  const fresh = rotated(promoted(repeated, hashOf('third'), START, GRACE), hashOf('login'), START)
  for (const old of ['first', 'second', 'third']) t.equal(matchSecret(fresh, hashOf(old), START), 'stale')
  t.equal(matchSecret(fresh, hashOf('login'), START), 'current')
  t.equal(fresh.epoch, first.epoch + 1)
  t.equal(fresh.handle, first.handle)
})
