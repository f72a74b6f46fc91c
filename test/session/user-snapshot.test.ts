import t from 'tap'
import { UserSnapshots } from '../../lib/session/user-snapshot.ts'

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
