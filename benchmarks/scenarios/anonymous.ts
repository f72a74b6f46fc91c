import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** No cookie comes, and the handler has no use for a session. */
export const anonymous: Scenario = {
  name: 'anonymous',
  title: 'anonymous visitor',
  needsLogin: false,
  requests: (visitor) => [visitor.request('anonymous')],
  async check(visitor) {
    assert.deepEqual(await visitor.send('anonymous'), { hello: 'world' })
  },
}
