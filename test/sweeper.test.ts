import { mock } from 'node:test'
import t from 'tap'
import { startSweeper, sweepAll } from '../lib/sweeper.ts'

t.test('a sweep goes on until a batch is not full, and lets the event loop turn in between', async (t) => {
  const batches = [500, 500, 7]
  const asked: number[] = []
  let turns = 0
  const counting = setInterval(() => (turns += 1), 0)
  t.teardown(() => clearInterval(counting))
  const total = await sweepAll(async (limit) => {
    asked.push(limit)
    return batches[asked.length - 1] ?? 0
  })
  t.equal(total, 1007)
  t.same(asked, [500, 500, 500])
})

t.test('the sweeper sweeps again and again until stopped, whether a sweep fails or not', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let sweeps = 0
  const sweeper = startSweeper(1000, async () => {
    sweeps += 1
    if (sweeps === 1) throw new Error('the store is away')
  })
  const turn = async (milliseconds: number): Promise<void> => {
    mock.timers.tick(milliseconds)
    await new Promise((resolve) => setImmediate(resolve))
  }
  await turn(899)
  t.equal(sweeps, 0, 'never sooner than a tenth before its time')
  await turn(202)
  t.equal(sweeps, 1, 'never later than a tenth after it')
  await turn(1101)
  t.equal(sweeps, 2, 'a failed sweep is left to the next one')
  sweeper.stop()
  await turn(5000)
  t.equal(sweeps, 2)
})
