import t from 'tap'
import { refuseUnproven } from '../../lib/session/unproven.ts'

t.test('only a bound session without the proof of its device is refused', async (t) => {
  t.throws(() => refuseUnproven({ state: 'unproven' }), { code: 'SESSION_PROOF_REQUIRED', statusCode: 401 })
  for (const state of ['none', 'live', 'gone', 'shadowed', 'outdated']) {
    t.doesNotThrow(() => refuseUnproven({ state }), state)
  }
})
