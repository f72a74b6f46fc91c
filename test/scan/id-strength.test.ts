import { randomBytes } from 'node:crypto'
import t from 'tap'
import { weakIds } from '../../lib/scan/id-strength.ts'
import type { UserCookies } from '../../lib/scan/id-strength.ts'
import { parseSetCookie } from '../../lib/scan/set-cookie.ts'
import type { SetCookie } from '../../lib/scan/set-cookie.ts'

const cookie = (value: string): SetCookie => parseSetCookie(`sid=${value}`, 0) as SetCookie

/** Returns why ids are weak that visitors were given one after the other; `undefined` if they are not. */
function weaknessOf(values: readonly string[], login?: UserCookies): string | undefined {
  return weakIds(
    values.map((value) => [cookie(value)]),
    login,
  )[0]?.why
}

const hex = (length: number): string => randomBytes(32).toString('hex').slice(0, length)

t.test('an id has at least 64 bits, by its alphabet and without its hyphens', async (t) => {
  const ids = (make: () => string): string[] => Array.from({ length: 3 }, make)
  t.equal(weaknessOf(ids(() => hex(16))), undefined)
  t.equal(weaknessOf(ids(() => `${hex(14)}e`)), 'the id has room for 60 random bits')
  t.equal(
    weaknessOf(
      ids(() =>
        hex(16)
          .replaceAll(/(.{4})(?=.)/g, '$1-')
          .slice(0, 18),
      ),
    ),
    'the id has room for 60 random bits',
  )
  t.equal(weaknessOf(ids(() => randomBytes(8).toString('base64url'))), undefined)
})

t.test('the longest of several ids counts', async (t) => {
  t.equal(weaknessOf(['abc', hex(40)]), undefined)
  t.equal(weaknessOf(['abc', 'abd', 'xyz']), 'the id has room for 15 random bits')
})

t.test('ids are counted where only a number in them rises', async (t) => {
  const [before, after] = [hex(20).replaceAll(/\d/g, 'x'), hex(20).replaceAll(/\d/g, 'y')]
  const counted = (make: (index: number) => string): string | undefined => weaknessOf([1, 2, 3].map(make))
  t.equal(
    counted((index) => `${before}${1000 + index}${after}`),
    'the ids are counted',
  )
  t.equal(
    counted((index) => `${before}${1000 + index * 1_000_000}${after}`),
    'the ids are counted',
  )
  t.equal(
    counted((index) => `${before}${1000 + index * 1_000_001}${after}`),
    undefined,
    'a larger step',
  )
  t.equal(
    counted((index) => `${before}${1000 - index}${after}`),
    undefined,
    'downwards',
  )
  t.equal(
    counted((index) => `${'abc'[index - 1]}${before}${1000 + index}${after}`),
    undefined,
    'another beginning',
  )
  t.equal(
    counted((index) => `${before}${1000 + index}${after}${'abc'[index - 1]}`),
    undefined,
    'another end',
  )
  t.equal(weaknessOf([`${before}1000${after}`, `${before}1001${after}`]), undefined, 'two may be chance')
})

t.test('of two cookies of one name in an answer, the last one is the id', async (t) => {
  const answers = [1, 2, 3].map(() => [cookie('same'), cookie(hex(40))])
  t.strictSame(weakIds(answers), [])
  const alike = [1, 2, 3].map(() => [cookie(hex(40)), cookie('same-id-for-everybody-1234')])
  t.equal(weakIds(alike)[0]?.why, 'different visitors got the same id')
  t.equal(weaknessOf([hex(40)]), undefined, 'one visitor says nothing')
})

t.test('the name of the user is no id, in whatever encoding', async (t) => {
  for (const value of [
    'anna',
    'user=anna',
    Buffer.from('anna').toString('base64'),
    Buffer.from('name:anna').toString('hex'),
  ]) {
    const why = weaknessOf([], { user: 'anna', cookies: new Map([['sid', value]]) })
    t.equal(why, 'the cookie is the name of the user', value)
  }
  t.equal(weaknessOf([], { user: 'anna', cookies: new Map([['sid', hex(40)]]) }), undefined)
})

t.test('what is written before an id by express is no part of it', async (t) => {
  t.equal(weaknessOf(['s%3Aab', 's:ac', 's:ad']), 'the id has room for 8 random bits')
})
