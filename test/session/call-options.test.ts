import t from 'tap'
import {
  checkArguments,
  checkAuthHash,
  checkCallback,
  checkChange,
  checkHandle,
  checkKey,
  checkKeys,
  checkLabel,
  checkOptions,
  checkUserId,
} from '../../lib/session/call-options.ts'
import { METHOD_NAMES } from '../../lib/session/methods.ts'
import { refusalOf } from '../support/refusal.ts'

type Call = Parameters<typeof checkOptions>[0]

/** Returns why a call refuses its options; `undefined` if the call takes the options. */
function refused(call: Call, options: unknown): string | undefined {
  return detailOf(() => checkOptions(call, options))
}

function detailOf(check: () => void): string | undefined {
  const refusal = refusalOf(check)
  if (refusal !== undefined && refusal.code !== 'SESSION_OPTION_INVALID') throw refusal
  return refusal?.detail
}

interface Row {
  readonly wanted: string
  readonly good: readonly unknown[]
  readonly bad: readonly unknown[]
}

const BOOLEAN: Row = { wanted: 'true or false', good: [true, false], bad: ['true', 1, null] }
const TEXT: Row = { wanted: 'a text', good: ['', 'desk'], bad: [7, null, ['desk']] }
const NAME: Row = { wanted: 'a text that is not empty', good: ['ann'], bad: ['', 7, null] }
const METHODS: Row = {
  wanted: `a list of names of RFC 8176: ${METHOD_NAMES.join(', ')}`,
  good: [['pwd'], ['pwd', 'otp']],
  bad: [[], ['password'], ['pwd', 'password'], 'pwd', null],
}

/** Every option of every call, with values at the edge of what is accepted. */
const OPTIONS: Readonly<Record<Call, Readonly<Record<string, Row>>>> = {
  login: {
    remember: BOOLEAN,
    keep: { wanted: 'true, false or a list of keys', good: [true, false, [], ['cart']], bad: ['cart', [1], ['a', 1]] },
    authHash: TEXT,
    label: TEXT,
    methods: METHODS,
    pending: BOOLEAN,
    transport: { wanted: "'header'", good: ['header'], bad: ['cookie', '', true] },
  },
  confirmLogin: { label: TEXT, methods: METHODS },
  actAs: {
    reason: {
      wanted: 'a text of 1 to 200 characters without control characters',
      good: ['x', '🍪'.repeat(200), ' x '],
      bad: ['', ' ', 'x'.repeat(201), 'a\nb', 'a\u001b[2Jb', 'a\u2028b', 'a\u202eb', 'a\u2066b', 'a\u2069b', 7, null],
    },
    for: { wanted: "a duration such as '30m', and longer than zero", good: ['1ms', '30m'], bad: ['0ms', '30', 30] },
  },
  logout: { everywhere: BOOLEAN, others: BOOLEAN },
  list: { current: TEXT },
  rename: { userId: NAME },
  requireLogin: {
    within: { wanted: "a duration such as '10m'", good: ['0ms', '10m'], bad: ['10', 10, undefined] },
    methods: METHODS,
    redirect: {
      wanted: "a path of this app such as '/login'",
      good: ['/login'],
      bad: ['login', '//evil.example', undefined],
    },
    notActing: BOOLEAN,
    deviceBound: BOOLEAN,
  },
  revoke: { userId: NAME },
  revokeUser: { except: TEXT },
  revokeAll: {
    before: { wanted: 'a valid Date', good: [new Date(0)], bad: [new Date(Number.NaN), 0, '2026-01-01', null] },
    except: TEXT,
  },
}

t.test('each option takes its own values, and a refusal names the option, the call and what is wanted', async (t) => {
  for (const [call, rows] of Object.entries(OPTIONS) as [Call, Record<string, Row>][]) {
    for (const [name, { wanted, good, bad }] of Object.entries(rows)) {
      for (const value of good) t.equal(refused(call, { [name]: value }), undefined, `${name} of ${call}`)
      for (const value of bad) t.equal(refused(call, { [name]: value }), `${name} of ${call} is ${wanted}`)
    }
    t.equal(refused(call, {}), undefined)
    t.equal(refused(call, null), `${call} takes its options as an object: { ${Object.keys(rows).join(', ')} }`)
  }
})

t.test('an option that is undefined is absent, except in requireLogin', async (t) => {
  t.equal(refused('login', { remember: undefined, methods: undefined }), undefined)
  for (const name of Object.keys(OPTIONS.requireLogin)) {
    t.match(refused('requireLogin', { [name]: undefined }), `${name} of requireLogin is `)
  }
})

t.test('options are the own members of an object', async (t) => {
  for (const options of [undefined, 'remember', 7, [], new Map(), new Date(), Promise.resolve(), () => undefined]) {
    t.equal(refused('logout', options), 'logout takes its options as an object: { everywhere, others }')
  }
  t.equal(refused('logout', Object.assign(Object.create(null), { others: true })), undefined)
  t.equal(
    refused('logout', Object.create({ everywhere: true })),
    'everywhere of logout is inherited: write it into the object',
  )
  t.equal(refused('logout', Object.assign(Object.create({ others: true }), { others: true })), undefined)
  t.equal(refused('logout', Object.create({ color: 'red' })), undefined, 'other inherited members play no part')
})

t.test('an unknown option is named in short, with the nearest known one or all known ones', async (t) => {
  t.equal(refused('login', { rember: true }), 'login has no option "rember"; did you mean remember?')
  t.equal(refused('logout', { x: 1 }), 'logout has no option "x"; known are: everywhere, others')
  t.equal(refused('logout', { x: undefined }), 'logout has no option "x"; known are: everywhere, others')
  t.match(refused('logout', { [Symbol('others')]: true }), 'logout has no option "Symbol(others)"; ')
  for (const name of ['toString', 'constructor', '__proto__', 'hasOwnProperty']) {
    const options = Object.defineProperty({}, name, { value: true, enumerable: true })
    t.match(refused('logout', options), `logout has no option "${name}"; `)
  }
  t.equal(refused('logout', { ['y'.repeat(61)]: 1 })?.split('"')[1], 'y'.repeat(60))
  t.match(refused('logout', { 'a\nb': 1 }), 'logout has no option "a\\nb"; ')
})

t.test('a symbol is never taken for the option of its name', async (t) => {
  const named = Symbol('remember')
  t.match(refused('login', { [named]: true, remember: true }), 'login has no option "Symbol(remember)"; ')
})

t.test('a user is named by a text that is not empty and is no name of the index', async (t) => {
  t.equal(
    detailOf(() => checkUserId('revokeUser', 'ann')),
    undefined,
  )
  for (const userId of ['', 7, null, undefined, ['ann'], { id: 'ann' }]) {
    t.equal(
      detailOf(() => checkUserId('revokeUser', userId)),
      'revokeUser takes the id of a user, a text that is not empty',
    )
  }
  t.equal(
    detailOf(() => checkUserId('list', '\u0001devices\u0001ann')),
    'list takes the id of a user, which cannot begin with the character U+0001',
  )
})

t.test('a label has 1 to 100 visible characters; null and undefined stand for none', async (t) => {
  const good = [undefined, null, 'x', ' x ', '🍪'.repeat(100), 'Zoë’s “desk”']
  const bad = ['', '   ', 'x'.repeat(101), 'a\u0000b', 'a\nb', 'a\u007fb', 'a\u2028b', 'a\u202eb', 'a\u2066b', 7, ['x']]
  const codeOf = (label: unknown): string | undefined => refusalOf(() => checkLabel(label))?.code
  for (const label of good) t.equal(codeOf(label), undefined)
  for (const label of bad) t.equal(codeOf(label), 'SESSION_LABEL_INVALID')
})

t.test('a call refuses arguments that it would ignore, and says how many it takes', async (t) => {
  const given = (call: string, args: unknown[], most: number): string | undefined =>
    detailOf(() => checkArguments(call, args, most))
  t.equal(given('touch', [], 0), undefined)
  t.equal(given('touch', ['5m'], 0), 'touch takes no argument')
  t.equal(given('logout', [{}], 1), undefined)
  t.equal(given('logout', [{}, 'x'], 1), 'logout takes one argument')
  t.equal(given('login', [{}, {}], 2), undefined)
  t.equal(given('login', [{}, {}, 'x'], 2), 'login takes 2 arguments')
  t.equal(given('login', [{}, {}, undefined, undefined], 2), undefined, 'undefined is no argument')
  t.equal(given('login', [{}, {}, undefined, 'x'], 2), 'login takes 2 arguments')
})

t.test('keys, handles, functions and hashes are checked by their type', async (t) => {
  const checks: [check: (value: unknown) => void, detail: string, good: unknown[], bad: unknown[]][] = [
    [(value) => checkKey('get', value), 'get takes a key, a text', ['cart', ''], [7, undefined, null]],
    [
      (value) => checkHandle('revoke', value),
      'revoke takes the handle of a session, a text',
      ['a'],
      [7, undefined, null],
    ],
    [
      (value) => checkCallback('save', value),
      'save takes a function, or nothing',
      [undefined, () => undefined],
      [null, 'f', {}],
    ],
    [checkChange, 'update takes a function of the data', [() => undefined], [undefined, {}]],
    [checkKeys, 'regenerate takes a list of the keys to keep', [[], ['a']], ['a', [1], ['a', 1], undefined]],
    [checkAuthHash, 'updateAuthHash takes a text, or nothing', [undefined, '', 'x'], [7, null]],
  ]
  for (const [check, detail, good, bad] of checks) {
    const detailFor = (value: unknown): string | undefined => detailOf(() => check(value))
    for (const value of good) t.equal(detailFor(value), undefined, detail)
    for (const value of bad) t.equal(detailFor(value), detail)
  }
})
