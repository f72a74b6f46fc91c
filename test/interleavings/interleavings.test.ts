import type { Test } from 'tap'
import t from 'tap'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import type { Counterexample } from './explore.ts'
import { explore, pairs, replay, sample, titleOf, triples } from './explore.ts'
import type { Kind, Scene } from './world.ts'

t.setTimeout(900_000)
const giveBack = ownChance()
t.teardown(giveBack)

/** Runs of one pair. `npm run interleavings` has no such bound. */
const MOST = 5

function report(t: Test, scene: Scene, counterexample: Counterexample | undefined): void {
  if (counterexample === undefined) return
  const { problems, trace } = counterexample
  t.fail(titleOf(scene), { problems, trace: trace.split('\n') })
}

for (const kind of ['shared', 'guest', 'cached', 'bound', 'registered'] as const satisfies readonly Kind[]) {
  t.test(`no interleaving of two acts breaks a guarantee: ${kind}`, async (t) => {
    const draw = random(20_260_101)
    const scenes = pairs(kind)
    const total = { runs: 0, interleavings: 0n, crashes: 0, finished: 0 }
    for (const scene of scenes) {
      const found = await explore(scene, { faults: 0, most: MOST }, 1)
      report(t, scene, found.counterexample ?? (await sample(scene, 2, draw)))
      total.runs += found.runs
      total.interleavings += found.interleavings
      total.crashes += found.crashes
      total.finished += found.isComplete ? 1 : 0
    }
    t.comment(
      `${scenes.length} pairs, ${total.finished} without a bound: ${total.runs} runs for ${total.interleavings} ` +
        `interleavings, ${total.crashes} crashes; and 2 drawn runs of each pair, in which a store operation may time out`,
    )
    t.ok(total.finished > 0)
  })
}

t.test('no interleaving of three acts, drawn by chance, breaks a guarantee', async (t) => {
  const draw = random(20_260_102)
  const scenes = (['shared', 'guest', 'bound', 'registered'] as const).flatMap((kind) => triples(kind))
  const drawnScenes = Array.from({ length: 250 }, () => scenes[Math.floor(draw() * scenes.length)])
  for (const scene of drawnScenes) if (scene !== undefined) report(t, scene, await sample(scene, 8, draw))
  t.comment(`8 runs of each of ${drawnScenes.length} triples out of ${scenes.length}`)
})

/** Orders that broke a guarantee once. */
const CORRECTED = {
  'a login that moves to a new record counts the place that a failed login gave back':
    'shared: log in × log in as another user, but the response fails × log in elsewhere, unless refused @ ' +
    'abbcabcbccaaaabbabbbaabab',
  'an old cookie that moves in beside a login follows nobody into the login':
    'shared: move in × move in and log in as another user @ aabaaabbbbabbbbaababbaaaa',
  'a confirmed login keeps the user who was replaced beside it':
    'shared: confirm the login × update the user everywhere @ aabbbbbbaaaa',
  'a confirmed login keeps the label that was given beside it': 'shared: confirm the login × rename @ aabbbaaaa',
  'a login of the same user keeps the label that was given beside it': 'shared: log in × rename @ aaabbbaaaa',
}

for (const [name, line] of Object.entries(CORRECTED)) {
  t.test(name, async (t) => {
    const { problems } = await replay(line)
    t.strictSame(problems, [])
  })
}

t.test('a schedule plays the same run again', async (t) => {
  const line = 'shared: log in × log in @ aaaa-bbbbba'
  const [first, second] = [await replay(line), await replay(line)]
  t.strictSame(first, second)
  t.equal(first.trace.split('\n')[0], line)
  t.strictSame(first.problems, [])
})
