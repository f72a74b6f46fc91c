import assert from 'node:assert/strict'
import { THEME } from '../peers/peer.ts'
import type { Scenario } from './scenario.ts'

/** The handler reads one key of the session. */
export const session: Scenario = {
  name: 'session',
  title: 'logged in, reads the session',
  needsLogin: true,
  requests: (visitor) => [visitor.request('session')],
  async check(visitor) {
    assert.equal(await visitor.statusOf('session'), 401)
    await visitor.send('login')
    assert.deepEqual(await visitor.send('session'), { theme: THEME })
  },
}
