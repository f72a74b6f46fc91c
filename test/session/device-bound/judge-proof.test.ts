import t from 'tap'
import { newBinding, withBindingShown, writeBinding } from '../../../lib/session/device-bound/binding.ts'
import { judgeByProof, learnedByProof } from '../../../lib/session/device-bound/judge-proof.ts'
import { hashOf, newHandle } from '../../../lib/session/id.ts'
import { NOW, recordAt } from '../records.ts'

const fresh = writeBinding(newBinding({ x: 'x'.repeat(43), y: 'y'.repeat(43) }))
const shown = withBindingShown(fresh)
const serve = { kind: 'enter', change: undefined, isFork: false, isRenewable: false }

t.test(
  'without a valid bound cookie the session stays closed, and the verdict names the fault of the cookie',
  async (t) => {
    for (const deviceKey of [fresh, shown]) {
      for (const lack of ['missing', 'expired', 'forged'] as const) {
        t.strictSame(judgeByProof(recordAt(NOW, { deviceKey }), lack, NOW), { kind: 'unproven', lack })
      }
    }
  },
)

t.test(
  'the first bound cookie that comes back makes the binding count, and the ids after it change nothing',
  async (t) => {
    const enter = { kind: 'enter', isFork: false, isRenewable: false }
    const first = judgeByProof(recordAt(NOW, { deviceKey: fresh, shownAt: 0 }), 'proven', NOW)
    t.strictSame(first, { ...enter, change: { deviceKey: shown, shownAt: NOW } })
    for (const shownAt of [1, NOW - 5]) {
      const known = judgeByProof(recordAt(NOW, { deviceKey: fresh, shownAt }), 'proven', NOW)
      t.strictSame(known, { ...enter, change: { deviceKey: shown, shownAt } }, 'an id that came before came then')
    }
    t.strictSame(judgeByProof(recordAt(NOW, { deviceKey: shown, shownAt: 0 }), 'proven', NOW), serve)
    t.strictSame(judgeByProof(recordAt(NOW, { deviceKey: null }), 'proven', NOW), serve)
  },
)

t.test('a proof makes its id the one in use, and removes every suspicion of a copy', async (t) => {
  const clean = { isTied: true, tip: null, rivals: [], headAt: NOW }
  const record = recordAt(NOW, { isTied: false })
  const { secretHash, rotatedAt, generation, parent, shownAt } = record
  const own = {
    handle: record.handle,
    epoch: record.epoch,
    secretHash,
    generation: 9,
    issuedAt: 1_000,
    parent: 'other',
  }
  t.strictSame(learnedByProof(record, own, NOW), { secretHash, rotatedAt, generation, parent, shownAt, ...clean })
  for (const before of [0, 1]) {
    const change = learnedByProof({ ...record, shownAt: before }, own, NOW)
    t.equal(change.shownAt, before === 0 ? NOW : before)
  }
  const other = { ...own, secretHash: hashOf(newHandle()) }
  t.strictSame(learnedByProof(record, other, NOW), {
    ...{ secretHash: other.secretHash, rotatedAt: 1_000, generation: 9, parent: 'other', shownAt: NOW },
    ...clean,
  })
})
