import { mock } from 'node:test'
import t from 'tap'
import type { Test } from 'tap'
import { CutoffWatch } from '../../lib/storage/cutoff.ts'

interface Asked {
  readonly answer: (cutoff: number) => void
  readonly fail: (error: Error) => void
}

/** Returns a watch whose store answers when told to, on a clock that goes when told to. */
function watched(t: Test): { watch: CutoffWatch; asked: Asked[]; pass: (milliseconds: number) => Promise<void> } {
  mock.timers.enable({ apis: ['setTimeout'] })
  let now = 0
  const asked: Asked[] = []
  const read = (): Promise<number> => new Promise((answer, fail) => void asked.push({ answer, fail }))
  const watch = new CutoffWatch(read, () => now)
  t.teardown(() => {
    watch.stop()
    mock.timers.reset()
  })
  const pass = async (milliseconds: number): Promise<void> => {
    now += milliseconds
    mock.timers.tick(milliseconds)
    await settled()
  }
  return { watch, asked, pass }
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))

async function learned(watch: CutoffWatch, asked: Asked[], cutoff: number): Promise<void> {
  const current = watch.current()
  asked.shift()?.answer(cutoff)
  await current
}

t.test('the first request waits for the cutoff, and requests beside it share the question', async (t) => {
  const { watch, asked } = watched(t)
  t.notOk(watch.isFresh())
  const requests = [watch.current(), watch.current()]
  t.equal(asked.length, 1)
  asked[0]?.answer(70)
  for (const request of requests) t.equal(await request, 70)
  t.ok(watch.isFresh())
})

t.test('requests share a question hours after the process began, too', async (t) => {
  const { watch, asked, pass } = watched(t)
  await pass(3_600_000)
  const requests = [watch.current(), watch.current()]
  t.equal(asked.length, 1)
  asked[0]?.answer(70)
  for (const request of requests) t.equal(await request, 70)
})

t.test('the end of a slow question is not taken for the end of the one that came after it', async (t) => {
  const { watch, asked, pass } = watched(t)
  const requests = [watch.current()]
  await pass(1_000)
  requests.push(watch.current())
  asked[0]?.answer(10)
  await settled()
  requests.push(watch.current())
  t.equal(asked.length, 2, 'the third request shares the second question')
  asked[1]?.answer(20)
  t.strictSame([await requests[0], await requests[1], await requests[2]], [10, 20, 20])
})

t.test('a request that finds the cutoff fresh gets it without a promise and without a question', async (t) => {
  const { watch, asked } = watched(t)
  await learned(watch, asked, 70)
  for (let request = 0; request < 100; request += 1) t.equal(watch.current(), 70)
  t.equal(asked.length, 0)
})

t.test('while requests come the store is asked in the background, so that no request waits', async (t) => {
  const { watch, asked, pass } = watched(t)
  await learned(watch, asked, 0)
  for (let second = 1; second <= 10; second += 1) {
    await pass(500)
    t.equal(asked.length, 1, 'asked every half second')
    t.equal(watch.current(), second - 1)
    asked.shift()?.answer(second)
    await settled()
    t.equal(watch.current(), second)
  }
})

t.test('a minute after the last request the store is asked no more', async (t) => {
  const { watch, asked, pass } = watched(t)
  await learned(watch, asked, 0)
  let questions = 0
  for (let look = 0; look < 400; look += 1) {
    await pass(500)
    questions += asked.length
    for (const ask of asked.splice(0)) ask.answer(0)
    await settled()
  }
  t.equal(questions, 120)
  t.notOk(watch.isFresh())
})

t.test('a cutoff older than a second is not used: who needs it waits, and fails with the store', async (t) => {
  const { watch, asked, pass } = watched(t)
  await learned(watch, asked, 70)
  await pass(500)
  asked.shift()?.fail(new Error('the store is away'))
  await pass(499)
  t.equal(watch.current(), 70, 'fresh to the last millisecond')
  await pass(1)
  t.notOk(watch.isFresh())
  asked.splice(0)
  const current = watch.current()
  t.type(current, Promise)
  asked.shift()?.fail(new Error('the store is still away'))
  await t.rejects(Promise.resolve(current), { message: 'the store is still away' })
  await learned(watch, asked, 80)
  t.equal(watch.current(), 80, 'a store that is back is believed again')
})

t.test(
  'a question that the store has been slow with is asked again, and its late answer is not taken for new',
  async (t) => {
    const { watch, asked, pass } = watched(t)
    const first = watch.current()
    await pass(600)
    const second = watch.current()
    t.equal(asked.length, 2)
    asked[0]?.answer(10)
    t.equal(await first, 10)
    await pass(400)
    t.notOk(watch.isFresh(), 'the answer is as old as its question')
    asked[1]?.answer(20)
    t.equal(await second, 20)
    t.ok(watch.isFresh())
  },
)

t.test('a cutoff never goes back, whichever answer comes last', async (t) => {
  const { watch, asked } = watched(t)
  const first = watch.check()
  const second = watch.check()
  asked[1]?.answer(20)
  await second
  asked[0]?.answer(10)
  t.equal(await first, 20)
  t.equal(watch.current(), 20)
})

t.test('the process that raises the cutoff obeys it at once', async (t) => {
  const { watch, asked } = watched(t)
  await learned(watch, asked, 70)
  watch.obey(90)
  t.equal(watch.current(), 90)
  watch.obey(80)
  t.equal(watch.current(), 90)
})

t.test('an announcement makes the process ask at once, whether the known cutoff is fresh or not', async (t) => {
  const { watch, asked } = watched(t)
  await learned(watch, asked, 70)
  const checked = watch.check()
  t.equal(asked.length, 1)
  asked[0]?.answer(90)
  t.equal(await checked, 90)
  t.equal(watch.current(), 90)
})

t.test('a stopped watch asks no more in the background', async (t) => {
  const { watch, asked, pass } = watched(t)
  await learned(watch, asked, 70)
  watch.stop()
  await pass(500)
  t.equal(watch.current(), 70)
  await pass(500)
  t.equal(asked.length, 0)
})

t.test('real time is the default clock', async (t) => {
  const watch = new CutoffWatch(async () => 7)
  t.teardown(() => watch.stop())
  t.equal(await watch.current(), 7)
})
