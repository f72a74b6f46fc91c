import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { guide } from '../support/guides.ts'
import { ROOT } from '../support/imports.ts'
import { catalogueOf } from './catalogue.ts'
import { show } from './exhibit.ts'
import { FAMILIES } from './families.ts'

const GUIDE = 'test/museum/README.md'
const MARKED = /(?<=<!-- exhibits -->\n\n)[^]*(?=\n\n<!-- \/exhibits -->)/

for (const family of FAMILIES) show(t, family)

t.test('the guide of the museum lists every exhibit', async (t) => {
  const catalogue = catalogueOf(FAMILIES)
  const text = guide(GUIDE)
  if (process.env['UPDATE_MUSEUM'] === '1') {
    await writeFile(
      join(ROOT, GUIDE),
      text.replace(MARKED, () => catalogue),
    )
    return
  }
  t.equal(MARKED.exec(text)?.[0], catalogue, 'write it again: UPDATE_MUSEUM=1 npx tap test/museum/museum.test.ts')
})

t.test('the museum has at least 25 exhibits, each with a requirement and an address of its own', async (t) => {
  const exhibits = FAMILIES.flatMap((family) => family.exhibits)
  const addresses = exhibits.map(({ references }) => references.map(({ url }) => url).join(' '))
  t.ok(exhibits.length >= 25, `${exhibits.length} exhibits`)
  t.equal(new Set(exhibits.map(({ requirement }) => requirement)).size, exhibits.length)
  t.equal(new Set(addresses).size, exhibits.length)
  for (const address of addresses.flatMap((line) => line.split(' '))) t.match(address, /^https:\/\/[\w./-]+$/)
})

t.test('every guarantee that an exhibit names exists', async (t) => {
  const numbers = Array.from(guide('.github/SECURITY.md').matchAll(/^(\d+)\. \*\*/gm), ([, number]) => Number(number))
  const named = FAMILIES.flatMap(({ exhibits }) =>
    exhibits.flatMap(({ closedBy }) => ('guide' in closedBy ? [] : closedBy)),
  )
  t.strictSame(
    named.filter((number) => !numbers.includes(number)),
    [],
  )
})
