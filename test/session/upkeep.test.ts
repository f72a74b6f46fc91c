import t from 'tap'
import { SecureSessionError } from '../../lib/errors.ts'
import { NONE } from '../../lib/session/load-session.ts'
import { initialState } from '../../lib/session/request-state.ts'
import { isStoreFailure, isWriteAsked } from '../../lib/session/upkeep.ts'

const QUIET = initialState(NONE, false)

t.test('a write is upkeep unless the app asked for it', async (t) => {
  const read = { isChanged: false }
  t.equal(isWriteAsked(QUIET, read), false)
  t.equal(isWriteAsked(QUIET, { isChanged: true }), true)
  t.equal(isWriteAsked({ ...QUIET, rotation: { reason: 'regenerate' } }, read), true)
  t.equal(isWriteAsked({ ...QUIET, user: '{"id":"ann"}' }, read), true)
  t.equal(isWriteAsked({ ...QUIET, isTouched: true }, read), true)
})

t.test('only the error of this package about the store is a failure of the store', async (t) => {
  t.equal(isStoreFailure(new SecureSessionError('SESSION_STORE_UNAVAILABLE')), true)
  t.equal(isStoreFailure(new SecureSessionError('SESSION_SUPERSEDED')), false)
  t.equal(isStoreFailure(Object.assign(new Error('mine'), { code: 'SESSION_STORE_UNAVAILABLE' })), false)
  t.equal(isStoreFailure(undefined), false)
})
