import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** A request without a cookie, to a handler that uses no session. */
export const anonymous: Scenario = {
  name: 'anonymous',
  title: 'anonymous visitor',
  needsLogin: false,
  requests: (visitor) => [visitor.request('anonymous')],
  async check(visitor) {
    assert.deepEqual(await visitor.send('anonymous'), { hello: 'world' })
  },
}
