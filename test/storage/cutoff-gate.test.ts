import t from 'tap'
import { SessionEvents } from '../../lib/events.ts'
import { memoryStore } from '../../lib/index.ts'
import { CutoffGate } from '../../lib/storage/cutoff-gate.ts'
import { TimedStore } from '../../lib/storage/timed-store.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import { coreOnly } from '../plugin/stores.ts'

const LOG = { debug: () => undefined, info: () => undefined, warn: () => undefined, error: () => undefined }

t.test('a cached record is used only while the cutoff is known, and only if it began after the cutoff', async (t) => {
  const inner = memoryStore()
  let isAway = true
  const store = {
    ...coreOnly(inner),
    raiseCutoff: (instant: number) => inner.raiseCutoff(instant),
    readCutoff: () => (isAway ? Promise.reject(new Error('connection refused')) : inner.readCutoff()),
  }
  const gate = new CutoffGate(new TimedStore(store, 1000, new SessionEvents(LOG, Date.now), undefined))
  t.teardown(() => gate.stop())
  const record = recordAt(Date.now())
  t.equal(gate.passesNow(record), false, 'nobody has asked the store yet')
  await t.rejects(async () => void (await gate.current()), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.equal(gate.passesNow(record), false, 'the store does not answer')
  isAway = false
  // A question that failed is over in the next turn.
  await new Promise((resolve) => setImmediate(resolve))
  t.equal(await gate.current(), 0)
  t.equal(gate.passesNow(record), true)
  await gate.raise(Date.now() + 1)
  t.equal(gate.passesNow(record), false)
})
