import t from 'tap'
import type { Test } from 'tap'
import { hasFields, hasUnknownFields, isObject, parseObject } from '../../lib/session/record-shape.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

const NOW = Date.UTC(2026, 0, 1)

const lifetimes = { idleTimeout: 1, absoluteTimeout: 2, rememberTimeout: 3 }
const other = { userId: 'root', user: '{"id":"root"}', authHash: null, methods: [{ name: 'password', at: 1 }] }
const pending = { ...other, until: 5 }
const acting = {
  ...other,
  authCheckedAt: 1,
  userAt: 2,
  absoluteDeadline: 3,
  since: 4,
  remember: false,
  reason: '',
  lifetimes,
  data: '{}',
}

/** A record with each field that a record may have. */
const full: Record<string, unknown> = {
  ...recordAt(NOW),
  label: 'Kiosk',
  sparedAt: 1,
  userAt: 2,
  methods: [{ name: 'password', at: 1 }],
  pending,
  acting,
  lifetimes,
}

const OPTIONAL = new Set(['label', 'sparedAt', 'userAt', 'methods', 'pending', 'acting', 'lifetimes'])

const NULLABLE = new Set([
  ...['label', 'userId', 'user', 'authHash', 'authenticatedAt', 'tip', 'heldBack', 'device', 'deviceKey'],
  ...['pending', 'acting', 'lifetimes'],
])

/** Values of which each field accepts some. */
const VALUES: readonly unknown[] = ['', 1, 1.5, -1, Number.NaN, Infinity, true, [], [1], {}, () => 1]

/** Returns the values that a plain field accepts, for the type of its example. */
function accepted(name: string, example: unknown): readonly unknown[] {
  if (name === 'rivals' || name === 'methods') return [[]]
  if (name === 'data' || isObject(example)) return []
  if (typeof example === 'boolean') return [true]
  if (['version', 'epoch', 'generation'].includes(name)) return [1, -1]
  if (typeof example === 'number') return [1, 1.5, -1]
  return ['']
}

t.test('each field of a record has its type, and few may be absent', async (t) => {
  t.ok(hasFields(full))
  t.ok(hasFields(recordAt(NOW)))
  for (const [name, example] of Object.entries(full)) {
    if (name === 'deviceKey') continue
    const { [name]: _left, ...rest } = full
    t.equal(hasFields(rest), OPTIONAL.has(name), `${name} is absent`)
    t.equal(hasFields({ ...full, [name]: null }), NULLABLE.has(name), `${name} is null`)
    const fine = accepted(name, example === null ? '' : example)
    for (const value of VALUES) {
      const isFine = fine.some((one) => JSON.stringify(one) === JSON.stringify(value)) && !Number.isNaN(value)
      t.equal(hasFields({ ...full, [name]: value }), isFine && value !== Infinity, `${name}: ${String(value)}`)
    }
  }
  for (const value of [undefined, null, '', [], 1]) t.notOk(hasFields(value))
})

/** Asserts that each field of an object inside of a record is needed, and no field takes a value of another type. */
function needsEach(t: Test, path: string, whole: Record<string, unknown>, wrap: (value: unknown) => unknown): void {
  const isTaken = (value: unknown): boolean => hasFields({ ...full, [path]: wrap(value) })
  t.ok(isTaken(whole), path)
  for (const name of Object.keys(whole)) {
    const { [name]: _left, ...rest } = whole
    t.notOk(isTaken(rest), `${path} without ${name}`)
    t.notOk(isTaken({ ...whole, [name]: [1] }), `${path} with a list as ${name}`)
    t.notOk(isTaken({ ...whole, [name]: () => 1 }), `${path} with a function as ${name}`)
  }
  for (const value of ['', 1, [], {}]) t.notOk(isTaken(value), `${path}: ${JSON.stringify(value)}`)
}

t.test('the objects inside of a record have each of their fields', async (t) => {
  const itself = (value: unknown): unknown => value
  const listed = (value: unknown): unknown => [value]
  needsEach(t, 'tip', { secretHash: '', issuedAt: 1, shownAt: 2, isTied: true }, itself)
  needsEach(t, 'rivals', { secretHash: '', since: 1, isTied: true }, listed)
  needsEach(t, 'device', { userAgent: '', ip: '' }, itself)
  needsEach(t, 'methods', { name: '', at: 1 }, listed)
  needsEach(t, 'lifetimes', lifetimes, itself)
  needsEach(t, 'pending', pending, itself)
  needsEach(t, 'acting', acting, itself)
  t.notOk(hasFields({ ...full, methods: [{ name: '', at: 1 }, 1] }), 'each member of a list counts')
})

t.test('a user beside the one of the record comes with their own id, and an actor with data', async (t) => {
  t.notOk(hasFields({ ...full, pending: { ...pending, user: '{"id":"ann"}' } }))
  t.notOk(hasFields({ ...full, pending: { ...pending, user: 'no JSON' } }))
  t.ok(hasFields({ ...full, pending: { ...pending, authHash: 'x' } }))
  t.notOk(hasFields({ ...full, pending: { ...pending, userId: 5, user: '{"id":5}' } }))
  t.ok(hasFields({ ...full, acting: { ...acting, lifetimes: null } }))
  t.notOk(hasFields({ ...full, acting: { ...acting, lifetimes: undefined } }))
  t.notOk(hasFields({ ...full, acting: { ...acting, data: '[]' } }))
})

t.test('data is the JSON of an object that reaches for no prototype', async (t) => {
  t.strictSame(parseObject('{"a":1}'), { a: 1 })
  for (const json of ['', '[]', 'null', '1', '"a"', '{"a":', '{"__proto__":{}}']) {
    t.equal(parseObject(json), undefined, json)
    t.notOk(hasFields({ ...full, data: json }), json)
  }
  t.equal(parseObject('{"constructor":{"prototype":{"a":1}}}'), undefined)
})

t.test('an object is no list and not null', async (t) => {
  for (const value of [undefined, null, [], '', 1, () => 1]) t.notOk(isObject(value))
  t.ok(isObject({}))
})

t.test('a field of a later version is noticed', async (t) => {
  t.notOk(hasUnknownFields(recordAt(NOW)))
  t.ok(hasUnknownFields({ ...recordAt(NOW), later: 1 } as never))
  t.ok(hasUnknownFields({ ...recordAt(NOW), toString: 1 } as never), 'a name of every object is no field')
})
