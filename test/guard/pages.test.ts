import t from 'tap'
import { PAGES, pageOf } from './pages.ts'

for (const [path, write] of Object.entries(PAGES)) {
  t.test(`${path} holds what the guard says`, async (t) => {
    const text = write()
    t.equal(pageOf(path, text), text, 'npx tap --snapshot --disable-coverage test/guard/pages.test.ts')
  })
}
