import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { observed, WorkQueue } from '../../lib/session/work-queue.ts'
import { door } from '../support/gate-store.ts'
import { expectNoUnhandled } from '../support/outage.ts'

/** Resolves in the next turn of the event loop. */
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

t.test('a failure of work is unseen until somebody observes its promise', async (t) => {
  const queue = new WorkQueue()
  const failure = new Error('away')
  const given = queue.offer(() => Promise.reject(failure))
  await turn()
  t.equal(queue.unseenFailure, failure)
  t.ok(queue.isBusy)
  await t.rejects(given, failure)
  t.equal(queue.unseenFailure, undefined)
  t.notOk(queue.isBusy)
})

t.test('work that is done is forgotten', async (t) => {
  const queue = new WorkQueue()
  const given = new WeakRef(queue.observe(Promise.resolve()))
  setFlagsFromString('--expose-gc')
  const collectGarbage = runInNewContext('gc') as () => void
  for (let round = 0; round < 5; round += 1) {
    await turn()
    collectGarbage()
  }
  t.equal(given.deref(), undefined)
  t.equal(queue.unseenFailure, undefined)
})

t.test('work runs one at a time, in the order in which it was started', async (t) => {
  const queue = new WorkQueue()
  t.equal(queue.isRunning, false)
  const seen: string[] = []
  const first = queue.run(async () => {
    seen.push('first starts')
    await turn()
    seen.push('first ends')
  })
  const second = queue.run(async () => {
    await turn()
    seen.push('second')
  })
  const third = queue.run(async () => void seen.push('third'))
  t.same(seen, ['first starts'], 'work starts at once if none is ahead')
  await first
  t.strictSame([queue.isRunning, queue.isBusy], [true, true], 'others are still to come')
  await Promise.all([second, third])
  t.same(seen, ['first starts', 'first ends', 'second', 'third'])
  await turn()
  t.strictSame([queue.isRunning, queue.isBusy], [false, false])
  const fourth = queue.run(async () => void seen.push('fourth'))
  t.equal(seen.at(-1), 'fourth', 'and again at once')
  t.strictSame([queue.isRunning, queue.isBusy], [true, true])
  await fourth
})

t.test('work that fails does not hold up the work behind it', async (t) => {
  const queue = new WorkQueue()
  const first = queue.run(() => Promise.reject(new Error('away')))
  const second = queue.run(async () => undefined)
  await t.rejects(first, { message: 'away' })
  await second
  await turn()
  t.equal(queue.isRunning, false)
})

t.test('the first failure that nobody has observed is the one that counts', async (t) => {
  const queue = new WorkQueue()
  await queue.offer(async () => undefined)
  const failures = ['one', 'two'].map((text) => new Error(text))
  const [one, two] = failures.map((failure) => queue.offer(() => Promise.reject(failure)))
  await turn()
  t.equal(queue.unseenFailure, failures[0])
  await t.rejects(one as Promise<void>)
  t.equal(queue.unseenFailure, failures[1])
  const caught = two?.catch(() => 'caught')
  t.equal(caught?.constructor, Promise, 'what follows is a plain promise')
  t.equal(await caught, 'caught')
  t.strictSame([queue.unseenFailure, queue.isBusy], [undefined, false])
})

t.test('work beside the queue takes no turn, and the end of the request waits for it', async (t) => {
  const queue = new WorkQueue()
  await queue.settled()
  const app = door<string>()
  const beside = queue.offerBeside(() => app.opened)
  t.strictSame([queue.isRunning, queue.isBusy], [false, true])
  let isTaken = false
  await queue.run(async () => void (isTaken = true))
  t.ok(isTaken, 'the queue goes on')
  let isSettled = false
  const settled = queue.settled().then(() => (isSettled = true))
  await turn()
  t.equal(isSettled, false)
  const later = door<string>()
  const another = queue.offerBeside(() => later.opened)
  app.open('data')
  t.equal(await beside, 'data')
  await turn()
  t.equal(isSettled, false, 'work that came meanwhile counts too')
  later.open('more')
  await settled
  t.equal(await another, 'more')
  t.strictSame([queue.isRunning, queue.isBusy], [false, false])
})

t.test('work beside the queue that fails is unseen until somebody observes its promise', async (t) => {
  const queue = new WorkQueue()
  const given = queue.offerBeside(() => Promise.reject(new Error('away')))
  await queue.settled()
  t.match(queue.unseenFailure, { message: 'away' })
  t.equal(queue.isBusy, true)
  await t.rejects(given, { message: 'away' })
  t.equal(queue.isBusy, false)
})

t.test('failures that nobody has observed by the next turn are reported once, and forgotten', async (t) => {
  expectNoUnhandled(t)
  const queue = new WorkQueue()
  const reported: unknown[] = []
  const report = (error: unknown): void => void reported.push((error as Error).message)
  queue.reportUnseen(report)
  await turn()
  t.strictSame(reported, [], 'there is none yet')
  const seen = queue.offer(() => Promise.reject(new Error('seen')))
  void queue.offer(() => Promise.reject(new Error('first')))
  void queue.offer(() => turn().then(() => Promise.reject(new Error('second'))))
  queue.reportUnseen(report)
  await t.rejects(seen, { message: 'seen' })
  t.strictSame(reported, [])
  await turn()
  await turn()
  await turn()
  t.strictSame(reported, ['first', 'second'], 'the report waits for the last work')
  t.strictSame([queue.unseenFailure, queue.isBusy], [undefined, false])
  queue.reportUnseen(report)
  await turn()
  t.equal(reported.length, 2)
})

t.test('a failure outside of a queue is reported unless the app observes it by the next turn', async (t) => {
  expectNoUnhandled(t)
  const reported: unknown[] = []
  const report = (error: unknown): void => void reported.push((error as Error).message)
  const fail = (text: string): Promise<string> => observed(Promise.reject(new Error(text)), report)
  const seen = fail('seen')
  void fail('unseen')
  await t.rejects(seen, { message: 'seen' })
  const late = fail('late')
  await turn()
  await turn()
  t.strictSame(reported, ['unseen', 'late'])
  await t.rejects(late, { message: 'late' }, 'whoever asks later still hears of it')
  t.equal(await observed(Promise.resolve('done'), report), 'done')
  await turn()
  t.equal(reported.length, 2)
})
