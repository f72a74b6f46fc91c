import t from 'tap'
import { inBatches, onEach } from '../../lib/session/batches.ts'

const numbers = (count: number): number[] => Array.from({ length: count }, (_, index) => index)

/** Runs work on so many items. Resolves to the batches, and to the turns of the event loop that passed meanwhile. */
async function batchesOf(count: number): Promise<{ batches: readonly number[][]; turns: number }> {
  const batches: number[][] = []
  let turns = 0
  let isOver = false
  const countTurn = (): void => {
    if (isOver) return
    turns += 1
    setImmediate(countTurn)
  }
  setImmediate(countTurn)
  await inBatches(numbers(count), async (batch) => void batches.push([...batch]))
  isOver = true
  return { batches, turns }
}

t.test('batches hold each item once, in order, and are far smaller than a long list', async (t) => {
  const { batches } = await batchesOf(1003)
  t.strictSame(batches.flat(), numbers(1003))
  t.ok(batches.length > 4)
  t.ok(batches.every(({ length }) => length > 0 && length <= (batches[0]?.length ?? 0)))
  t.strictSame((await batchesOf(0)).batches, [], 'no item, no work')
})

t.test('other requests get a turn between two batches, and nobody waits after the last one', async (t) => {
  const { batches } = await batchesOf(1003)
  const size = batches[0]?.length ?? 0
  t.strictSame(await batchesOf(size), { batches: [numbers(size)], turns: 0 })
  t.strictSame((await batchesOf(size - 1)).turns, 0)
  const { batches: two, turns } = await batchesOf(2 * size)
  t.equal(two.length, 2, 'no empty batch at the end')
  t.ok(turns > 0)
})

t.test('the next batch begins when the one before is done', async (t) => {
  let underWay = 0
  await inBatches(numbers(500), async () => {
    underWay += 1
    t.equal(underWay, 1)
    await new Promise((resolve) => setImmediate(resolve))
    await new Promise((resolve) => setImmediate(resolve))
    underWay -= 1
  })
  t.equal(underWay, 0)
})

t.test('work on each item runs a few at a time, and all of it is done in the end', async (t) => {
  const done: number[] = []
  let [underWay, most] = [0, 0]
  await onEach(numbers(100), async (number) => {
    underWay += 1
    most = Math.max(most, underWay)
    await new Promise((resolve) => setImmediate(resolve))
    underWay -= 1
    done.push(number)
  })
  t.strictSame(
    done.toSorted((one, other) => one - other),
    numbers(100),
  )
  t.ok(most > 1 && most <= 10, String(most))
})

t.test('no further work begins after a failure', async (t) => {
  const begun: number[] = []
  const work = async (number: number): Promise<void> => {
    begun.push(number)
    await new Promise((resolve) => setImmediate(resolve))
    throw new Error(`failed at ${number}`)
  }
  await t.rejects(onEach(numbers(100), work), { message: 'failed at 0' })
  await new Promise((resolve) => setImmediate(resolve))
  t.ok(begun.length <= 10, String(begun.length))
})

t.test('after one failure nothing else begins, and what had begun is over', async (t) => {
  const begun: number[] = []
  const over: number[] = []
  const work = async (number: number): Promise<void> => {
    begun.push(number)
    if (number === 3) throw new Error('failed at 3')
    await new Promise((resolve) => setImmediate(resolve))
    over.push(number)
  }
  await t.rejects(onEach(numbers(100), work), { message: 'failed at 3' })
  t.strictSame(begun, numbers(8), 'those that had begun with it')
  t.strictSame(
    over,
    begun.filter((number) => number !== 3),
  )
})
