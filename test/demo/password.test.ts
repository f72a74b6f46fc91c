import t from 'tap'
import { hashPassword, verifyPassword } from '../../lib/demo/password.ts'

t.test('a password matches its own hash, and no other password does', async (t) => {
  const kept = await hashPassword('correct horse')
  t.equal(await verifyPassword('correct horse', kept), true)
  t.equal(await verifyPassword('Correct horse', kept), false)
  t.equal(await verifyPassword('', kept), false)
})

t.test('hashing one password twice gives two salts and two hashes', async (t) => {
  const [one, other] = await Promise.all([hashPassword('twin'), hashPassword('twin')])
  t.notSame(one.salt, other.salt)
  t.notSame(one.hash, other.hash)
  t.notMatch(one.hash.toString('latin1'), 'twin')
})

t.test('two Unicode forms of the same letter are the same password', async (t) => {
  const kept = await hashPassword('caf\u00e9')
  t.equal(await verifyPassword('cafe\u0301', kept), true)
})

t.test('a password hash that cannot be computed is an error and no wrong password', async (t) => {
  await t.rejects(verifyPassword('any', { salt: undefined as never, hash: Buffer.alloc(32) }))
})
