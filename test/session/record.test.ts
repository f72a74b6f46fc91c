import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import { authenticated, isRecord, newRecord, rotated } from '../../lib/session/record.ts'
import { parseObject } from '../../lib/session/record-shape.ts'

const START = Date.UTC(2026, 0, 1)
const LIFETIMES = lifetimesOf({})
const anonymous = newRecord(newHandle(), hashOf('first'), '{"a":1}', START, LIFETIMES)
const ann = authenticated(
  { ...anonymous, lastSeenAt: START - 5, createdAt: START - 1000 },
  {
    userId: 'ann',
    user: '{"id":"ann"}',
    authHash: null,
    authCheckedAt: START,
    remember: false,
    device: { userAgent: 'x', ip: '::1' },
  },
  START,
  LIFETIMES,
)

t.test('records of all kinds are whole', async (t) => {
  t.ok(isRecord(anonymous))
  t.ok(isRecord(ann))
  t.ok(isRecord({ ...ann, tip: { secretHash: hashOf('second'), issuedAt: START, shownAt: START, isTied: true } }))
  t.ok(isRecord({ ...ann, rivals: [{ secretHash: hashOf('second'), since: START, isTied: true }] }))
  t.ok(isRecord(JSON.parse(JSON.stringify(ann))))
  t.ok(isRecord({ ...ann, fromTheFuture: true }), 'fields of a later version do no harm')
})

t.test('a record without any one field is damaged', async (t) => {
  for (const field of Object.keys(ann)) {
    const { [field as 'data']: _gone, ...rest } = ann
    t.notOk(isRecord(rest), field)
  }
})

t.test('fields that few records have are absent or whole', async (t) => {
  const lifetimes = { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 }
  const methods = [{ name: 'pwd', at: START }]
  const pending = { userId: 'ann', user: '{"id":"ann"}', authHash: null, methods, until: START }
  const instants = { authCheckedAt: START, userAt: 0, absoluteDeadline: START, since: START }
  const person = { userId: 'bob', user: '{"id":"bob"}', authHash: null, methods, remember: false }
  const acting = { ...person, ...instants, lifetimes: null, data: '{}', reason: 'a ticket' }
  for (const fields of [
    ...[
      { lifetimes },
      { lifetimes: null },
      { methods },
      { methods: [] },
      { pending },
      { pending: null },
      { acting },
      { acting: null },
      { acting: { ...acting, lifetimes } },
    ],
    { userAt: START },
  ]) {
    t.ok(isRecord({ ...ann, ...fields }), JSON.stringify(fields))
  }
  for (const fields of [
    ...[{ userAt: 'x' }, { lifetimes: 5 }, { methods: {} }, { methods: ['pwd'] }, { methods: [{ name: 'pwd' }] }],
    ...Object.keys(lifetimes).map((name) => ({ lifetimes: { ...lifetimes, [name]: null } })),
    ...[{ methods: [{ at: 5 }] }, { pending: [] }, { pending: { ...pending, userId: 'bob' } }],
    ...Object.keys(pending).map((name) => ({ pending: { ...pending, [name]: undefined } })),
    { pending: { ...pending, methods: [5] } },
    ...Object.keys(acting).map((name) => ({ acting: { ...acting, [name]: undefined } })),
    ...[{ acting: [] }, { acting: { ...acting, userId: 'ann' } }, { acting: { ...acting, data: '[]' } }],
  ]) {
    t.notOk(isRecord({ ...ann, ...fields }), JSON.stringify(fields))
  }
})

t.test('a login leaves nothing of the lifetimes, the methods and the half login before it', async (t) => {
  const methods = [{ name: 'pwd', at: START }]
  const before = {
    ...ann,
    lifetimes: { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 },
    methods,
    pending: { userId: 'ann', user: '{"id":"ann"}', authHash: null, methods, until: START },
  }
  const identity = {
    userId: 'bob',
    user: '{"id":"bob"}',
    authHash: null,
    authCheckedAt: START,
    remember: false,
    device: null,
  }
  const after = authenticated(before, identity, START, LIFETIMES)
  t.match(after, {
    userId: 'bob',
    lifetimes: null,
    methods: [],
    pending: null,
    idleDeadline: START + LIFETIMES.idleTimeout,
  })
})

t.test('a login begins the lifetimes again, and nothing else of the session', async (t) => {
  t.match(ann, {
    createdAt: START - 1000,
    authenticatedAt: START,
    lastSeenAt: START,
    data: '{"a":1}',
    handle: anonymous.handle,
  })
})

t.test('a record of its kind is not changed but replaced', async (t) => {
  const before = JSON.stringify(anonymous)
  rotated(anonymous, hashOf('second'), START)
  t.equal(JSON.stringify(anonymous), before)
  t.equal(anonymous.deviceKey, null, 'a place is kept for the key of a device')
})

t.test('parses objects only, and none that reach for a prototype', async (t) => {
  t.same(parseObject('{"a":1}'), { a: 1 })
  for (const text of [
    '',
    '1',
    '"a"',
    'null',
    '[]',
    '{',
    '{"__proto__":1}',
    '{"a":[{"\\u005f_proto__":1}]}',
    '{"constructor":{"prototype":1}}',
  ]) {
    t.equal(parseObject(text), undefined, text)
  }
})
