import * as fc from 'fast-check'
import t from 'tap'
import { SecureSessionError } from '../../lib/errors.ts'
import {
  edited,
  isReserved,
  isSameData,
  parseData,
  rebase,
  refuseAccessor,
  refuseOversize,
  refuseReserved,
  serialize,
  serializeValue,
} from '../../lib/session/json-data.ts'

function refusal(data: Record<string, unknown>): SecureSessionError | undefined {
  try {
    serialize(data)
    return undefined
  } catch (error) {
    return error instanceof SecureSessionError ? error : undefined
  }
}

t.test('names of methods, of the cookie, and ways to a prototype hold no data', async (t) => {
  const names = ['cookie', 'sessionId', 'encryptedSessionId', 'get', 'set', 'save', 'destroy', 'regenerate', 'reload']
  for (const name of [...names, 'touch', 'options', 'isModified', 'isSaved', '__proto__', 'constructor']) {
    t.ok(isReserved(name), name)
    t.throws(() => refuseReserved(name), { code: 'SESSION_KEY_RESERVED', statusCode: 400 })
  }
  t.ok(isReserved(Symbol.iterator))
  for (const name of ['user', 'cart', 'Cookie', '', '0', 'proto']) t.notOk(isReserved(name), name)
})

t.test('a name in a message is short and on one line', async (t) => {
  try {
    refuseReserved('cookie')
  } catch (error) {
    t.match((error as Error).message, /\("cookie"\)$/)
  }
  const long = refusal({ ['x\n'.repeat(5000)]: () => undefined })
  t.ok((long?.message.length ?? 0) < 300)
  t.notMatch(long, { message: /\n/ })
})

t.test('a value that JSON cannot carry is refused by the path to it', async (t) => {
  const cycle: Record<string, unknown> = {}
  cycle['self'] = cycle
  const wrong: [path: string, kind: string, data: Record<string, unknown>][] = [
    ['"f"', 'a function', { f: () => undefined }],
    ['"s"', 'a symbol', { s: Symbol('s') }],
    ['"b"', 'a bigint', { b: 1n }],
    ['"n"', 'a number without a value', { n: Number.NaN }],
    ['"n"', 'a number without a value', { n: -Infinity }],
    ['"m"', 'a Map', { m: new Map([['a', 1]]) }],
    ['"s"', 'a Set', { s: new Set() }],
    ['"c.self"', 'a cycle', { c: cycle }],
    ['"cart.items.1.price"', 'a bigint', { cart: { items: [{ price: 1 }, { price: 2n }] } }],
  ]
  for (const [path, kind, data] of wrong) {
    const error = refusal(data)
    t.match(error, { code: 'SESSION_VALUE_UNSERIALIZABLE', statusCode: 500 })
    t.ok(error?.message.endsWith(`(${path} is ${kind})`), `${path} is ${kind}`)
  }
})

t.test('a toJSON that throws is refused by its key, and its words stay in the cause', async (t) => {
  const cause = new Error('card 4111')
  const error = refusal({
    card: {
      toJSON() {
        throw cause
      },
    },
  })
  t.match(error, { code: 'SESSION_VALUE_UNSERIALIZABLE', cause })
  t.notMatch(error, { message: /4111/ })
})

t.test('one object in two places is no cycle', async (t) => {
  const address = { city: 'Bern' }
  t.equal(
    serialize({ home: address, both: [address, address] }),
    '{"home":{"city":"Bern"},"both":[{"city":"Bern"},{"city":"Bern"}]}',
  )
})

t.test('values that JSON carries in its own way are stored: dates, undefined, nested nulls', async (t) => {
  t.equal(
    serialize({ at: new Date(0), none: undefined, list: [null], text: '\u2028' }),
    '{"at":"1970-01-01T00:00:00.000Z","list":[null],"text":"\u2028"}',
  )
})

function nested(depth: number): unknown {
  return JSON.parse('['.repeat(depth) + ']'.repeat(depth))
}

t.test('data nested too deeply is refused, not walked', async (t) => {
  t.equal(refusal({ deep: nested(100) }), undefined)
  t.match(refusal({ deep: nested(101) }), { code: 'SESSION_RECORD_TOO_LARGE', statusCode: 413 })
  t.match(refusal({ deep: nested(50_000) }), { code: 'SESSION_RECORD_TOO_LARGE' })
  t.match(refusal({ from: { toJSON: 1, client: nested(101) } }), { code: 'SESSION_RECORD_TOO_LARGE' })
})

t.test(
  'a nested name that reaches for a prototype is refused when written, or the record could not be read again',
  async (t) => {
    for (const poison of [
      '{"a":{"__proto__":{"x":1}}}',
      '[{"constructor":{"prototype":{"x":1}}}]',
      '{"__proto__":1}',
    ]) {
      const error = refusal({ settings: JSON.parse(poison) as unknown })
      t.match(error, { code: 'SESSION_KEY_RESERVED', statusCode: 400 }, poison)
      t.match(error, { message: /"settings"/ })
    }
    t.equal(
      refusal({ words: ['__proto__', 'constructor'], text: '"__proto__":' }),
      undefined,
      'as a value it is a word',
    )
    t.equal(refusal({ words: { constructor: 'Ann Co.' } }), undefined, 'without a prototype below it is a word too')
  },
)

t.test('all data that can be stored can be read again', async (t) => {
  const key = fc.string({ maxLength: 12 }).filter((name) => !isReserved(name))
  const value = fc.jsonValue({ maxDepth: 4 })
  fc.assert(
    fc.property(fc.dictionary(key, value), (data) => {
      let json
      try {
        json = serialize(data)
      } catch (error) {
        return error instanceof SecureSessionError && error.code === 'SESSION_KEY_RESERVED'
      }
      t.same(parseData(json), JSON.parse(json))
      return JSON.stringify(JSON.parse(json)) === JSON.stringify(JSON.parse(JSON.stringify(data)))
    }),
  )
})

t.test('text that is no safe JSON object is no data', async (t) => {
  for (const json of [
    '',
    'null',
    '[]',
    '7',
    '{',
    '{"__proto__":{}}',
    '{"a":{"__proto__":1}}',
    '{"constructor":{"prototype":1}}',
  ]) {
    t.same(parseData(json), {}, json)
  }
})

t.test('reserved names that a foreign writer put into a record never reach the session object', async (t) => {
  t.same(parseData('{"cookie":{"expires":"2000-01-01"},"save":1,"a":2}'), { a: 2 })
})

t.test('an edit changes its own keys, and leaves the keys of other requests alone', async (t) => {
  const json = fc.dictionary(fc.constantFrom('a', 'b', 'c', 'd'), fc.nat(3))
  fc.assert(
    fc.property(json, json, json, (before, after, others) => {
      const [from, to] = [serialize(before), serialize(after)]
      t.same(JSON.parse(rebase(from, from, to)), after)
      const merged = JSON.parse(rebase(JSON.stringify(others), from, to)) as Record<string, number>
      for (const key of ['a', 'b', 'c', 'd']) {
        const expected = before[key] === after[key] ? others[key] : after[key]
        if (merged[key] !== expected) return false
      }
      return true
    }),
    { numRuns: 300 },
  )
})

t.test('data is the same only if nothing in it would get lost', async (t) => {
  t.ok(isSameData({ a: 1 }, '{"a":1}'))
  t.notOk(isSameData({ a: 2 }, '{"a":1}'))
  t.notOk(isSameData({ f: () => undefined }, '{}'))
  t.notOk(isSameData({ a: { f: () => undefined } }, '{"a":{}}'))
  t.notOk(isSameData({ m: new Map([['a', 1]]) }, '{"m":{}}'))
  t.notOk(isSameData({ n: Number.NaN }, '{"n":null}'))
  t.notOk(isSameData({ b: 1n }, '{}'))
})

t.test('no change leaves the text as it is', async (t) => {
  t.equal(rebase('{ "a" : 1 }', '{"b":2}', '{"b":2}'), '{ "a" : 1 }')
})

t.test('a value that JSON would change in silence is refused, with its path and its kind', async (t) => {
  for (const [value, says] of [
    [Promise.resolve(), /"x.a" is a Promise: await it/],
    [/x/, /is a RegExp/],
    [new Error('x'), /is a Error/],
    [new WeakMap(), /is a WeakMap/],
    [(function* () {})(), /is a Generator/],
    [new Blob([]), /is a Blob/],
    [new URLSearchParams('a=1'), /is a URLSearchParams/],
    [new Uint8Array(2), /is a Uint8Array: store its text/],
    [Buffer.from('x'), /is a Uint8Array: store its text/],
    [new DataView(new ArrayBuffer(1)), /is a DataView/],
    [new ArrayBuffer(1), /is a ArrayBuffer/],
    [new Date(Number.NaN), /is an invalid Date/],
    [[1, undefined], /"x.a.1" is undefined, which JSON makes null/],
    // oxlint-disable-next-line no-sparse-arrays -- a hole is what is tested
    [[1, , 2], /"x.a.1" is undefined/],
    ['abc'.match(/b/), /"x.a.index" is a member of a list, which JSON leaves out/],
    [{ [Symbol('deep')]: 1 }, /"x.a" is an object with a symbol for a key/],
    [{ toJSON: async () => 1 }, /"x.a" is a Promise: await it/],
    [{ toJSON: () => new Map() }, /"x.a" is a Map/],
    [{ toJSON: () => ({ b: Number.NaN }) }, /"x.a.b" is a number without a value/],
    [{ toJSON: () => [undefined] }, /"x.a.0" is undefined/],
    [{ toJSON: () => undefined }, /"x.a" is an object with a toJSON that returns nothing/],
  ] as [unknown, RegExp][]) {
    t.match(refusal({ x: { a: value } }), { code: 'SESSION_VALUE_UNSERIALIZABLE', message: says })
  }
  const counting = { reads: 0 }
  const getter = Object.defineProperty({}, 'now', { enumerable: true, get: () => (counting.reads += 1) })
  t.match(refusal({ x: getter }), { code: 'SESSION_VALUE_UNSERIALIZABLE', message: /"x.now" is a getter/ })
  t.match(refusal({ x: [{ a: getter }] }), { message: /"x.0.a.now" is a getter/ })
  t.equal(counting.reads, 0, 'and it is never called')
})

t.test('objects with a toJSON, and plain objects of any origin, are stored as their JSON', async (t) => {
  class Money {
    readonly cents = 5
  }
  t.equal(
    serialize({
      url: new URL('https://a.example/'),
      money: new Money(),
      bare: Object.assign(Object.create(null), { a: 1 }),
      itself: new (class {
        readonly a = 1
        toJSON(): unknown {
          return this
        }
      })(),
    }),
    '{"url":"https://a.example/","money":{"cents":5},"bare":{"a":1},"itself":{"a":1}}',
  )
})

t.test('every member of the session, and every name of the prototype of all objects, is reserved', async (t) => {
  const members = ['cookie', 'sessionId', 'encryptedSessionId', 'get', 'set', 'options', 'touch', 'save', 'reload']
  const others = ['regenerate', 'destroy', 'isModified', 'isSaved', 'expiresAt', 'update', 'signal']
  for (const name of [...members, ...others, ...Object.getOwnPropertyNames(Object.prototype)]) {
    t.throws(() => refuseReserved(name), { code: 'SESSION_KEY_RESERVED', message: `("${name}")` }, name)
  }
  t.doesNotThrow(() => refuseReserved('cart'))
  t.throws(() => refuseReserved(Symbol('deep')), { message: '("Symbol(deep)")' })
})

t.test('an accessor is refused by its name', async (t) => {
  const message = '("total" is a getter or a setter)'
  t.throws(() => refuseAccessor('total'), { code: 'SESSION_VALUE_UNSERIALIZABLE', message })
})

t.test('data is as large as its bytes, and may be as large as the limit', async (t) => {
  t.doesNotThrow(() => refuseOversize('{"a":"\u00e9"}', 10))
  const error = { code: 'SESSION_RECORD_TOO_LARGE', statusCode: 413, message: '(10 bytes, 9 allowed)' }
  t.throws(() => refuseOversize('{"a":"\u00e9"}', 9), error)
  const early = { code: 'SESSION_RECORD_TOO_LARGE', message: '(over 50 bytes, 50 allowed)' }
  t.throws(() => serialize({ a: 'x'.repeat(60) }, 50), early, 'long before its text is made')
  t.throws(() => serialize({ a: 'x'.repeat(30), b: 'x'.repeat(30) }, 50), early, 'all values count')
})

t.test('one value is refused as data is, by the name that it was given', async (t) => {
  t.equal(serializeValue({ a: [1] }, 'draft'), '{"a":[1]}')
  t.equal(serializeValue(undefined, 'draft'), undefined)
  for (const [value, message] of [
    [{ a: 1n }, '("draft.a" is a bigint)'],
    [{ [Symbol('s')]: 1 }, '("draft" is an object with a symbol for a key)'],
    [new Map(), '("draft" is a Map)'],
  ] as const) {
    t.throws(() => serializeValue(value, 'draft'), { code: 'SESSION_VALUE_UNSERIALIZABLE', message })
  }
  t.throws(() => serializeValue(JSON.parse('{"__proto__":1}'), 'draft'), {
    code: 'SESSION_KEY_RESERVED',
    message: '(inside "draft")',
  })
})

t.test('data that cannot be read through is not the same', async (t) => {
  const bad = {
    toJSON(): never {
      throw new Error('no')
    },
  }
  t.equal(isSameData({ bad }, '{"bad":{}}'), false)
})

t.test('an edit of the latest data is that edit, to the order of its names; a whole one replaces all', async (t) => {
  t.equal(rebase('{"a":1,"b":2}', '{"a":1,"b":2}', '{"b":2,"a":1}'), '{"b":2,"a":1}')
  const edit = { from: '{"a":1}', to: '{"a":2}' }
  t.equal(edited('{"a":1,"b":1}', { ...edit, isWhole: false }), '{"a":2,"b":1}')
  t.equal(edited('{"a":1,"b":1}', { ...edit, isWhole: true }), '{"a":2}')
})

t.test('of a whole edit, kept keys have what was written to them last', async (t) => {
  const edit = { from: '{"a":1,"b":1}', to: '{"a":1,"b":2,"own":1}', isWhole: true, kept: ['a', 'b', 'late'] }
  t.equal(edited('{"a":5,"b":5,"late":5,"other":5}', edit), '{"a":5,"b":2,"late":5,"own":1}')
  t.equal(edited('{"other":5}', edit), '{"b":2,"own":1}', 'a key that somebody removed stays away')
  t.equal(edited('{"a":1}', { from: '{"a":1}', to: '{"a":1}', isWhole: true, kept: ['a'] }), '{"a":1}')
  t.equal(edited('{"save":1}', { from: '{}', to: '{}', isWhole: true, kept: ['save'] }), '{}')
})
