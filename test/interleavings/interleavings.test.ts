import t from 'tap'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import { replay, sample, titleOf, triples } from './explore.ts'
import { linesOf } from './pairs.ts'

t.setTimeout(900_000)
const giveBack = ownChance()
t.teardown(giveBack)

t.test('no interleaving of three acts, drawn by chance, breaks a guarantee', async (t) => {
  const draw = random(20_260_102)
  const scenes = (['shared', 'guest', 'bound', 'registered'] as const).flatMap((kind) => triples(kind))
  const drawnScenes = Array.from({ length: 250 }, () => scenes[Math.floor(draw() * scenes.length)])
  for (const scene of drawnScenes) {
    const found = scene && (await sample(scene, 8, draw))
    if (scene !== undefined && found !== undefined) t.fail(titleOf(scene), linesOf(found))
  }
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
