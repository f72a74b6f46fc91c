import t from 'tap'
import { replayStory } from './search-stories.ts'
import { playInThreads } from './threads.ts'

const SEED = 20_261_130
const COUNT = 40_000

t.setTimeout(900_000)

t.test('no story goes otherwise than the guides say', async (t) => {
  t.comment(`${COUNT} stories, seed ${SEED}`)
  t.equal(await playInThreads(SEED, COUNT, '.ts'), undefined)
})

t.test('a story is named by its seed and its way', async (t) => {
  await t.rejects(replayStory('1'), { message: /as in 1:20:3/ })
  t.equal(await replayStory('1:20:3'), undefined)
})
