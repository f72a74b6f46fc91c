import t from 'tap'
import { withFields } from '../../lib/session/copy-record.ts'
import { authenticated, isRecord, newRecord } from '../../lib/session/record.ts'
import type { SessionRecord } from '../../types/index.ts'

const START = 1_700_000_000_000
const LIFETIMES = { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3, renewalTimeout: 4 }
const methods = [{ name: 'pwd', at: START }]
const user = { userId: 'ann', user: '{"id":"ann"}', authHash: null, methods }
const record = authenticated(
  newRecord('handle', 'hash', '{"cart":[1]}', START, LIFETIMES, 'Firefox', 1),
  { ...user, authCheckedAt: START, remember: true, device: { userAgent: 'Firefox', ip: '::1' } },
  START,
  LIFETIMES,
)
const rare = {
  userAt: START,
  sparedAt: START,
  label: 'Phone',
  lifetimes: { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 },
  methods,
  pending: { ...user, until: START },
  acting: {
    ...user,
    ...{ authCheckedAt: START, userAt: START, absoluteDeadline: START, since: START },
    ...{ remember: false, lifetimes: null, data: '{}', reason: 'a ticket' },
  },
} satisfies Partial<SessionRecord>

t.test('a copy of a record has each field of the record, and no other', async (t) => {
  t.strictSame(withFields(record), record)
  t.strictSame(Object.keys(withFields(record)).toSorted(), Object.keys(record).toSorted())
  for (const [name, value] of Object.entries(rare)) {
    const stored = { ...record, [name]: value }
    t.ok(isRecord(stored), name)
    t.strictSame(withFields(stored), stored, name)
  }
  const whole = { ...record, ...rare }
  t.strictSame(withFields(whole), whole)
})

t.test('a change of a copy leaves the record as it was', async (t) => {
  const changed = withFields(record, { data: '{}', label: 'Phone' })
  t.strictSame(changed, { ...record, data: '{}', label: 'Phone' })
  t.equal(record.data, '{"cart":[1]}')
})

t.test('a copy of a copy keeps the fields that a later version of this package wrote', async (t) => {
  const stored: unknown = JSON.parse(JSON.stringify({ ...record, fromTheFuture: [1] }))
  if (!isRecord(stored)) throw new Error('the record is whole')
  t.match(withFields(withFields(stored, { version: 8 }), { version: 9 }), { fromTheFuture: [1], version: 9 })
})
