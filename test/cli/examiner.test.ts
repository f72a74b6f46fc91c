import { existsSync } from 'node:fs'
import t from 'tap'

// The tests of `check` run this module as a process of its own.
const EXAMINER = 'lib/cli/examiner.ts'

t.test('the program that loads an app on behalf of check is where check looks for it', async (t) => {
  t.ok(existsSync(new URL(`../../${EXAMINER}`, import.meta.url)))
})
