import t from 'tap'
import type { EngineSession } from '../../lib/session/engine.ts'
import { sessionObject } from '../../lib/session/session-object.ts'
import { refusalOf } from '../support/refusal.ts'

type Methods = Record<string, (...rest: unknown[]) => unknown>

/** A session object over these values, whose session does nothing. */
function objectOf(values: Record<string, unknown> = {}): { object: EngineSession & Methods; opened: () => number } {
  let count = 0
  const done = async (): Promise<void> => undefined
  const session = {
    ...{ save: done, destroy: done, reload: done, update: done, stage: done, watch: done },
    touch: () => undefined,
    changeLate: () => undefined,
    owns: () => true,
    isSaved: false,
    facts: { expiresAt: null },
    signal: new AbortController().signal,
  }
  const open = (): EngineSession => {
    count += 1
    return { sessionId: 'the handle', encryptedSessionId: 'the handle', cookie: { path: '/' } }
  }
  const data = { isModified: () => false, holds: () => true }
  return { object: sessionObject(session as never, data, values, open) as never, opened: () => count }
}

t.test(
  'each method refuses the arguments that it does not take, and the message tells how many it takes',
  async (t) => {
    const change = (): undefined => undefined
    const cases: [name: string, most: unknown[], words: string][] = [
      ['get', ['a'], 'get takes one argument'],
      ['set', ['a', 1], 'set takes 2 arguments'],
      ['data', [], 'data takes no argument'],
      ['touch', [], 'touch takes no argument'],
      ['isModified', [], 'isModified takes no argument'],
      ['isSaved', [], 'isSaved takes no argument'],
      ['update', ['a', change], 'update takes 2 arguments'],
      ['update', [change], 'update takes one argument'],
      ['save', [change], 'save takes one argument'],
      ['destroy', [change], 'destroy takes one argument'],
      ['reload', [change], 'reload takes one argument'],
      ['regenerate', [['a'], change], 'regenerate takes 2 arguments'],
      ['regenerate', [change], 'regenerate takes one argument'],
    ]
    for (const [name, most, detail] of cases) {
      const { object } = objectOf({ a: 1 })
      const call = (...rest: unknown[]): unknown => object[name]?.(...rest)
      t.equal(
        refusalOf(() => call(...most)),
        undefined,
        `${name} takes ${most.length}`,
      )
      t.match(
        refusalOf(() => call(...most, 'more')),
        { code: 'SESSION_OPTION_INVALID', detail },
      )
    }
  },
)

t.test('keys that are no texts, callbacks and changes that are no functions are refused by name', async (t) => {
  const cases: [name: string, rest: unknown[], detail: string | RegExp][] = [
    ['get', [5], 'get takes a key, a text'],
    ['set', [5, 1], 'set takes a key, a text'],
    ['save', [5], 'save takes a function, or nothing'],
    ['destroy', [5], 'destroy takes a function, or nothing'],
    ['reload', [5], 'reload takes a function, or nothing'],
    ['regenerate', [['a'], 5], 'regenerate takes a function, or nothing'],
    ['update', ['a', 5], 'update takes a function of the data, or a key and a function of its value'],
    ['update', [], 'update takes a function of the data, or a key and a function of its value'],
    ['options', [{ path: '/' }], /belong in the options of register/],
  ]
  for (const [name, rest, detail] of cases) {
    const { object } = objectOf()
    t.match(
      refusalOf(() => object[name]?.(...rest)),
      { code: 'SESSION_OPTION_INVALID', detail },
      name,
    )
  }
})

t.test("the members of @fastify/session's object are made once, and only when somebody asks", async (t) => {
  const { object, opened } = objectOf({ a: 1 })
  t.equal(object['a'], 1)
  t.equal(object['expiresAt'], null)
  t.equal(object['absent'], undefined)
  t.equal(object['constructor'], undefined)
  t.equal(opened(), 0)
  t.equal(object['sessionId'], 'the handle')
  t.equal(object['encryptedSessionId'], 'the handle')
  t.match(object['cookie'], { path: '/' })
  t.equal(opened(), 1)
})

t.test('all members are in the object, and only the data and the cookie are its own keys', async (t) => {
  const { object } = objectOf({ a: 1 })
  const members = ['cookie', 'expiresAt', 'signal', 'sessionId', 'encryptedSessionId', 'get', 'save', 'a']
  for (const name of members) t.equal(name in object, true, name)
  for (const name of ['b', 'toString', '__proto__']) t.equal(name in object, false, name)
  t.strictSame(Reflect.ownKeys(object), ['cookie', 'a'])
  const cookie = { enumerable: true, configurable: true, writable: false }
  t.match(Object.getOwnPropertyDescriptor(object, 'cookie'), { ...cookie, value: { path: '/' } })
  t.match(Object.getOwnPropertyDescriptor(object, 'a'), { value: 1, writable: true })
  t.equal(Object.getOwnPropertyDescriptor(object, 'save'), undefined)
})

t.test('the object is neither frozen nor given another prototype, and its cookie is read only', async (t) => {
  const { object } = objectOf()
  t.throws(() => Object.preventExtensions(object), TypeError)
  const prototype = refusalOf(() => Object.setPrototypeOf(object, {}))
  t.match(prototype, { code: 'SESSION_KEY_RESERVED', detail: 'the prototype' })
  const cookie = object['cookie'] as unknown as Record<string, unknown>
  const clear = { code: 'SESSION_OPTION_INVALID', detail: /options of register/ }
  t.match(
    refusalOf(() => (cookie['path'] = '/x')),
    clear,
  )
  t.match(
    refusalOf(() => delete cookie['path']),
    clear,
  )
  t.match(
    refusalOf(() => Object.defineProperty(cookie, 'path', { value: '/x' })),
    clear,
  )
  for (const accessor of [{ get: () => 1 }, { set: () => undefined }]) {
    const refusal = refusalOf(() => Object.defineProperty(object, 'a', accessor))
    t.match(refusal, { code: 'SESSION_VALUE_UNSERIALIZABLE', detail: '"a" is a getter or a setter' })
  }
})

t.test('nobody closes the object to new data', async (t) => {
  const { object } = objectOf({ a: 1 })
  t.equal(Reflect.preventExtensions(object), false)
  t.ok(Object.isExtensible(object))
})
