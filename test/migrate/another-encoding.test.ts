import t from 'tap'
import { OLD_APPS } from './old-apps.ts'
import { newApp } from './new-app.ts'

/** Texts that decode to the same bytes, or that a library reads like the text it wrote. */
const ENCODINGS: Record<string, (value: string) => string> = {
  'percent-encoding': (value) => Array.from(value, (letter) => `%${letter.charCodeAt(0).toString(16)}`).join(''),
  'a letter too many': (value) => `${value}x`,
  'other letters of base64': (value) => value.replaceAll('%2B', '-').replaceAll('%2F', '_').replaceAll('+', '-'),
  'no padding': (value) => value.replaceAll('%3D', ''),
  'no version': (value) => value.replace(/~2$/, ''),
  'another version': (value) => value.replace(/~2$/, '~02'),
}

for (const [library, make] of Object.entries(OLD_APPS)) {
  t.test(`a used session of ${library} does not enter again in another encoding`, async (t) => {
    const old = await make(t)
    const { bench, visitor } = await newApp(t, old)
    const cookies = await old.open({ userId: 'ann', note: 'ÿ~?>'.repeat(9) })
    t.equal((await visitor(cookies).visit()).userId, 'ann')
    bench.clock.advance('31s')
    for (const [encoding, encode] of Object.entries(ENCODINGS)) {
      const again = new Map(Array.from(cookies, ([name, value]) => [name, encode(value)]))
      t.equal((await visitor(again).visit()).userId, null, encoding)
    }
    t.equal(bench.takeEvents('migrate').length, 1)
  })
}
