import { AssertionError } from 'node:assert'
import t from 'tap'
import { assertSecure } from '../../lib/testing/assert-secure.ts'
import { good, SECRET } from './configs.ts'

t.test('secure options pass', async (t) => {
  t.doesNotThrow(() => assertSecure(good()))
  t.doesNotThrow(() => assertSecure({}, 'development'))
  t.doesNotThrow(() => assertSecure(good({ cookie: { name: 'id' } })), 'a warning is below the level')
})

t.test('insecure options fail with the report, and without the secret', async (t) => {
  t.throws(() => assertSecure({}), AssertionError)
  t.throws(() => assertSecure({}, { NODE_ENV: 'production' }), {
    message: /not secure: 2 fatal.*\n {2}environment: production/,
  })
  t.throws(() => assertSecure({}, 'development', { failLevel: 'warning' }), { message: /session\/secret-missing/ })
  t.throws(() => assertSecure(good({ maxSessions: undefined }), 'production', { failLevel: 'info' }))
  try {
    assertSecure(good({ secret: [SECRET, SECRET.slice(0, 20)] }))
  } catch (error) {
    t.match((error as Error).message, 'secret[1] = <string, 20 bytes>')
    t.notMatch((error as Error).message, SECRET.slice(0, 20))
  }
})

t.test('a silenced finding does not fail', async (t) => {
  const silence = [{ rule: 'domain-wide', reason: 'two hosts' }]
  t.doesNotThrow(() =>
    assertSecure(good({ cookie: { domain: 'example.com' }, silence }), 'production', { failLevel: 'info' }),
  )
})
