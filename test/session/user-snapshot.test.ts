import t from 'tap'
import { userSnapshot, UserSnapshots } from '../../lib/session/user-snapshot.ts'
import type { SessionUser } from '../../types/index.ts'

const USERS: Record<string, unknown>[] = [
  { id: 'u1' },
  { id: 'u1', name: 'Ada', admin: false, age: null, score: 1.5 },
  { id: 'u1', roles: ['admin'], address: { city: 'Bern' } },
  { id: 'u1', text: 'x'.repeat(2000) },
]

for (const user of USERS) {
  const json = JSON.stringify(user)
  t.test(`a snapshot reads as it was written, and nobody can change it: ${json.slice(0, 60)}`, async (t) => {
    const snapshots = new UserSnapshots()
    for (let round = 0; round < 3; round += 1) {
      const own: { [name: string]: unknown; roles?: string[] } = snapshots.read(json) as never
      t.strictSame({ ...own }, user)
      t.equal(JSON.stringify({ own }), JSON.stringify({ own: user }))
      const clear = { code: 'SESSION_OPTION_INVALID', message: /req\.updateUser\(user\).*req\.login\(user\)/ }
      t.throws(() => (own['id'] = 'somebody else'), clear)
      t.throws(() => (own['admin'] = true), clear)
      t.throws(() => delete own['id'], clear)
      t.throws(() => Object.defineProperty(own, 'id', { value: 'x' }), clear)
      t.throws(() => Object.setPrototypeOf(own, { admin: true }), clear)
      if (own.roles !== undefined) t.throws(() => own.roles?.push('root'), TypeError)
    }
  })
}

/** Returns a `toJSON` that gives a value the first time, and nothing afterwards. */
function once(value: object): () => object | undefined {
  const left = [value]
  return () => left.pop()
}

t.test('a user that is no user with an id is refused, and the message tells why', async (t) => {
  const cases: [user: unknown, detail: string][] = [
    [null, 'the user is null'],
    [undefined, 'the user is a undefined'],
    ['ann', 'the user is a string'],
    [{ id: '' }, 'id is empty'],
    [{ id: '\u0001beside' }, 'id begins with the character U+0001'],
    [{}, 'id is missing'],
    [{ id: null }, 'id is missing'],
    [{ id: 5 }, 'id is a number: give String(id)'],
    [{ id: {} }, 'id is an object: give String(id)'],
    [{ id: 'ann', toJSON: () => ({ id: 'bob' }) }, 'the toJSON of the user drops or changes id'],
    [{ id: 'ann', toJSON: () => ({}) }, 'the toJSON of the user drops or changes id'],
    [{ id: 'ann', toJSON: () => null }, 'the toJSON of the user drops or changes id'],
    [{ id: 'ann', toJSON: () => undefined }, '"user" is an object with a toJSON that returns nothing'],
    [{ id: 'ann', toJSON: once({ id: 'ann' }) }, 'the toJSON of the user drops or changes id'],
    [{ id: 'ann', groups: new Map() }, '"user.groups" is a Map'],
  ]
  for (const [user, detail] of cases) {
    t.throws(() => userSnapshot(user as SessionUser, 1_000), { code: 'SESSION_USER_INVALID', detail })
  }
  const failing = {
    id: 'ann',
    toJSON() {
      throw new RangeError('not today')
    },
  }
  const failed = { code: 'SESSION_USER_INVALID', detail: '"user"', cause: { message: /"user"/ } }
  t.throws(() => userSnapshot(failing, 1_000), failed)
})

t.test('a snapshot is the JSON of the user, up to the limit in bytes', async (t) => {
  const user = { id: 'ann', name: 'Zo\u00eb', gone: undefined }
  const json = '{"id":"ann","name":"Zo\u00eb"}'
  const size = Buffer.byteLength(json)
  t.equal(userSnapshot(user, size), json)
  t.throws(() => userSnapshot(user, size - 1), { code: 'SESSION_RECORD_TOO_LARGE' })
})

t.test('members that are a credential are left out, and the id and all else stays', async (t) => {
  const asked: unknown[] = []
  const isSecret = (value: string): boolean => {
    asked.push(value)
    return value.startsWith('secret')
  }
  const user = { id: 'secret-id', password: 'secret', name: 'Ann', age: 5, deep: { password: 'secret' } }
  t.equal(userSnapshot(user, 1_000, isSecret), '{"id":"secret-id","name":"Ann","age":5,"deep":{"password":"secret"}}')
  t.strictSame(asked, ['secret', 'Ann'])
  const ann: SessionUser & { name: string } = { id: 'ann', name: 'Ann' }
  t.equal(userSnapshot(ann, 1_000, isSecret), '{"id":"ann","name":"Ann"}')
  t.equal(userSnapshot(user, 1_000), JSON.stringify(user))
})

t.test('requests share the object of a short snapshot, and nothing deep inside it changes', async (t) => {
  const snapshots = new UserSnapshots()
  const json = (length: number): string => {
    const empty = JSON.stringify({ id: 'ann', text: '' })
    return JSON.stringify({ id: 'ann', text: 'x'.repeat(length - empty.length) })
  }
  t.equal(snapshots.read(json(512)), snapshots.read(json(512)))
  t.not(snapshots.read(json(513)), snapshots.read(json(513)), 'a long snapshot is not remembered')
  const deep = snapshots.read('{"id":"ann","a":[{"b":{"c":1}}]}') as unknown as { a: [{ b: { c: number } }] }
  t.throws(() => (deep.a[0].b.c = 2), TypeError)
  t.throws(() => deep.a.push({ b: { c: 1 } }), TypeError)
  t.strictSame(Object.keys(deep), ['id', 'a'], 'toJSON is no member of the user')
})
