import { runInNewContext } from 'node:vm'
import * as fc from 'fast-check'
import t from 'tap'
import { serialize } from '../../lib/session/json-data.ts'
import { findProblem, TOO_LARGE, Walk } from '../../lib/session/unfit-values.ts'
import type { Problem } from '../../lib/session/unfit-values.ts'
import { refusalOf } from '../support/refusal.ts'

/** Returns the problem of a value that is about to be stored. */
function stored(value: unknown, maxSize = Infinity): Problem | undefined {
  return findProblem(value, new Walk(maxSize, true))
}

/** Returns the problem of a value that is only compared with the JSON in the store. */
function compared(value: unknown, maxSize = Infinity): Problem | undefined {
  return findProblem(value, new Walk(maxSize))
}

const NAN = { path: '', kind: 'a number without a value' }

class Money {
  readonly cents: unknown = 5
}

/** A value whose `toJSON` returns a given answer. */
function answering(answer: unknown): object {
  return { toJSON: () => answer }
}

/** A list from another realm, such as that of `node:vm`. */
function foreign(code: string): unknown {
  return runInNewContext(code)
}

const SHARED = { city: 'Bern' }

t.test('plain data of any origin fits', async (t) => {
  for (const value of [
    ...['', 'text', 0, -1.5, true, false, null, undefined],
    ...[[], [null], {}, { none: undefined }, [[1], { a: [2] }]],
    ...[new Date(0), new URL('https://a.example/'), new Money(), Object.create(null)],
    ...[foreign('[1, { a: 1 }]'), foreign('({ a: [1] })'), new (class extends Array {})()],
    ...[{ home: SHARED, both: [SHARED, SHARED] }, { toJSON: 1 }],
    ...[answering(null), answering('text'), answering({ a: 1 }), answering([1]), answering(SHARED)],
    new (class extends Map {
      toJSON(): unknown {
        return [...this]
      }
    })(),
  ]) {
    t.equal(stored(value), undefined)
    t.equal(compared(value), undefined)
  }
})

t.test('a value that JSON would change is found by its path and its kind, stored or compared', async (t) => {
  const cycle: Record<string, unknown> = {}
  cycle['list'] = [cycle]
  for (const [value, path, kind] of [
    [Number.NaN, '', 'a number without a value'],
    [{ a: [1, { b: Infinity }] }, '.a.1.b', 'a number without a value'],
    [[() => undefined], '.0', 'a function'],
    [{ s: Symbol('s') }, '.s', 'a symbol'],
    [{ b: 1n }, '.b', 'a bigint'],
    [cycle, '.list.0', 'a cycle'],
    [[1, undefined], '.1', 'undefined, which JSON makes null'],
    [{ p: Promise.resolve() }, '.p', 'a Promise: await it'],
    [{ p: Object.assign(Promise.resolve(), { toJSON: () => 1 }) }, '.p', 'a Promise: await it'],
    [{ d: new Date(Number.NaN) }, '.d', 'an invalid Date'],
    [{ b: Buffer.from('x') }, '.b', 'a Uint8Array: store its text, in base64 for example'],
    [{ b: new Uint16Array(1) }, '.b', 'a Uint16Array: store its text, in base64 for example'],
    [{ b: new ArrayBuffer(1) }, '.b', 'a ArrayBuffer'],
    [{ m: new Map() }, '.m', 'a Map'],
    [{ m: foreign('new Map()') }, '.m', 'a Map'],
    [{ e: new Error('x') }, '.e', 'a Error'],
    [{ m: Object.assign(new Money(), { cents: 5n }) }, '.m.cents', 'a bigint'],
  ] as [unknown, string, string][]) {
    t.strictSame(stored(value), { path, kind })
    t.strictSame(compared(value), { path, kind })
  }
})

t.test('what JSON would leave out of a stored value is found', async (t) => {
  class Tagged {
    readonly [Symbol.toStringTag] = 'Map'
  }
  const getter = Object.defineProperty({ a: 1 }, 'now', { enumerable: true, get: () => t.fail('is never called') })
  const match = 'abc'.match(/b/)
  for (const [value, path, kind] of [
    [{ a: { [Symbol('deep')]: 1 } }, '.a', 'an object with a symbol for a key'],
    [{ a: { [Symbol.toStringTag]: 'Map' } }, '.a', 'an object with a symbol for a key'],
    [Object.assign(Object.create(null), { [Symbol.toStringTag]: 'Map' }), '', 'an object with a symbol for a key'],
    [{ a: [{ now: getter }] }, '.a.0.now.now', 'a getter'],
    [{ a: match }, '.a.index', 'a member of a list, which JSON leaves out'],
    [{ a: answering(undefined) }, '.a', 'an object with a toJSON that returns nothing'],
    [{ a: answering(Promise.resolve(1)) }, '.a', 'a Promise: await it'],
    [{ a: answering(1n) }, '.a', 'a bigint'],
    [{ a: answering({ b: [Number.NaN] }) }, '.a.b.0', 'a number without a value'],
    [{ a: answering([undefined]) }, '.a.0', 'undefined, which JSON makes null'],
  ] as [unknown, string, string][]) {
    t.strictSame(stored(value), { path, kind })
  }
  t.strictSame(stored(new Tagged()), { path: '', kind: 'a Map' }, 'an object is of the kind that it says')
})

t.test(
  'data that is only compared is not searched for parts that JSON leaves out, and no toJSON is called',
  async (t) => {
    const unasked = { toJSON: () => t.fail('is never called') }
    for (const value of [
      { [Symbol('deep')]: 1 },
      { [Symbol.toStringTag]: 'Map' },
      Object.assign([1], { [Symbol.toStringTag]: 'Map' }),
      Object.defineProperty({}, 'now', { enumerable: true, get: () => 1 }),
      'abc'.match(/b/),
      unasked,
      [unasked],
    ]) {
      t.equal(compared(value), undefined)
    }
  },
)

t.test('the answer of a toJSON is not asked for a toJSON of its own, as in JSON itself', async (t) => {
  class Answer {
    readonly price: unknown
    constructor(price: unknown) {
      this.price = price
    }
    toJSON(): unknown {
      return this
    }
  }
  class List extends Array {
    toJSON(): unknown {
      return this
    }
  }
  t.equal(stored(new Answer(1)), undefined)
  t.equal(stored(List.of(1)), undefined)
  t.equal(stored(answering(new Answer(1))), undefined)
  t.strictSame(stored(answering(new Answer(Number.NaN))), { ...NAN, path: '.price' })
  t.strictSame(stored(answering(List.of(undefined))), { path: '.0', kind: 'undefined, which JSON makes null' })
  t.equal(stored({ toJSON: (key: string) => (key === '' ? 1 : 1n) }), undefined, 'the key is that of JSON.stringify')
})

t.test('data may have 100 levels, and no more', async (t) => {
  const nested = (depth: number): unknown => JSON.parse('['.repeat(depth) + ']'.repeat(depth))
  t.equal(stored(nested(100)), undefined)
  const refusal = refusalOf(() => stored(nested(101)))
  t.match(refusal, { code: 'SESSION_RECORD_TOO_LARGE', detail: 'nested over 100 levels deep' })
  t.equal(stored(Array.from({ length: 200 }, () => [1])), undefined, 'levels beside each other do not add up')
})

t.test('data is too large as soon as its JSON is certainly larger than allowed', async (t) => {
  for (const value of ['', 'abc', 7, [1], ['a', 2, [3]], [{}], {}, { a: 1 }, { key: 'text' }, { a: {} }]) {
    const { length } = JSON.stringify(value)
    t.equal(stored(value, length), undefined, JSON.stringify(value))
    t.equal(stored(value, length - 1), TOO_LARGE, JSON.stringify(value))
  }
  t.equal(stored([null, null], 2), TOO_LARGE)
  t.equal(stored([{ a: 'text' }], 10), TOO_LARGE, 'the path of the data plays no part')
  t.strictSame(stored('abc', 4), { path: '', kind: 'too large' })
})

t.test('the refusal of data that is too large says how much is allowed', async (t) => {
  const refusal = refusalOf(() => serialize({ text: 'x'.repeat(40) }, 30))
  t.match(refusal, { code: 'SESSION_RECORD_TOO_LARGE', detail: 'over 30 bytes, 30 allowed' })
})

t.test('a member that a toJSON removes on the way is absent, as in JSON itself', async (t) => {
  const data: Record<string, unknown> = { first: { toJSON: () => delete data['second'] }, second: 1 }
  t.equal(stored(data), undefined)
})

t.test('data that fits is never taken for too large', async (t) => {
  const value = fc.anything({
    maxDepth: 3,
    values: [fc.string(), fc.integer(), fc.boolean(), fc.constantFrom(null, undefined)],
  })
  fc.assert(
    fc.property(fc.dictionary(fc.string(), value), (data) => {
      const { length } = JSON.stringify(data)
      return stored(data, length) !== TOO_LARGE && compared(data, length) !== TOO_LARGE
    }),
  )
  t.pass()
})
