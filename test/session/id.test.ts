import { createHmac } from 'node:crypto'
import * as fc from 'fast-check'
import t from 'tap'
import { hashOf, isHandle, isSameHash, isSameText, newHandle, parentOf, SessionIds } from '../../lib/session/id.ts'

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

/** Returns the id of these bytes, signed by hand. */
function signedId(handle: string, secret: Buffer): string {
  const signed = `${handle}.${secret.toString('base64url')}`
  return `${signed}.${createHmac('sha256', KEY).update(`session=${signed}`).digest('base64url')}`
}

t.test('the layout of an id stays as it is, because browsers have ids of other versions', async (t) => {
  const handle = newHandle()
  const [most, least] = [Buffer.alloc(32, 255), Buffer.alloc(32)]
  const mixed = Buffer.from(`${'00'.repeat(16)}0102030405060708090a0b0c0d0e0f10`, 'hex')
  for (const [secret, facts] of [
    [most, { epoch: 2 ** 24 - 1, generation: 2 ** 24 - 1, issuedAt: (2 ** 32 - 1) * 1000, parent: '________' }],
    [least, { epoch: 0, generation: 0, issuedAt: 0, parent: '' }],
    [mixed, { epoch: 0x010203, generation: 0x040506, issuedAt: 0x0708090a * 1000, parent: 'CwwNDg8Q' }],
  ] as const) {
    const secretHash = hashOf(secret.toString('base64url'))
    t.strictSame(ids.read(signedId(handle, secret)), { handle, secretHash, ...facts })
  }
})

t.test('an id carries the greatest numbers that fit, and an id of no renewal carries none', async (t) => {
  const [last, limit] = [2 ** 24 - 1, (2 ** 32 - 1) * 1000]
  for (const [epoch, lineage] of [
    [last, { generation: last, issuedAt: limit + 999, parent: '' }],
    [2 ** 24, { generation: 2 ** 24, issuedAt: limit + 1000, parent: '' }],
    [2 ** 40, { generation: 2 ** 40, issuedAt: Number.MAX_SAFE_INTEGER, parent: '' }],
  ] as const) {
    const { cookieValue } = ids.mint(newHandle(), epoch, lineage)
    t.match(ids.read(cookieValue), { epoch: last, generation: last, issuedAt: limit })
  }
  t.match(ids.read(ids.mint(newHandle(), 1).cookieValue), { epoch: 1, generation: 0, issuedAt: 0, parent: '' })
  const connection = {}
  const { cookieValue } = ids.mint(newHandle(), 1, { generation: 2, issuedAt: 1_999, parent: 'CwwNDg8Q' }, connection)
  t.match(ids.read(cookieValue, connection), { epoch: 1, generation: 2, issuedAt: 1_000, parent: 'CwwNDg8Q' })
  t.strictSame(ids.read(cookieValue, connection), ids.read(cookieValue))
})

t.test('every byte of a handle and of the random half of a secret is random', async (t) => {
  const made = Array.from({ length: 400 }, () => {
    const [handle = '', secret = ''] = ids.mint(newHandle(), 0).cookieValue.split('.')
    return [Buffer.from(handle, 'base64url'), Buffer.from(secret, 'base64url').subarray(0, 16)] as const
  })
  for (const half of [0, 1] as const) {
    for (let index = 0; index < 16; index += 1) {
      const values = new Set(made.map((both) => both[half][index]))
      // 400 random bytes have 202 values on average, and fewer than 150 never in practice.
      t.ok(values.size > 150, `byte ${index} has ${values.size} values`)
    }
    t.equal(new Set(made.map((both) => both[half].toString('hex'))).size, made.length)
  }
})

t.test('texts are the same letter by letter, and a handle has one shape', async (t) => {
  t.equal(isSameText('abc', 'abc'), true)
  t.equal(isSameText('', ''), true)
  for (const other of ['', 'ab', 'abcd', 'abd', 'Abc', 'abc\0']) {
    t.equal(isSameText('abc', other), false, JSON.stringify(other))
    t.equal(isSameText(other, 'abc'), false, JSON.stringify(other))
  }
  const handle = newHandle()
  t.ok(isHandle(handle))
  for (const other of [handle.slice(1), `${handle}A`, `${handle}\n`, handle.replace(/./, '.'), '', 7, null, [handle]]) {
    t.notOk(isHandle(other), JSON.stringify(other))
  }
})
