import t from 'tap'
import { lifetimesOf } from '../../lib/options.ts'
import { hashOf, newHandle } from '../../lib/session/id.ts'
import { storedName } from '../../lib/session/namespace.ts'
import { authenticated, isRecord, newRecord, rotated, trust } from '../../lib/session/record.ts'
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

t.test('the last look at the credentials was now at the latest, also if the clock was set back since', async (t) => {
  const { userId, user, authHash, remember, device } = ann
  const identity = { userId: String(userId), user: String(user), authHash, remember, device }
  for (const [checkedAt, kept] of [
    [START - 1, START - 1],
    [START + 1, START],
  ] as const) {
    t.equal(authenticated(ann, { ...identity, authCheckedAt: checkedAt }, START, LIFETIMES).authCheckedAt, kept)
  }
})

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
    pending: null,
    idleDeadline: START + LIFETIMES.idleTimeout,
  })
  t.strictSame(after.methods, [])
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

t.test('a session begins without a user, with one id that nobody has shown', async (t) => {
  const { createdAt, ...record } = newRecord('handle', 'hash', '{"a":1}', START, LIFETIMES)
  t.equal(createdAt, START)
  t.strictSame(record, {
    ...{ handle: 'handle', secretHash: 'hash', version: 1, epoch: 0, generation: 0, parent: '', shownAt: 0 },
    ...{ userId: null, user: null, authHash: null, authCheckedAt: 0, authenticatedAt: null, device: null },
    ...{ lastSeenAt: START, rotatedAt: START, headAt: START, isTied: true, tip: null, rivals: [] },
    ...{ idleDeadline: START + LIFETIMES.idleTimeout, absoluteDeadline: START + LIFETIMES.absoluteTimeout },
    ...{ isForked: false, heldBack: null, family: '', remember: false, deviceKey: null, data: '{"a":1}' },
  })
  t.match(newRecord('handle', 'hash', '{}', START, LIFETIMES, 'family', 3), { family: 'family', epoch: 3 })
})

t.test('a new secret leaves nothing of the ids before it, and the binding to a device only where asked', async (t) => {
  const rival = { secretHash: 'rival', since: START, isTied: false }
  const tip = { secretHash: 'tip', issuedAt: START, shownAt: START, isTied: false }
  const ids = { generation: 4, parent: 'parent', shownAt: START, isTied: false, tip, rivals: [rival], epoch: 5 }
  const before = { ...ann, ...ids, deviceKey: 'key' }
  const now = START + 5
  const fresh = { rotatedAt: now, generation: 0, parent: '', shownAt: 0, isTied: true, tip: null, rivals: [] }
  const after = { ...before, ...fresh, headAt: now, epoch: 6, secretHash: 'new' }
  t.strictSame(rotated(before, 'new', now), after)
  t.strictSame(rotated(before, 'new', now, null), { ...after, deviceKey: null })
})

t.test('a login writes the fields that few records have only where they are needed', async (t) => {
  const identity = {
    ...{ userId: 'bob', user: '{"id":"bob"}', authHash: 'b', authCheckedAt: START - 7, remember: true },
    device: { userAgent: 'y', ip: '::2' },
  }
  const before = { ...anonymous, isForked: true }
  const end = START + LIFETIMES.rememberTimeout
  const plain = {
    ...{ ...before, ...identity, authenticatedAt: START, lastSeenAt: START, isForked: false },
    ...{ idleDeadline: end, absoluteDeadline: end },
  }
  t.strictSame(authenticated(before, identity, START, LIFETIMES), plain)
  const methods = [{ name: 'pwd', at: START }]
  t.strictSame(authenticated(before, { ...identity, methods, label: 'Phone' }, START, LIFETIMES), {
    ...{ ...plain, methods, label: 'Phone' },
  })
  t.match(authenticated({ ...before, label: 'Phone' }, { ...identity, label: null }, START, LIFETIMES), { label: null })
  t.match(authenticated({ ...before, label: 'Phone' }, identity, START, LIFETIMES), { label: 'Phone' })
  const lifetimes = { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 }
  const after = authenticated(before, { ...identity, lifetimes }, START, LIFETIMES)
  t.strictSame(after, { ...plain, lifetimes, idleDeadline: START + 3, absoluteDeadline: START + 3 })
  const actor = {
    ...{ userId: 'eve', user: '{"id":"eve"}', authHash: null, authCheckedAt: START, userAt: START, since: START },
    ...{ absoluteDeadline: START, remember: false, lifetimes: null, methods: [], data: '{}', reason: 'a ticket' },
  }
  const acting = authenticated({ ...before, acting: actor, pending: null }, identity, START, LIFETIMES)
  t.strictSame(acting, { ...plain, acting: null, pending: null })
})

t.test('a user comes with an id, a snapshot and the instant of a login, or with none of them', async (t) => {
  const nobody = { userId: null, user: null, authenticatedAt: null }
  t.ok(isRecord({ ...ann, ...nobody }))
  t.ok(isRecord({ ...ann, userId: storedName('tenant', 'ann') }), 'the name of the user in the store')
  for (const changes of [
    { userId: null },
    { user: null },
    { authenticatedAt: null },
    { ...nobody, userId: 'ann' },
    { ...nobody, user: '{"id":"ann"}' },
    { ...nobody, authenticatedAt: START },
    { userId: 'bob' },
    { userId: storedName('tenant', 'bob') },
    { user: '[]' },
    { user: '{"id":null}' },
  ]) {
    t.notOk(isRecord({ ...ann, ...changes }), JSON.stringify(changes))
  }
  for (const value of [undefined, null, 'a record', 5, [ann]]) t.notOk(isRecord(value))
})

t.test('a record that this process made or examined is examined no more', async (t) => {
  const made = { ...ann, secretHash: 5 as unknown as string }
  t.notOk(isRecord(made))
  trust(made)
  t.ok(isRecord(made))
  const examined: Record<string, unknown> = { ...ann }
  t.ok(isRecord(examined))
  examined['version'] = 'x'
  t.ok(isRecord(examined))
})

t.test('fields of the wrong type, one by one', async (t) => {
  const tip = { secretHash: 'tip', issuedAt: START, shownAt: START, isTied: true }
  const rival = { secretHash: 'rival', since: START, isTied: true }
  for (const changes of [
    ...[
      { label: 5 },
      { sparedAt: 'x' },
      { version: 1.5 },
      { epoch: NaN },
      { lastSeenAt: Infinity },
      { deviceKey: 'x' },
    ],
    ...[{ tip: 'x' }, { rivals: rival }, { rivals: [rival, 5] }, { device: 'x' }, { data: '[]' }, { data: 5 }],
    ...Object.keys(tip).map((name) => ({ tip: { ...tip, [name]: null } })),
    ...Object.keys(rival).map((name) => ({ rivals: [{ ...rival, [name]: null }] })),
    ...['userAgent', 'ip'].map((name) => ({ device: { userAgent: 'x', ip: '::1', [name]: null } })),
  ]) {
    t.notOk(isRecord({ ...ann, ...changes }), JSON.stringify(changes))
  }
  for (const changes of [{ label: null }, { label: 'Phone' }, { sparedAt: START }, { tip }, { rivals: [rival] }]) {
    t.ok(isRecord({ ...ann, ...changes }), JSON.stringify(changes))
  }
})
