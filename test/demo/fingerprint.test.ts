import { createHash } from 'node:crypto'
import t from 'tap'
import { fingerprintOf } from '../../lib/demo/fingerprint.ts'

t.test('the fingerprint of a cookie is short and depends on the secret alone', async (t) => {
  const print = fingerprintOf('handle.secret.signature')
  t.match(print, /^[\da-f]{4} [\da-f]{4}$/)
  t.equal(fingerprintOf('other.secret.other'), print)
  t.not(fingerprintOf('handle.secreu.signature'), print)
  t.equal(fingerprintOf('no-parts'), fingerprintOf('handle.'), 'a cookie of another shape has no secret')
})

t.test('the fingerprint of a secret is no part of the hash that the server stores', async (t) => {
  const stored = createHash('sha256').update('secret').digest('hex')
  t.notOk(stored.startsWith(fingerprintOf('handle.secret.signature').replace(' ', '')))
})
