import t from 'tap'
import { SeenValues } from '../../lib/http/seen-values.ts'
import { testClock } from '../support/clock.ts'

t.test('a value is noted once a minute', async (t) => {
  const clock = testClock()
  const seen = new SeenValues(clock)
  t.ok(seen.note('a'))
  t.notOk(seen.note('a'))
  t.ok(seen.note('b'))
  clock.advance('59s')
  t.notOk(seen.note('a'))
  clock.advance('1s')
  t.ok(seen.note('a'))
})

t.test('a clock that is set back keeps no value quiet', async (t) => {
  let now = 1_000_000
  const seen = new SeenValues(() => now)
  t.ok(seen.note('a'))
  now -= 3_600_000
  t.ok(seen.note('a'))
})

t.test('the memory of values is bounded', async (t) => {
  const seen = new SeenValues(() => 0)
  t.ok(seen.note('first'))
  for (let index = 0; index < 2001; index += 1) seen.note(`other ${index}`)
  t.ok(seen.note('first'), 'forgotten')
})
