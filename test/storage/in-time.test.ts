import t from 'tap'
import { complain, inTime } from '../../lib/storage/in-time.ts'

const never = new Promise<string>(() => undefined)

function timers(): number {
  return process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
}

t.test('an answer in time is the result, and no timer keeps the process alive afterwards', async (t) => {
  const before = timers()
  t.equal(await inTime(Promise.resolve('there'), 600_000, complain('late')), 'there')
  await t.rejects(inTime(Promise.reject(new Error('down')), 600_000, complain('late')), { message: 'down' })
  t.ok(timers() <= before)
})

t.test('after the limit the result is what is said instead', async (t) => {
  t.equal(await inTime(never, 1, () => 'instead'), 'instead')
  await t.rejects(inTime(never, 1, complain('no answer')), { message: 'no answer' })
})
