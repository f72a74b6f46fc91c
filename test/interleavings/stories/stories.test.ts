import { sample } from 'fast-check'
import t from 'tap'
import { ownChance } from '../chance.ts'
import { aside } from '../interleave.ts'
import { stories } from './draw-story.ts'
import { overlaps } from './overlaps/draw-overlap.ts'
import { mayTimeOut } from './overlaps/open-races.ts'
import { prepare } from './overlaps/play-overlap.ts'
import { replayStory } from './search-stories.ts'
import type { Call, Step } from './story.ts'
import { playInThreads } from './threads.ts'

const SEED = 20_261_130
const COUNT = 40_000
const OVERLAPS = 10_000

t.setTimeout(900_000)

t.test('no story goes otherwise than the guides say', async (t) => {
  t.comment(`${COUNT} stories, seed ${SEED}`)
  t.strictSame(await playInThreads('stories', SEED, COUNT, '.ts'), { count: COUNT, bad: undefined })
})

t.test('two steps at once leave what they leave one after the other', async (t) => {
  t.comment(`${OVERLAPS} overlaps, seed ${SEED}`)
  t.strictSame(await playInThreads('overlaps', SEED, OVERLAPS, '.ts'), { count: OVERLAPS, bad: undefined })
})

t.test('the two steps of most overlaps meet in a session, and many of them in the same one', async (t) => {
  const giveBack = ownChance()
  t.teardown(giveBack)
  let [any, same] = [0, 0]
  for (const overlap of sample(overlaps, { seed: SEED, numRuns: 500 })) {
    const { scene } = await aside(() => prepare(overlap))
    const shown = overlap.both.flatMap((step) => (step.name === 'request' ? (scene.cookieOf(step) ?? []) : []))
    const live = shown.flatMap((cookie) => scene.model.find(cookie.slice(0, 22)) ?? [])
    if (live.length > 0) any += 1
    if (live.length === 2 && live[0] === live[1]) same += 1
  }
  t.comment(`${any} of 500 in a session, ${same} in the same one`)
  t.ok(any > 250, String(any))
  t.ok(same > 100, String(same))
})

t.test('the store may time out in many overlaps', async (t) => {
  const drawn = sample(overlaps, { seed: SEED, numRuns: 500 })
  const failing = drawn.filter(mayTimeOut)
  t.comment(`${failing.length} of 500`)
  t.ok(failing.length > 50)
  t.ok(failing.some(({ both }) => both.every(({ name }) => name === 'request')))
  t.ok(failing.some(({ both }) => both.some(({ name }) => name === 'prove')))
})

/** Every step and every call. The type checker asks for the ones that are missing here. */
const NAMES: Readonly<Record<(Call | Step)['name'], true>> = {
  ...{ request: true, wait: true, 'set the clock back': true, 'restart the process': true },
  ...{ revoke: true, 'revoke the user': true, 'revoke all': true, rename: true },
  ...{ 'update everywhere': true, 'update from outside': true },
  ...{ 'change the password': true, 'change the name': true, 'delete the user': true, 'restore the user': true },
  ...{ write: true, remove: true, update: true, save: true, reload: true, touch: true, destroy: true },
  ...{ 'log in': true, 'log in half': true, 'log out': true, regenerate: true, confirm: true },
  ...{ act: true, 'stop acting': true, 'update the user': true, 'update the fingerprint': true },
}

/** Lists have no values of their own. */
const LISTS = ['methods', 'keys', 'calls', 'steps']

/** Notes the values that each member of the settings, the steps and the calls has. */
function note(found: Map<string, Set<unknown>>, value: object, path: string): void {
  for (const [name, member] of Object.entries(value)) {
    const place = `${path}.${name}`
    const isObject = typeof member === 'object' && member !== null
    if (Array.isArray(member)) {
      for (const one of member as readonly { name?: string }[]) if (one.name !== undefined) note(found, one, one.name)
    } else if (isObject) note(found, member as object, place)
    found.set(place, (found.get(place) ?? new Set()).add(isObject ? 'an object' : member))
  }
}

t.test(
  'each step and each call is drawn, and each of their members and of the settings has several values',
  async (t) => {
    const found = new Map<string, Set<unknown>>()
    for (const story of sample(stories, { seed: SEED, numRuns: 3000 })) note(found, story, 'story')
    for (const name of Object.keys(NAMES)) t.ok(found.has(`${name}.name`), name)
    const isAlone = ([place, values]: [string, Set<unknown>]): boolean =>
      values.size < 2 && !['name', ...LISTS].includes(place.split('.').at(-1) ?? '')
    const lone = [...found].filter(isAlone).map(([place]) => place)
    t.strictSame(lone.toSorted(), ['story.rules', 'story.rules.times.alice', 'story.rules.times.bob'])
  },
)

t.test('a story is named by its seed and its way', async (t) => {
  await t.rejects(replayStory('stories', '1'), { message: /as in 1:20:3/ })
  t.equal(await replayStory('stories', '1:20:3'), undefined)
})
