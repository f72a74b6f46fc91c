import t from 'tap'
import { detailsOf, factsOf, infoOf } from '../../lib/session/session-info.ts'
import { actingAs, nobody, NOW, ownedBy, pendingOf, recordAt } from './records.ts'

const record = recordAt(NOW, {
  ...ownedBy('ann'),
  device: { userAgent: 'Phone', ip: '::1' },
  label: 'desk',
  data: '{"cart":[1]}',
})

const FACTS = {
  handle: record.handle,
  userId: 'ann',
  createdAt: new Date(NOW - 90_000),
  authenticatedAt: new Date(NOW - 80_000),
  lastSeenAt: new Date(NOW - 1_000),
  idleDeadline: new Date(record.idleDeadline),
  absoluteDeadline: new Date(record.absoluteDeadline),
  remember: true,
  device: { userAgent: 'Phone', ip: '::1' },
  label: 'desk',
  isDeviceBound: true,
  acting: null,
}

t.test('the facts of a session are all that a page may show, and hold no secret and no data', async (t) => {
  t.strictSame(factsOf(record), FACTS)
  t.not(factsOf(record).device, record.device, 'the app gets a copy')
  t.strictSame(detailsOf(record), { ...FACTS, data: { cart: [1] } })
})

t.test('a session without a user has no login, no device and no label', async (t) => {
  t.match(factsOf(recordAt(NOW, nobody())), {
    userId: null,
    authenticatedAt: null,
    device: null,
    label: null,
    isDeviceBound: false,
    acting: null,
  })
})

t.test('a session that acts as a user names the actor, the reason and the instant', async (t) => {
  t.match(factsOf(recordAt(NOW, actingAs('ann', 'staff'))), {
    userId: 'ann',
    acting: { actorId: 'staff', reason: 'ticket 7', since: new Date(NOW - 2_000) },
  })
})

t.test('an entry of a device list marks the session that asks', async (t) => {
  t.strictSame(infoOf('ann', record, record.handle), { ...FACTS, current: true })
  t.strictSame(infoOf('ann', record, 'another'), { ...FACTS, current: false })
  t.strictSame(infoOf('ann', record), { ...FACTS, current: false })
  t.strictSame(infoOf('staff', record).userId, 'ann', 'a list of an actor shows the user of the session')
})

t.test('an entry of a session without a login names the user of the list, and the beginning', async (t) => {
  const half = recordAt(NOW, pendingOf('ann'))
  t.match(infoOf('ann', half), { userId: 'ann', authenticatedAt: new Date(half.createdAt) })
})
