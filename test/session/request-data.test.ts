import t from 'tap'
import type { SessionData } from '../../lib/session/json-data.ts'
import { RequestData } from '../../lib/session/request-data.ts'

/** Data whose object is its values, and the number of times that somebody opened the data. */
function dataOf(json: string): { data: RequestData; opened: () => number; object: () => SessionData } {
  let count = 0
  const data = new RequestData(json, (_own, values) => {
    count += 1
    return values
  })
  return { data, opened: () => count, object: () => data.object as unknown as SessionData }
}

t.test('data that nobody opened costs no parse, and reads as unchanged', async (t) => {
  const { data, opened } = dataOf('{"a":{}}')
  t.equal(data.isModified(), false)
  t.equal(data.isDeep, false)
  t.equal(data.isWhole, false)
  t.equal(data.isAllOwn, false)
  t.equal(data.isDestroyed, false)
  t.equal(data.holds({}), false)
  t.strictSame(data.edit(1), { from: '{"a":{}}', to: '{"a":{}}', isWhole: false })
  t.equal(opened(), 0)
})

t.test('opened data is one object, which knows what changed in it', async (t) => {
  const { data, opened, object } = dataOf('{"a":1}')
  const values = object()
  t.strictSame(values, { a: 1 })
  t.equal(object(), values)
  t.equal(opened(), 1)
  t.equal(data.holds(values), true)
  t.equal(data.holds({ ...values }), false)
  t.equal(data.isModified(), false)
  values['b'] = 2
  t.equal(data.isModified(), true)
  t.strictSame(data.edit(100), { from: '{"a":1}', to: '{"a":1,"b":2}', isWhole: false })
})

t.test('data is deep where the app may change something inside it unseen', async (t) => {
  const cases: [json: string, isDeep: boolean][] = [
    ['{}', false],
    ['{"a":null}', false],
    ['{"a":"text","b":1,"c":true}', false],
    ['{"a":1,"b":{}}', true],
    ['{"a":[],"b":1}', true],
  ]
  for (const [json, isDeep] of cases) {
    const { data, object } = dataOf(json)
    object()
    t.equal(data.isDeep, isDeep, json)
  }
})

t.test('data that was stored under a larger limit may stay, and nothing may grow beyond both', async (t) => {
  const tooLarge = { code: 'SESSION_RECORD_TOO_LARGE' }
  const stored = JSON.stringify({ a: 'x'.repeat(100) })
  const large = dataOf(stored)
  t.equal(large.object()['a'], 'x'.repeat(100))
  t.equal(large.data.edit(10).to, stored)
  large.object()['b'] = 'y'.repeat(100)
  t.throws(() => large.data.edit(10), tooLarge)
  t.equal(large.data.edit(1_000).to.length, stored.length + 107)
})

t.test('data of another write takes the place of the old, and later changes of the request stay', async (t) => {
  for (const isStored of [true, false]) {
    const { data, object } = dataOf('{"a":1,"gone":1}')
    const values = object()
    values['late'] = 3
    data.adopt('{"a":2}', '{"a":1,"gone":1}', '{"a":1,"gone":1,"late":3}', isStored)
    t.equal(object(), values)
    t.strictSame({ ...values }, { a: 2, late: 3 })
    t.equal(data.edit(100).from, isStored ? '{"a":2}' : '{"a":1,"gone":1}')
  }
})

t.test('after a write the request starts from what it wrote, or from the record if it read nothing', async (t) => {
  const unread = dataOf('{"a":1}')
  unread.data.markWritten(unread.data.edit(100), '{"a":1,"other":2}')
  t.strictSame(unread.object(), { a: 1, other: 2 })
  const read = dataOf('{"a":1}')
  read.object()['b'] = 2
  read.data.markWritten(read.data.edit(100), '{"a":1,"b":2,"other":3}')
  t.equal(read.data.isModified(), false)
  t.strictSame(read.data.edit(100), { from: '{"a":1,"b":2}', to: '{"a":1,"b":2}', isWhole: false })
})

t.test('the keys to keep stay with their present values, and the old object holds nothing any more', async (t) => {
  const { data, object } = dataOf('{"kept":1,"other":2}')
  const old = object()
  old['kept'] = 'newer'
  old['new'] = 3
  const kept = ['kept', 'new', 'absent', 'toString', 'save']
  data.keepOnly(kept)
  t.equal(data.holds(old), false)
  t.strictSame(object(), { kept: 'newer', new: 3 })
  t.equal(data.isWhole, true)
  t.equal(data.isAllOwn, false)
  t.strictSame(data.edit(100), { from: '{"kept":1}', to: '{"kept":"newer","new":3}', isWhole: true, kept })
  data.markWritten(data.edit(100), '{"kept":"newer","new":3}')
  t.equal(data.isWhole, false)
})

t.test('of keys that are kept twice, those stay that were kept both times', async (t) => {
  const { data, object } = dataOf('{"a":1,"b":2}')
  data.keepOnly(['a'])
  object()['b'] = 'own'
  data.keepOnly(['a', 'b'])
  t.strictSame(object(), { a: 1, b: 'own' })
  t.strictSame(data.edit(100), { from: '{"a":1}', to: '{"a":1,"b":"own"}', isWhole: true, kept: ['a'] })
})

t.test('a name of the session object is not kept, although the object has it', async (t) => {
  const data = new RequestData('{"a":1}', (_own, values) => ({ ...values, save: 'a member' }))
  data.keepOnly(['a', 'save'])
  t.equal(data.edit(100).to, '{"a":1}')
})

t.test('data of which nothing is kept is all the request wrote', async (t) => {
  const { data, object } = dataOf('{"a":1}')
  data.keepOnly([])
  t.equal(data.isAllOwn, true)
  t.equal(data.isWhole, true)
  t.strictSame(object(), {})
  t.strictSame(data.edit(100), { from: '{}', to: '{}', isWhole: true, kept: [] })
})

t.test('a key is removed, and data that cannot hold the key stays unopened', async (t) => {
  const without = dataOf('{"a":1}')
  without.data.removeKey('b')
  t.equal(without.opened(), 0)
  const unopened = dataOf('{"a":1,"b":2}')
  unopened.data.removeKey('b')
  t.equal(unopened.data.edit(100).to, '{"a":1}')
  t.equal(unopened.opened(), 1)
  const open = dataOf('{}')
  const values = open.object()
  values['b'] = 2
  open.data.removeKey('b')
  t.equal(open.object(), values)
  t.strictSame(values, {})
})

t.test('data goes back to a backup, with the object of that time', async (t) => {
  const { data, object } = dataOf('{"_csrf":1,"a":1}')
  const values = object()
  values['a'] = 2
  const back = data.backup()
  data.removeKey('_csrf')
  data.keepOnly([])
  object()['late'] = 1
  t.equal(data.holds(values), false)
  t.equal(back(), data)
  t.equal(object(), values)
  t.strictSame(data.edit(100), { from: '{"_csrf":1,"a":1}', to: '{"_csrf":1,"a":2}', isWhole: false })
  t.strictSame([data.isWhole, data.isAllOwn], [false, false])
  t.strictSame({ ...(data.afresh('{"_csrf":3}').object as object) }, { _csrf: 3 }, 'nothing is taken away any more')
  const unopened = dataOf('{"_csrf":1}')
  const closed = unopened.data.backup()
  unopened.data.removeKey('_csrf')
  closed()
  t.strictSame(unopened.data.edit(100), { from: '{"_csrf":1}', to: '{"_csrf":1}', isWhole: false })
  t.strictSame(unopened.object(), { _csrf: 1 })
})

t.test('what changed deep inside the data goes too, and what did not is the same object', async (t) => {
  const { data, object } = dataOf('{"cart":[1],"same":{"b":1}}')
  const { cart, same } = object() as { cart: number[]; same: object }
  object()['f'] = () => 1
  object()['big'] = { n: 1n }
  const back = data.backup()
  data.keepOnly(['cart', 'same'])
  cart.push(2)
  back()
  const now = object()
  t.strictSame(now['cart'], [1])
  t.equal(now['same'], same)
  t.type(now['f'], 'function', 'a value that JSON cannot carry stays')
  t.strictSame(now['big'], { n: 1n })
})

t.test('data goes back to what was kept before, if more was taken away since', async (t) => {
  const { data } = dataOf('{"a":1,"b":2}')
  data.keepOnly(['a'])
  const back = data.backup()
  data.keepOnly([])
  back()
  t.strictSame(data.edit(100), { from: '{"a":1}', to: '{"a":1}', isWhole: true, kept: ['a'] })
  t.equal(data.isAllOwn, false)
})

t.test('destroyed data has no object, holds nothing and changes nothing', async (t) => {
  const { data, object } = dataOf('{"a":1}')
  const values = object()
  values['b'] = 2
  data.destroy()
  t.equal(data.object, null)
  t.equal(data.isDestroyed, true)
  t.equal(data.holds(values), false)
  t.equal(data.isModified(), false)
  t.equal(data.isDeep, false)
  data.removeKey('a')
  t.strictSame(data.edit(100), { from: '{"a":1}', to: '{"a":1}', isWhole: false })
  t.equal(data.isDestroyed, true)
})
