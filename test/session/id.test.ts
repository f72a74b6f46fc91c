import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { hashOf, isSameHash, newHandle, parentOf, SessionIds } from '../../lib/session/id.ts'

const KEY = 'a key of at least thirty-two bytes!'
const OLD_KEY = 'another key, long enough to sign with'
const ids = new SessionIds([KEY], 'session')

t.test('an id is a handle, a secret and a signature, in characters that no cookie parser touches', async (t) => {
  const handle = newHandle()
  const { cookieValue, secretHash } = ids.mint(handle, 0)
  const [first, secret, signature] = cookieValue.split('.')
  t.equal(first, handle)
  t.equal(Buffer.from(handle, 'base64url').length, 16)
  t.equal(Buffer.from(secret ?? '', 'base64url').length, 32)
  t.equal(signature, createHmac('sha256', KEY).update(`session=${handle}.${secret}`).digest('base64url'))
  t.equal(secretHash, hashOf(secret ?? ''))
  t.match(cookieValue, /^[\w.-]+$/)
})

t.test('no two ids are alike, for one handle neither', async (t) => {
  const handle = newHandle()
  t.not(newHandle(), handle)
  t.not(ids.mint(handle, 0).cookieValue, ids.mint(handle, 0).cookieValue)
})

t.test('an id is read back as its handle and the hash of its secret', async (t) => {
  for (let round = 0; round < 50; round += 1) {
    const handle = newHandle()
    const { cookieValue, secretHash } = ids.mint(handle, 0)
    t.match(ids.read(cookieValue), { handle, secretHash, epoch: 0 })
  }
})

t.test('an id that is changed in one character is refused', async (t) => {
  const { cookieValue } = ids.mint(newHandle(), 0)
  for (let index = 0; index < cookieValue.length; index += 1) {
    const other = cookieValue[index] === 'A' ? 'B' : 'A'
    const changed = cookieValue.slice(0, index) + other + cookieValue.slice(index + 1)
    t.equal(typeof ids.read(changed), 'string', `at ${index}`)
  }
})

t.test('an id signed with another key is refused', async (t) => {
  const { cookieValue } = new SessionIds([OLD_KEY], 'session').mint(newHandle(), 0)
  t.equal(ids.read(cookieValue), 'signature')
})

t.test('the first key signs, all of them verify', async (t) => {
  const rotating = new SessionIds([KEY, OLD_KEY], 'session')
  const old = new SessionIds([OLD_KEY], 'session').mint(newHandle(), 0)
  t.match(rotating.read(old.cookieValue), { secretHash: old.secretHash })
  t.equal(typeof ids.read(rotating.mint(newHandle(), 0).cookieValue), 'object')
})

t.test(
  'a signature found good once is good again, however many came between, and a wrong one never becomes good',
  async (t) => {
    const [first, ...others] = Array.from({ length: 20_100 }, () => ids.mint(newHandle(), 0))
    const forged = new SessionIds([OLD_KEY], 'session').mint(newHandle(), 0).cookieValue
    t.notOk([first, ...others, first].some((one) => typeof ids.read(one?.cookieValue ?? '') === 'string'))
    for (let round = 0; round < 3; round += 1) t.equal(ids.read(forged), 'signature')
    const dropped = new SessionIds([OLD_KEY], 'session')
    t.equal(dropped.read(first?.cookieValue ?? ''), 'signature', 'what one set of keys accepts is nothing to another')
  },
)

t.test('an id that a connection sent before is recognised without a second check', async (t) => {
  const connection = {}
  const [mine, theirs] = [ids.mint(newHandle(), 0), ids.mint(newHandle(), 0)]
  for (let round = 0; round < 2; round += 1) {
    t.match(ids.read(mine.cookieValue, connection), { secretHash: mine.secretHash })
    t.equal(ids.read('', connection), 'malformed')
    t.equal(ids.read(mine.cookieValue.slice(0, -1), connection), 'malformed')
    t.equal(ids.read(`${mine.cookieValue}A`, connection), 'malformed')
    for (let index = 0; index < mine.cookieValue.length; index += 1) {
      const other = mine.cookieValue[index] === 'A' ? 'B' : 'A'
      const changed = mine.cookieValue.slice(0, index) + other + mine.cookieValue.slice(index + 1)
      t.equal(typeof ids.read(changed, connection), 'string', `at ${index}`)
    }
  }
  t.match(ids.read(theirs.cookieValue, connection), { secretHash: theirs.secretHash }, 'a proxy sends those of many')
  t.match(ids.read(mine.cookieValue, connection), { secretHash: mine.secretHash })
  t.equal(
    new SessionIds([OLD_KEY], 'session').read(mine.cookieValue, connection),
    'signature',
    'keys of its own, memory of its own',
  )
})

t.test('a text without the shape of an id is malformed, before any key is used', async (t) => {
  const { cookieValue } = ids.mint(newHandle(), 0)
  const [handle, secret, signature] = cookieValue.split('.')
  const wrong = [
    '',
    '.',
    '..',
    handle,
    `${handle}.${secret}`,
    `${handle}.${secret}.`,
    `${handle}..${signature}`,
    `${cookieValue}.`,
    `${cookieValue} `,
    `${cookieValue}\n`,
    `"${cookieValue}"`,
    encodeURIComponent(`s:${cookieValue}`),
    cookieValue.slice(0, -1),
    cookieValue + 'A',
    cookieValue.repeat(1000),
    cookieValue.replaceAll('.', '%2E'),
    cookieValue.replace('.', ':'),
    cookieValue.replace(/^./, 'é'),
    cookieValue.replace(/^./, '\0'),
  ]
  for (const value of wrong) t.equal(ids.read(value ?? ''), 'malformed', JSON.stringify(value).slice(0, 80))
})

t.test('no text makes it throw, and none is accepted', async (t) => {
  fc.assert(fc.property(fc.string({ unit: 'binary' }), (value) => typeof ids.read(value) === 'string'))
  fc.assert(
    fc.property(fc.stringMatching(/^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/), (value) => ids.read(value) === 'signature'),
  )
  t.pass()
})

t.test('hashes are compared whole', async (t) => {
  const hash = hashOf('a')
  for (let index = 0; index < hash.length; index += 1) {
    const other = hash[index] === 'A' ? 'B' : 'A'
    t.notOk(isSameHash(hash, hash.slice(0, index) + other + hash.slice(index + 1)), `at ${index}`)
  }
  for (const other of ['', hash.slice(0, -1), `${hash}A`]) {
    // An earlier comparison has no influence on a later one.
    t.ok(isSameHash(hash, hash))
    t.notOk(isSameHash(hash, other))
    t.notOk(isSameHash(other, hash))
    t.notOk(isSameHash(other, other))
  }
})

t.test('an id tells its epoch, its generation, its age and its parent', async (t) => {
  const handle = newHandle()
  const lineage = { generation: 9, issuedAt: Date.UTC(2026, 0, 1), parent: parentOf(hashOf('before')) }
  const { cookieValue, secretHash } = ids.mint(handle, 7, lineage)
  t.strictSame(ids.read(cookieValue), { handle, secretHash, epoch: 7, ...lineage })
  const first = ids.mint(handle, 0)
  t.match(ids.read(first.cookieValue), { generation: 0, parent: '' })
})

t.test('no letter of an id can be changed', async (t) => {
  const { cookieValue } = ids.mint(newHandle(), 3)
  for (let index = 0; index < cookieValue.length; index += 1) {
    const other = cookieValue[index] === 'A' ? 'B' : 'A'
    t.equal(
      typeof ids.read(cookieValue.slice(0, index) + other + cookieValue.slice(index + 1)),
      'string',
      `at ${index}`,
    )
  }
})

t.test('numbers beyond what an id can carry are cut, and do no harm', async (t) => {
  const lineage = { generation: 2 ** 40, issuedAt: Number.MAX_SAFE_INTEGER, parent: '' }
  t.match(ids.read(ids.mint(newHandle(), 2 ** 40, lineage).cookieValue), {
    epoch: 2 ** 24 - 1,
    generation: 2 ** 24 - 1,
  })
  t.match(ids.read(ids.mint(newHandle(), 0, { ...lineage, issuedAt: -5 }).cookieValue), { issuedAt: 0 })
})

t.test('an id of one cookie is nothing to another of the same keys', async (t) => {
  const { cookieValue } = ids.mint(newHandle(), 0)
  t.equal(new SessionIds([KEY], '__Host-admin').read(cookieValue), 'signature')
})
