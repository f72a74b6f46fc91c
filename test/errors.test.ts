import t from 'tap'
import { SecureSessionError } from '../lib/errors.ts'

t.test('an error carries its code, its status and its cause', async (t) => {
  const cause = new Error('connection refused')
  const error = new SecureSessionError('SESSION_STORE_UNAVAILABLE', { cause })
  t.ok(error instanceof Error)
  t.match(error, { name: 'SecureSessionError', code: 'SESSION_STORE_UNAVAILABLE', statusCode: 503, cause })
  t.notMatch(error.message, /connection refused/, 'what the store said stays in the cause')
})

t.test('an error has the signature of http-errors, and exposes its message below 500', async (t) => {
  t.match(new SecureSessionError('SESSION_CROSS_ORIGIN'), { status: 403, statusCode: 403, expose: true })
  t.match(new SecureSessionError('SESSION_STORE_UNAVAILABLE'), { status: 503, statusCode: 503, expose: false })
  t.match(new SecureSessionError('SESSION_OPTION_INVALID'), { status: 500, statusCode: 500, expose: false })
})

t.test('a 503 says when to try again, the others do not', async (t) => {
  t.same(new SecureSessionError('SESSION_SUPERSEDED').headers, { 'retry-after': '1' })
  t.equal(new SecureSessionError('SESSION_LOGIN_REQUIRED').headers, undefined)
})

t.test('a detail is appended to the message', async (t) => {
  t.match(new SecureSessionError('SESSION_KEY_RESERVED', { detail: '"cookie"' }).message, /\("cookie"\)$/)
})

t.test(
  'an error of the store does not claim that nothing was changed, because a write may end after its time limit',
  async (t) => {
    const { message } = new SecureSessionError('SESSION_STORE_UNAVAILABLE')
    t.match(message, /may or may not have been made/)
    t.notMatch(message, /nothing was changed/i)
  },
)

t.test('a refused value is named in the message', async (t) => {
  const { message } = new SecureSessionError('SESSION_OPTION_INVALID', { detail: "within is a duration such as '10m'" })
  t.match(message, "within is a duration such as '10m'")
})
