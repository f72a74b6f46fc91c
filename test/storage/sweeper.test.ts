import { mock } from 'node:test'
import t from 'tap'
import { startSweeper, sweepAll } from '../../lib/storage/sweeper.ts'

t.test('a sweep goes on until a batch is not full, and lets the event loop turn in between', async (t) => {
  const batches = [500, 500, 7]
  const asked: number[] = []
  const turns: number[] = []
  let count = 0
  const total = await sweepAll(async (limit) => {
    asked.push(limit)
    turns.push(count)
    setImmediate(() => (count += 1))
    return batches[asked.length - 1] ?? 0
  })
  t.equal(total, 1007)
  t.same(asked, [500, 500, 500])
  t.same(turns, [0, 1, 2])
})

async function turn(milliseconds: number): Promise<void> {
  mock.timers.tick(milliseconds)
  await new Promise((resolve) => setImmediate(resolve))
}

t.test('the sweeper sweeps again and again until stopped, whether a sweep fails or not', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let sweeps = 0
  const sweeper = startSweeper(1000, async () => {
    sweeps += 1
    if (sweeps === 1) throw new Error('the store is away')
  })
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

t.test('how far a sweep has come is heard after each batch', async (t) => {
  const batches = [500, 500, 7]
  const heard: number[] = []
  await sweepAll(
    async () => batches.shift() ?? 0,
    (total) => heard.push(total),
  )
  t.same(heard, [500, 1000, 1007])
})

t.test('a sweeper that is stopped in the middle of a sweep sweeps no more', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  let sweeps = 0
  let finish = (): void => {}
  const sweeper = startSweeper(1000, async () => {
    sweeps += 1
    await new Promise<void>((resolve) => (finish = resolve))
  })
  mock.timers.tick(1101)
  t.equal(sweeps, 1)
  sweeper.stop()
  finish()
  await new Promise((resolve) => setImmediate(resolve))
  mock.timers.tick(5000)
  t.equal(sweeps, 1)
})

t.test('an interval longer than a timer can wait is no interval of nothing', async (t) => {
  const warnings: Error[] = []
  const hear = (warning: Error): void => void warnings.push(warning)
  process.on('warning', hear)
  t.teardown(() => process.off('warning', hear))
  let sweeps = 0
  const sweeper = startSweeper(90 * 24 * 3_600_000, async () => (sweeps += 1))
  // Node turns what is too long for a timer into one millisecond, and says so.
  const start = performance.now()
  while (performance.now() < start + 10) await new Promise((resolve) => setImmediate(resolve))
  sweeper.stop()
  t.equal(sweeps, 0)
  t.same(warnings, [])
})

t.test('a sweeper never keeps the process alive', async (t) => {
  const before = process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length
  const sweeper = startSweeper(1000, async () => 0)
  t.teardown(() => sweeper.stop())
  t.equal(process.getActiveResourcesInfo().filter((name) => name === 'Timeout').length, before)
})

t.test('the time to the next sweep lies between a tenth less and a tenth more', async (t) => {
  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const [chance, wait] of [
    [0, 900],
    [0.5, 1000],
    [1, 1100],
  ] as const) {
    const random = mock.method(Math, 'random', () => chance)
    let sweeps = 0
    const sweeper = startSweeper(1000, async () => void (sweeps += 1))
    random.mock.restore()
    await turn(wait - 1)
    t.equal(sweeps, 0, String(chance))
    await turn(1)
    t.equal(sweeps, 1, String(chance))
    sweeper.stop()
  }
})
