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

t.test('a session that began at the instant of the cutoff passes, and one that began before it does not', async (t) => {
  const store = memoryStore()
  const instant = Date.now()
  const at = recordAt(instant, { authenticatedAt: instant })
  const before = recordAt(instant, { authenticatedAt: instant - 1 })
  const timed = new TimedStore(store, 1000, new SessionEvents(LOG, Date.now), undefined)
  const gate = new CutoffGate(timed)
  t.teardown(() => gate.stop())
  t.equal(await gate.raise(instant), instant)
  t.equal(await gate.pass(at), at)
  t.equal(await gate.pass(before), undefined)
  t.equal(await gate.pass(undefined), undefined)
  t.strictSame([gate.passesNow(at), gate.passesNow(before)], [true, false])
  t.strictSame([gate.isCutOff(instant), gate.isCutOff(instant - 1)], [false, true])
  t.strictSame([(await gate.admit(at)).sparedAt, (await gate.admit(before)).sparedAt], [at.sparedAt, instant])
})

t.test(
  'a session that began after the cutoff is marked when its beginning is moved back before the cutoff',
  async (t) => {
    const store = memoryStore()
    const now = Date.now()
    const timed = new TimedStore(store, 1000, new SessionEvents(LOG, Date.now), undefined)
    const gate = new CutoffGate(timed)
    t.teardown(() => gate.stop())
    const cutoff = now + 30_000
    await gate.raise(cutoff)
    const sparedAt = async (began: number, clock = now): Promise<number | undefined> => {
      const before = recordAt(began, { authenticatedAt: began })
      const back = recordAt(clock, { authenticatedAt: clock })
      return (await gate.moved(back, before, clock)).sparedAt
    }
    t.equal(await sparedAt(cutoff - 1), undefined, 'the cutoff has ended it')
    t.equal(await sparedAt(cutoff), cutoff)
    t.equal(await sparedAt(now + 150_000), cutoff, 'the clock of another server')
    t.equal(await sparedAt(now + 150_001), undefined, 'it may be from before the cutoff')
    t.equal(await sparedAt(now + 150_001, now - 1), cutoff, 'the clock was set back since the cutoff')
    t.equal(await sparedAt(cutoff + 1, cutoff), undefined, 'it begins after the cutoff now, too')
  },
)

t.test('a store without a cutoff lets every session pass', async (t) => {
  const gate = new CutoffGate(
    new TimedStore(coreOnly(memoryStore()), 1000, new SessionEvents(LOG, Date.now), undefined),
  )
  t.teardown(() => gate.stop())
  const record = recordAt(0, { authenticatedAt: 0, createdAt: 0 })
  t.equal(await gate.current(), 0)
  t.equal(await gate.pass(record), record)
  t.equal(await gate.raise(Date.now()), 0)
})

t.test('a cutoff that cannot be read rejects nothing behind the back of a request without a session', async (t) => {
  const unheard: unknown[] = []
  const hear = (reason: unknown): void => void unheard.push(reason)
  process.on('unhandledRejection', hear)
  t.teardown(() => process.off('unhandledRejection', hear))
  const store = { ...coreOnly(memoryStore()), readCutoff: () => Promise.reject(new Error('connection refused')) }
  const gate = new CutoffGate(new TimedStore(store, 1000, new SessionEvents(LOG, Date.now), undefined))
  t.teardown(() => gate.stop())
  t.equal(await gate.pass(Promise.resolve(undefined)), undefined)
  await new Promise((resolve) => setImmediate(resolve))
  t.strictSame(unheard, [])
})

t.test('an event names the operation when the cutoff cannot be raised', async (t) => {
  const store = { ...coreOnly(memoryStore()), raiseCutoff: () => Promise.reject(new Error('connection refused')) }
  const events = new SessionEvents(LOG, Date.now)
  const heard: unknown[] = []
  events.emitter.on('event', (event) => void heard.push(event))
  const gate = new CutoffGate(new TimedStore(store, 1000, events, undefined))
  t.teardown(() => gate.stop())
  await t.rejects(gate.raise(Date.now()), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.match(heard, [{ type: 'store-failure', operation: 'raiseCutoff' }])
})

t.test('where a store answers at once, a cutoff that another app raised is obeyed at once', async (t) => {
  const store = memoryStore()
  const gate = new CutoffGate(new TimedStore(store, 1000, new SessionEvents(LOG, Date.now), undefined))
  t.teardown(() => gate.stop())
  t.equal(gate.current(), 0)
  await store.raiseCutoff(70)
  t.equal(gate.current(), 70)
})
