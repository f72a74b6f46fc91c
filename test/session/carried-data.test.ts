import t from 'tap'
import { carriedData, harmlessData } from '../../lib/session/carried-data.ts'
import { serialize } from '../../lib/session/json-data.ts'

t.test('the data of an old session loses the names that reach for a prototype, also inside', async (t) => {
  const old = JSON.parse(
    '{"a":{"__proto__":{"userId":"eve"},"list":[{"constructor":{"prototype":{"x":1}},"b":2}]},"__proto__":{"c":3}}',
  ) as Record<string, unknown>
  const harmless = harmlessData(old)
  t.strictSame(harmless, { a: { list: [{ b: 2 }] } })
  t.equal(JSON.stringify(harmless), '{"a":{"list":[{"b":2}]}}', 'and not as a member of its own')
  t.not(harmless, old)
  t.ok(Object.hasOwn(old, '__proto__'), 'the old data is as it was')
})

t.test('a name of the session object gets as many underscores as it takes to be nobody else’s', async (t) => {
  const carried = (data: object): unknown => JSON.parse(carriedData({ ...data }))
  t.strictSame(carried({ cart: [1], note: null }), { cart: [1], note: null })
  t.strictSame(carried({ cookie: 1 }), { _cookie: 1 })
  t.strictSame(carried({ cookie: 1, _cookie: 2 }), { __cookie: 1, _cookie: 2 })
  t.strictSame(carried({ _cookie: 2, cookie: 1 }), { _cookie: 2, __cookie: 1 })
  t.strictSame(carried({ get: 1, toString: 2, _toString: 3, __toString: 4 }), {
    _get: 1,
    ___toString: 2,
    _toString: 3,
    __toString: 4,
  })
  t.equal(carriedData({}), '{}')
})

t.test('a value that no session could write again is dropped, and the others stay', async (t) => {
  const nested = (levels: number): unknown => (levels === 0 ? 1 : [nested(levels - 1)])
  const isWritable = (value: unknown): boolean => {
    try {
      return serialize({ value }) !== ''
    } catch {
      return false
    }
  }
  const depths = Array.from({ length: 20 }, (_, index) => 90 + index)
  t.ok(isWritable(nested(90)) && !isWritable(nested(109)))
  for (const depth of depths) {
    const value = nested(depth)
    const expected = isWritable(value) ? { before: 1, value, after: 2 } : { before: 1, after: 2 }
    t.strictSame(JSON.parse(carriedData({ before: 1, value, after: 2 })), expected, `${depth} levels`)
  }
})
