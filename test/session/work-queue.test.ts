import { setFlagsFromString } from 'node:v8'
import { runInNewContext } from 'node:vm'
import t from 'tap'
import { WorkQueue } from '../../lib/session/work-queue.ts'

t.test('a failure of work is unseen until somebody observes its promise', async (t) => {
  const queue = new WorkQueue()
  const failure = new Error('away')
  const given = queue.offer(() => Promise.reject(failure))
  await new Promise((resolve) => setImmediate(resolve))
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
  for (let turn = 0; turn < 5; turn += 1) {
    await new Promise((resolve) => setImmediate(resolve))
    collectGarbage()
  }
  t.equal(given.deref(), undefined)
  t.equal(queue.unseenFailure, undefined)
})

t.test('work runs one at a time, in the order in which it was started', async (t) => {
  const queue = new WorkQueue()
  const seen: string[] = []
  const first = queue.run(async () => {
    seen.push('first starts')
    await new Promise((resolve) => setImmediate(resolve))
    seen.push('first ends')
  })
  const second = queue.run(async () => void seen.push('second'))
  t.same(seen, ['first starts'], 'work starts at once if none is ahead')
  await Promise.all([first, second])
  t.same(seen, ['first starts', 'first ends', 'second'])
})
