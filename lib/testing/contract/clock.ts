import assert from 'node:assert/strict'
import type { Check } from './check.ts'

const DAY = 86_400_000

export const clockChecks: readonly Check[] = [
  [
    "the server's time is in milliseconds since 1970 and does not go back",
    async ({ store }) => {
      assert.ok(store.now, 'the store tells the time')
      const first = await store.now()
      const second = await store.now()
      assert.ok(Math.abs(first - Date.now()) < DAY, `${first} is within a day of this process's clock`)
      assert.ok(second >= first)
    },
  ],
]
