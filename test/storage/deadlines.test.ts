import { mock } from 'node:test'
import type { Test } from 'tap'
import t from 'tap'
import { Deadlines } from '../../lib/storage/deadlines.ts'

/** Lets time pass as far as timers and `performance.now()` see it. */
function testTime(t: Test): (milliseconds: number) => void {
  mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const clock = mock.method(performance, 'now', () => now)
  t.teardown(() => {
    clock.mock.restore()
    mock.timers.reset()
  })
  return (milliseconds) => {
    now += milliseconds
    mock.timers.tick(milliseconds)
  }
}

t.test('a deadline that passed is noticed within a quarter of the limit', async (t) => {
  const pass = testTime(t)
  const deadlines = new Deadlines(1_000)
  let expired = 0
  pass(100)
  const deadline = deadlines.add(() => {
    expired += 1
    deadlines.remove(deadline)
  })
  for (let quarter = 0; quarter < 3; quarter += 1) pass(250)
  pass(249)
  t.equal(expired, 0, 'not before its time')
  pass(251)
  t.equal(expired, 1)
  t.notOk(deadlines.has(deadline))
})

t.test('work that ends in time is watched no more, and work that does not is refused', async (t) => {
  const pass = testTime(t)
  const deadlines = new Deadlines(1_000)
  t.equal(await deadlines.run(async () => 'done'), 'done')
  const failing = deadlines.run(() => Promise.reject(new Error('down')))
  await t.rejects(failing, { message: 'down' })
  const never = deadlines.run(() => new Promise(() => undefined))
  for (let quarter = 0; quarter < 5; quarter += 1) pass(250)
  await t.rejects(never, { message: 'no answer within 1000 ms' })
})
