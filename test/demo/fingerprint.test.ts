import { createHash } from 'node:crypto'
import t from 'tap'
import { fingerprintOf } from '../../lib/demo/fingerprint.ts'

t.test('a fingerprint is short, depends on the secret alone, and is absent without a cookie', async (t) => {
  const print = fingerprintOf('handle.secret.signature')
  t.match(print, /^[\da-f]{4} [\da-f]{4}$/)
  t.equal(fingerprintOf('other.secret.other'), print)
  t.not(fingerprintOf('handle.secreu.signature'), print)
  t.equal(fingerprintOf(undefined), undefined)
  t.equal(fingerprintOf('no-parts'), undefined)
})

t.test('a fingerprint is no prefix of the hash that the server stores', async (t) => {
  const stored = createHash('sha256').update('secret').digest('hex')
  t.notOk(stored.startsWith(fingerprintOf('handle.secret.signature')?.replace(' ', '') ?? ''))
})
