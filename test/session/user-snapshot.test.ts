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
  t.test(`a snapshot reads as it was written, whoever read and changed it before: ${json.slice(0, 60)}`, async (t) => {
    const snapshots = new UserSnapshots()
    for (let round = 0; round < 3; round += 1) {
      const own: { [name: string]: unknown; roles?: string[] } = snapshots.read(json) as never
      t.strictSame(own, user)
      own['id'] = 'somebody else'
      own['admin'] = true
      own.roles?.push('root')
    }
  })
}
