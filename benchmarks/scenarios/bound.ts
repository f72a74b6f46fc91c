import assert from 'node:assert/strict'
import type { Scenario } from './scenario.ts'

/**
 * The request of `user` with a bound cookie, beside the same request of a session that is not bound. A visitor whose
 * login offers a binding registers a key.
 */
export const bound: Scenario = {
  name: 'bound',
  title: 'bound to a device, reads the user',
  peers: ['fastify-cookie', 'session-guard', 'session-guard-bound'],
  needsLogin: true,
  requests: (visitor) => [visitor.request('user')],
  async check(visitor, peer) {
    await visitor.send('login')
    assert.deepEqual(await visitor.send('user'), visitor.user)
    if (peer.name !== 'session-guard-bound') return
    const [session = ''] = visitor.cookie.split('; ')
    assert.equal(await visitor.statusOf('user', session), 401, 'a bound session opens without the bound cookie')
  },
}
