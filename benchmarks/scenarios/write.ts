import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** The handler counts views in one key of the session. */
export const write: Scenario = {
  name: 'write',
  title: 'logged in, writes one key',
  needsLogin: true,
  requests: (visitor) => [visitor.request('write')],
  async check(visitor, peer) {
    await visitor.send('login')
    assert.deepEqual(await visitor.send('write'), { views: 1 })
    assert.deepEqual(await visitor.send('write'), { views: peer.isFloor ? 1 : 2 })
  },
}
