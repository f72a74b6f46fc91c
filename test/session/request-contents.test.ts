import t from 'tap'
import type { SessionData } from '../../lib/session/json-data.ts'
import { RequestContents } from '../../lib/session/request-contents.ts'
import { RequestData } from '../../lib/session/request-data.ts'

/** The contents of a request whose record has the data of `json()`. */
function contentsOf(json: () => string): { contents: RequestContents; values: () => SessionData } {
  const contents = new RequestContents(() => new RequestData(json(), (_data, values) => values))
  return { contents, values: () => contents.open().object as unknown as SessionData }
}

/** Runs work that fails. */
async function fail(contents: RequestContents, isRefused: boolean): Promise<void> {
  const failed = contents.orBringBack(
    () => Promise.reject(new Error('of the store')),
    () => isRefused,
  )
  await failed.catch(() => undefined)
}

t.test('data is made when somebody asks for it, and made anew when it is forgotten', async (t) => {
  let json = '{"a":1}'
  const { contents, values } = contentsOf(() => json)
  t.equal(contents.known, undefined)
  t.equal(contents.isChanged, false)
  t.strictSame(values(), { a: 1 })
  t.equal(contents.known, contents.open())
  values()['a'] = 2
  t.equal(contents.isChanged, true)
  json = '{"b":1}'
  t.strictSame(values(), { a: 2 })
  contents.forget()
  t.equal(contents.known, undefined)
  t.strictSame(values(), { b: 1 })
})

t.test('a change of the id takes data away, which comes back only if the change is refused', async (t) => {
  for (const isRefused of [true, false]) {
    const { contents, values } = contentsOf(() => '{"_csrf":1,"a":1,"b":2}')
    values()['b'] = 3
    contents.keep({ without: '_csrf' })
    t.equal(contents.isChanged, true)
    contents.keep({ keys: ['a'] })
    t.strictSame(values(), { a: 1 })
    values()['late'] = 1
    await fail(contents, isRefused)
    t.strictSame(values(), isRefused ? { _csrf: 1, a: 1, b: 3 } : { a: 1, late: 1 })
    t.equal(contents.open().isWhole, !isRefused)
  }
})

t.test('data that was begun anew is changed, also where it reads the same', async (t) => {
  const { contents } = contentsOf(() => '{"a":1}')
  contents.keep({ keys: ['a'] })
  t.equal(contents.open().isModified(), false)
  t.equal(contents.isChanged, true)
})

t.test('work that succeeds takes nothing back, and neither does a failure after the write', async (t) => {
  const { contents, values } = contentsOf(() => '{"a":1}')
  contents.keep({ keys: [] })
  await contents.orBringBack(
    () => Promise.resolve(),
    () => true,
  )
  t.strictSame(values(), {})
  contents.markWritten(contents.open().edit(100), '{}')
  await fail(contents, true)
  t.strictSame(values(), {})
  t.equal(contents.isChanged, false)
})

t.test('data that was asked for after a change of roles goes with the change', async (t) => {
  for (const isOpen of [true, false]) {
    let json = '{"of":"the actor"}'
    const { contents, values } = contentsOf(() => json)
    if (isOpen) values()['n'] = 1
    contents.keep('role')
    json = '{}'
    values()['late'] = 1
    json = '{"of":"the actor"}'
    await fail(contents, true)
    t.strictSame(values(), { of: 'the actor', ...(isOpen && { n: 1 }) })
  }
})

t.test('after a reload the data of the record comes back, and no change of the request', async (t) => {
  let json = '{"a":1,"b":1}'
  const { contents, values } = contentsOf(() => json)
  values()['a'] = 2
  contents.keep({ keys: ['b'] })
  json = '{"a":3,"b":3}'
  contents.reload(json)
  t.strictSame(values(), { b: 3 })
  await fail(contents, true)
  t.strictSame(values(), { a: 3, b: 3 })
  const untouched = contentsOf(() => '{}')
  untouched.contents.reload('{"a":1}')
  t.equal(untouched.contents.known, undefined)
})

t.test('destroyed data is destroyed again after a login that was refused', async (t) => {
  const { contents } = contentsOf(() => '{"a":1}')
  contents.open().destroy()
  contents.keep({ keys: [] })
  t.strictSame(contents.open().object, {})
  await fail(contents, true)
  t.equal(contents.open().object, null)
})

t.test('what is forgotten does not come back', async (t) => {
  const { contents, values } = contentsOf(() => '{"a":1}')
  values()['a'] = 2
  contents.keep({ keys: [] })
  contents.forget()
  await fail(contents, true)
  t.equal(contents.known, undefined)
  t.strictSame(values(), { a: 1 })
})
