import t from 'tap'
import { actorRecord, bothUsers, personOf, refuseWhileActing } from '../../lib/session/actor.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { KeptActor } from '../../types/index.ts'

const ACTOR: KeptActor = {
  ...{ userId: 'ann', user: '{"id":"ann"}', authHash: 'hash of ann', authCheckedAt: 3, userAt: 4 },
  ...{
    absoluteDeadline: 9_000,
    remember: true,
    lifetimes: null,
    methods: [],
    data: '{}',
    reason: 'ticket 7',
    since: 5,
  },
}
const own = recordAt(1_000, { userId: 'bob' })
const acting = { ...own, acting: ACTOR }

t.test('the person behind a session is the actor where somebody acts, and the user otherwise', async (t) => {
  t.equal(personOf(acting), 'ann')
  for (const record of [own, { ...own, acting: null }]) t.equal(personOf(record), 'bob')
  t.equal(personOf({ ...own, userId: null, user: null }), null)
})

t.test('the actor’s side is a record of its own name, with the actor’s user and credentials', async (t) => {
  const side = actorRecord(acting)
  t.match(side, { userId: 'ann', user: '{"id":"ann"}', authHash: 'hash of ann', authCheckedAt: 3, userAt: 4 })
  t.equal(side?.secretHash, own.secretHash)
  t.not(side?.handle, own.handle, 'answers about the two users are kept apart')
  t.ok(side?.handle.startsWith(own.handle))
  t.equal(actorRecord(own), undefined)
  t.equal(actorRecord({ ...own, acting: null }), undefined)
})

t.test('events name both users of a session that acts, and no others', async (t) => {
  t.strictSame(bothUsers(acting), { userId: 'bob', actorId: 'ann' })
  for (const record of [own, { ...own, acting: null }, undefined]) t.strictSame(bothUsers(record), {})
})

t.test('a change that belongs to the user is refused while somebody acts as them', async (t) => {
  t.throws(() => refuseWhileActing(acting), { code: 'SESSION_ACTING', statusCode: 403 })
  for (const record of [own, { ...own, acting: null }, undefined]) t.doesNotThrow(() => refuseWhileActing(record))
})
