import { inspect } from 'node:util'
import * as fc from 'fast-check'
import t from 'tap'
import { formatDuration, parseDuration } from '../../lib/session/duration.ts'

t.test('a duration is a whole number with a unit', async (t) => {
  t.equal(parseDuration('250ms'), 250)
  t.equal(parseDuration('10s'), 10_000)
  t.equal(parseDuration('15m'), 900_000)
  t.equal(parseDuration('8h'), 28_800_000)
  t.equal(parseDuration('30d'), 2_592_000_000)
  t.equal(parseDuration('0s'), 0)
})

t.test('a text that is no whole number with a unit is no duration', async (t) => {
  const others = ['', '15', 'm', '15 m', ' 15m', '15m ', '15M', '1.5h', '-1s', '+1s', '1e3s', '15min', '0x10s', '١٥m']
  for (const value of [
    ...others,
    '9'.repeat(16) + 's',
    '999999999999999d',
    900,
    0,
    15n,
    null,
    undefined,
    {},
    ['15m'],
  ]) {
    t.equal(parseDuration(value), undefined, inspect(value))
  }
})

t.test('a duration is written in its largest whole unit, and read back the same', async (t) => {
  t.equal(formatDuration(90_000), '90s')
  t.equal(formatDuration(86_400_000), '1d')
  t.equal(formatDuration(90_000_000), '25h')
  t.equal(formatDuration(5_400_000), '90m')
  t.equal(formatDuration(1), '1ms')
  t.equal(formatDuration(0), '0ms')
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 1e12 }), (milliseconds) => {
      return parseDuration(formatDuration(milliseconds)) === milliseconds
    }),
  )
})
