import t from 'tap'
import { ownChance } from './chance.ts'
import { pairs, replay } from './explore.ts'
import { prepare } from './world.ts'

const giveBack = ownChance()
t.teardown(giveBack)

/** Orders that broke a guarantee once. */
const CORRECTED = {
  'a login that moves to a new record counts the place that a failed login gave back':
    'shared: log in × log in as another user, but the response fails × log in elsewhere, unless refused @ ' +
    'abbcabcbccaaaabbabbbaabab',
  'an old cookie that moves in beside a login follows nobody into the login':
    'shared: move in × move in and log in as another user @ aabaaabbbbabbbbaababbaaaa',
  'a confirmed login keeps the user who was replaced beside it':
    'shared: confirm the login × update the user everywhere @ aabbbbbaaaa',
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

t.test('the ids of a scene do not depend on the scenes before', async (t) => {
  const [scene] = pairs('shared')
  const [first, second] = scene === undefined ? [] : [await prepare(scene), await prepare(scene)]
  t.ok(first?.issued.length)
  t.strictSame(first?.issued, second?.issued)
})
