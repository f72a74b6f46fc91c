import t from 'tap'
import { SecureSessionError } from '../../lib/errors.ts'
import { NONE } from '../../lib/session/load-session.ts'
import { RequestData } from '../../lib/session/request-data.ts'
import { initialState } from '../../lib/session/request-state.ts'
import { isStoreFailure, isWriteAsked } from '../../lib/session/upkeep.ts'

const QUIET = initialState(NONE, false)

/** Returns data whose object holds its values as they are. */
function dataOf(json: string): RequestData {
  return new RequestData(json, (_data, values) => values)
}

t.test('a write is upkeep unless the app asked for it', async (t) => {
  t.equal(isWriteAsked(QUIET, undefined), false)
  t.equal(isWriteAsked(QUIET, dataOf('{"a":1}')), false)
  t.equal(isWriteAsked({ ...QUIET, rotation: { reason: 'regenerate' } }, undefined), true)
  t.equal(isWriteAsked({ ...QUIET, user: '{"id":"ann"}' }, undefined), true)
  t.equal(isWriteAsked({ ...QUIET, isTouched: true }, undefined), true)
})

t.test('changed data is asked for, also where it was begun anew and reads the same', async (t) => {
  const read = dataOf('{"a":1}')
  t.same(read.object, { a: 1 })
  t.equal(isWriteAsked(QUIET, read), false)
  Object.assign(read.object ?? {}, { a: 2 })
  t.equal(isWriteAsked(QUIET, read), true)
  const anew = dataOf('{"a":1}')
  anew.keepOnly(['a'])
  t.equal(anew.isModified(), false)
  t.equal(isWriteAsked(QUIET, anew), true)
})

t.test('only the error of this package about the store is a failure of the store', async (t) => {
  t.equal(isStoreFailure(new SecureSessionError('SESSION_STORE_UNAVAILABLE')), true)
  t.equal(isStoreFailure(new SecureSessionError('SESSION_SUPERSEDED')), false)
  t.equal(isStoreFailure(Object.assign(new Error('mine'), { code: 'SESSION_STORE_UNAVAILABLE' })), false)
  t.equal(isStoreFailure(undefined), false)
})
