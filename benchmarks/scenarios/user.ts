import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/** The handler asks who it is: `req.user` here, the user kept in the session elsewhere. */
export const user: Scenario = {
  name: 'user',
  title: 'logged in, reads the user',
  needsLogin: true,
  requests: (visitor) => [visitor.request('user')],
  async check(visitor, peer) {
    if (!peer.isFloor) assert.equal(await visitor.statusOf('user'), 401)
    await visitor.send('login')
    assert.deepEqual(await visitor.send('user'), visitor.user)
  },
}
