import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { RequestSignal, signalOf } from '../../lib/session/session-signal.ts'
import type { Guest, Watch } from '../../lib/session/watch.ts'
import type { SessionRecord } from '../../types/index.ts'
import { NOW, ownedBy, recordAt } from './records.ts'

/** A watch that a test speaks for. */
class TestWatch implements Watch {
  readonly opened: { readonly record: SessionRecord; readonly guest: Guest; readonly isAsked: boolean | undefined }[] =
    []
  readonly guests = new Set<Guest>()

  open(record: SessionRecord, guest: Guest, isAsked?: boolean): () => void {
    this.opened.push({ record, guest, isAsked })
    this.guests.add(guest)
    return () => void this.guests.delete(guest)
  }

  async looked(): Promise<void> {}

  /** Asks whether each guest is still there, as a look does. */
  look(): boolean[] {
    return [...this.guests].map((guest) => guest.isThere?.() === true)
  }
}

const record = recordAt(NOW, ownedBy('ann'))

setFlagsFromString('--expose-gc')
const gc = runInNewContext('gc') as () => void

/** Lets the engine of JavaScript collect what nobody holds. */
async function collectGarbage(): Promise<void> {
  for (let round = 0; round < 5; round += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    gc()
  }
}

t.test('a signal aborts with its session, and the reason tells why', async (t) => {
  const watch = new TestWatch()
  const { signal, release } = signalOf(watch, record)
  t.strictSame(
    watch.opened.map(({ record: watched, isAsked }) => [watched, isAsked]),
    [[record, false]],
    'the next look is early enough',
  )
  signalOf(watch, record, true)
  t.equal(watch.opened[1]?.isAsked, true)
  t.equal(signal.aborted, false)
  t.equal(watch.opened[0]?.guest.isThere?.(), true)
  watch.opened[0]?.guest.end('evicted')
  t.equal(signal.aborted, true)
  t.match(signal.reason, { code: 'SESSION_CLOSED', detail: 'evicted' })
  release()
  t.equal(watch.guests.size, 1)
})

t.test('a signal that nobody holds is kept while somebody listens, and no longer', async (t) => {
  const watch = new TestWatch()
  const heard: string[] = []
  const listen = (): void => void heard.push('aborted')
  const open = (isHeard: boolean): WeakRef<AbortSignal> => {
    const { signal } = signalOf(watch, record)
    if (isHeard) signal.addEventListener('abort', listen)
    return new WeakRef(signal)
  }
  const [heardSignal, unheardSignal] = [open(true), open(false)]
  await collectGarbage()
  t.ok(heardSignal.deref() && unheardSignal.deref(), 'nobody has looked yet, and somebody may listen')
  await collectGarbage()
  t.strictSame(watch.look(), [true, true])
  await collectGarbage()
  t.ok(heardSignal.deref())
  t.equal(unheardSignal.deref(), undefined)
  t.strictSame(watch.look(), [true, false])
  watch.opened[1]?.guest.end('logout')
  heardSignal.deref()?.removeEventListener('abort', listen)
  await collectGarbage()
  t.strictSame(watch.look(), [true, false], 'until the next look')
  await collectGarbage()
  t.equal(heardSignal.deref(), undefined)
  t.strictSame(watch.look(), [false, false])
})

t.test('a listener that comes after a look is heard, as long as a look comes in time', async (t) => {
  const watch = new TestWatch()
  const heard: string[] = []
  const open = (): { hold?: AbortSignal } => ({ hold: signalOf(watch, record).signal })
  const app = open()
  watch.look()
  app.hold?.addEventListener('abort', () => void heard.push('aborted'))
  watch.look()
  delete app.hold
  await collectGarbage()
  watch.opened[0]?.guest.end('logout')
  t.strictSame(heard, ['aborted'])
})

t.test('a signal that has ended, or that was released, is kept no longer', async (t) => {
  const watch = new TestWatch()
  const open = (isReleased: boolean): WeakRef<AbortSignal> => {
    const { signal, release } = signalOf(watch, record)
    signal.addEventListener('abort', () => undefined)
    if (isReleased) release()
    else watch.opened.at(-1)?.guest.end('logout')
    return new WeakRef(signal)
  }
  const signals = [open(true), open(false)]
  t.equal(watch.guests.size, 1)
  await collectGarbage()
  t.strictSame(
    signals.map((signal) => signal.deref()),
    [undefined, undefined],
  )
})

t.test('one request has one signal while it lives, and follows the session of its record', async (t) => {
  const watch = new TestWatch()
  const request = new RequestSignal(watch)
  request.watch(record)
  t.strictSame(watch.opened, [], 'nobody has asked for a signal')
  const signal = request.of(record)
  t.equal(request.of(record), signal)
  request.watch(record)
  t.equal(watch.opened.length, 1)
  t.equal(watch.opened[0]?.record, record)
  watch.opened[0]?.guest.end('logout')
  t.equal(signal.aborted, true)
  const next = request.of(record)
  t.not(next, signal)
  t.equal(next.aborted, false)
  t.equal(watch.opened.length, 2)
})

t.test('a signal from before the session has a record follows the record that the request writes', async (t) => {
  const watch = new TestWatch()
  const request = new RequestSignal(watch)
  const signal = request.of(undefined)
  request.watch(undefined)
  t.strictSame(watch.opened, [])
  t.equal(request.of(undefined), signal)
  request.watch(record)
  t.equal(watch.opened[0]?.record, record)
  request.watch(recordAt(NOW, ownedBy('bob')))
  t.equal(watch.opened.length, 1, 'the first record is that of the session')
  watch.opened[0]?.guest.end('switched')
  t.match(signal.reason, { code: 'SESSION_CLOSED', detail: 'switched' })
})
