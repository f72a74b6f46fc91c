import t from 'tap'
import { world } from './world.ts'
import type { FastifyRequest } from 'fastify'

/** A call, the arguments that are wrong, and what the message has to name. */
const WRONG: [call: string, args: unknown[], says: RegExp][] = [
  ['login', [{ id: 'ann' }, { rember: true }], /login has no option "rember"; did you mean remember\?/],
  ['login', [{ id: 'ann' }, { maxAge: 5 }], /login has no option "maxAge"; known are: remember, keep, authHash/],
  ['login', [{ id: 'ann' }, null], /login takes its options as an object/],
  ['login', [{ id: 'ann' }, { remember: 'yes' }], /remember of login is true or false/],
  ['login', [{ id: 'ann' }, { keep: [1] }], /keep of login is true, false or a list of keys/],
  ['login', [{ id: 7 }], /id is a number: give String\(id\)/],
  ['login', [{ id: { toHexString: () => 'a' } }], /id is an object: give String\(id\)/],
  ['login', [{ name: 'Ann' }], /id is missing/],
  ['login', [{ id: '' }], /id is empty/],
  ['login', [{ id: '\u0001beside\u0001bob' }], /id begins with the character U\+0001/],
  ['login', [null], /the user is null/],
  ['login', ['ann'], /the user is a string/],
  ['login', [{ id: 'ann', toJSON: () => ({ name: 'Ann' }) }], /the toJSON of the user drops or changes id/],
  ['login', [{ id: 'ann', loaded: Promise.resolve() }], /"user.loaded" is a Promise: await it/],
  [
    'login',
    [Object.defineProperty({ id: 'ann' }, 'seen', { enumerable: true, get: () => Date.now() })],
    /"user.seen" is a getter/,
  ],
  ['logout', [{ everywher: true }], /logout has no option "everywher"; did you mean everywhere\?/],
  ['logout', [{ all: true }], /logout has no option "all"; known are: everywhere, others/],
  ['logout', [{ others: 1 }], /others of logout is true or false/],
  ['updateAuthHash', [7], /updateAuthHash takes a text, or nothing/],
  ['login', [{ id: 'bob' }, Promise.resolve({ remember: true })], /login takes its options as an object/],
  ['login', [{ id: 'bob' }, new Date()], /login takes its options as an object/],
  ['login', [{ id: 'bob' }, {}, { remember: true }], /login takes 2 arguments/],
  [
    'login',
    [{ id: 'bob' }, Object.create({ remember: true })],
    /remember of login is inherited: write it into the object/,
  ],
  [
    'login',
    [
      { id: 'bob' },
      new (class {
        get keep(): boolean {
          return true
        }
      })(),
    ],
    /keep of login is inherited/,
  ],
  ['login', [{ id: 'bob' }, { [Symbol('remember')]: true }], /login has no option "Symbol\(remember\)"/],
  ['logout', [{}, 'everywhere'], /logout takes one argument/],
  ['actAs', [{ id: 'bob' }, { reason: 'support', for: '5m' }, true], /actAs takes 2 arguments/],
  ['stopActing', [{ id: 'ann' }], /stopActing takes no argument/],
  ['confirmLogin', [{}, { id: 'ann' }], /confirmLogin takes one argument/],
  ['updateAuthHash', ['hash', 'other'], /updateAuthHash takes one argument/],
  ['updateUser', [{ id: 'ann' }, { remember: true }], /updateUser takes one argument/],
  ['requireUser', ['admin'], /requireUser takes no argument/],
  ['isAuthenticated', [{ within: '5m' }], /isAuthenticated takes no argument/],
]

t.test('a call refuses options and users that it does not know, before anything is done', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      app.post('/act', async (request, reply) => {
        const [call, args] = WRONG[Number((request.query as { at: string }).at)] ?? ['', []]
        const act = Reflect.get(request, call) as (...rest: unknown[]) => Promise<void>
        await act.apply(request, args)
        return reply.send({})
      })
      app.post('/enter', (request) => request.login({ id: 'ann' }))
    },
  })
  for (const [at, [call, , says]] of WRONG.entries()) {
    const ann = it.visitor()
    await ann.post('/enter')
    const response = await ann.post(`/act?at=${at}`)
    t.equal(response.statusCode, 500, call)
    t.match(response.json<{ message: string }>().message, says)
    t.equal((await it.app.sessions.list('ann')).length, 1, 'and the session stands')
    await it.app.sessions.revokeUser('ann')
  }
})

t.test('requireLogin refuses what it does not know when the route is made', async (t) => {
  const { app } = await world(t)
  const requireLogin = app.requireLogin as (options?: unknown) => unknown
  for (const [options, says] of [
    [{ withn: '5m' }, /requireLogin has no option "withn"; did you mean within\?/],
    ['10m', /requireLogin takes its options as an object: \{ within, methods, redirect, notActing, deviceBound \}/],
    [null, /requireLogin takes its options as an object/],
    [{ within: undefined }, /within of requireLogin is a duration such as '10m'/],
    [{ within: '5' }, /within of requireLogin is a duration/],
    [{ role: 'admin' }, /requireLogin has no option "role"/],
    [{ __proto__x: 1 }, /has no option/],
  ] as [unknown, RegExp][]) {
    t.throws(() => requireLogin.call(app, options), { code: 'SESSION_OPTION_INVALID', message: says })
  }
  t.throws(() => Reflect.apply(requireLogin, app, [{}, { within: '5m' }]), {
    message: /requireLogin takes one argument/,
  })
  t.doesNotThrow(() => requireLogin.call(app))
})

t.test('the sessions API refuses users that are none, so that a password reset never ends nothing', async (t) => {
  const { app } = await world(t)
  const sessions = app.sessions as unknown as Record<string, (...rest: unknown[]) => Promise<unknown>>
  const handle = 'a'.repeat(22)
  for (const [call, args, says] of [
    ['revokeUser', [undefined], /revokeUser takes the id of a user/],
    ['revokeUser', [7], /revokeUser takes the id of a user/],
    ['revokeUser', [''], /revokeUser takes the id of a user/],
    ['revokeUser', ['\u0001beside\u0001ann'], /cannot begin with the character U\+0001/],
    ['revokeUser', ['ann', { excpt: handle }], /did you mean except\?/],
    ['list', [], /list takes the id of a user/],
    ['revoke', [handle], /revoke takes its options as an object: \{ userId \}/],
    ['revoke', [handle, {}], /revoke takes the id of a user/],
    ['revoke', [handle, { user: 'ann' }], /revoke has no option "user"; did you mean userId\?/],
    ['revoke', [undefined, { userId: 'ann' }], /revoke takes the handle of a session/],
    ['rename', [7, 'desk', { userId: 'ann' }], /rename takes the handle of a session/],
    ['rename', [handle, 'desk'], /rename takes its options as an object/],
    ['rename', [handle, 'desk', {}], /rename takes the id of a user/],
    ['get', [7], /get takes the handle of a session/],
    ['update', [7, () => ({})], /update takes the handle of a session/],
    ['updateUser', [7, { id: 'ann' }], /updateUser takes the id of a user/],
    ['open', [7], /open takes the request of a handshake, or the text of its Cookie header/],
    ['revokeUser', ['ann', Promise.resolve({ except: handle })], /revokeUser takes its options as an object/],
    ['list', ['ann', new Map()], /list takes its options as an object/],
    ['get', [handle, { userId: 'ann' }], /get takes one argument/],
    ['update', [handle, () => ({}), { userId: 'ann' }], /update takes 2 arguments/],
    ['rename', [handle, 'Phone', { userId: 'ann' }, true], /rename takes 3 arguments/],
    ['list', ['ann', {}, true], /list takes 2 arguments/],
    ['revokeUser', ['ann', {}, 'now'], /revokeUser takes 2 arguments/],
    ['updateUser', ['ann', { id: 'ann' }, { except: handle }], /updateUser takes 2 arguments/],
    ['revoke', [handle, { userId: 'ann' }, 'now'], /revoke takes 2 arguments/],
    ['revokeAll', [{}, 'now'], /revokeAll takes one argument/],
    ['open', ['session=x', { userId: 'ann' }], /open takes one argument/],
    ['count', ['ann'], /count takes no argument/],
    ['sweep', [{ limit: 1 }], /sweep takes no argument/],
  ] as [string, unknown[], RegExp][]) {
    await t.rejects(Reflect.apply(sessions[call] ?? (() => undefined), sessions, args) as Promise<unknown>, {
      code: 'SESSION_OPTION_INVALID',
      message: says,
    })
  }
})

t.test('the list of all sessions is not taken for the list of one user', async (t) => {
  const { app } = await world(t)
  const sessions = app.sessions as unknown as Record<string, (user: object) => unknown>
  t.throws(() => sessions['all']?.({ userId: 'ann' }), {
    code: 'SESSION_OPTION_INVALID',
    message: /all takes no argument/,
  })
})

t.test('regenerate takes a list of keys', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      app.post('/regenerate', async ({ session }: FastifyRequest) => {
        await (session as unknown as { regenerate(keys: unknown): Promise<void> }).regenerate('x')
        return {}
      })
    },
  })
  t.match((await it.visitor().post('/regenerate')).json(), { code: 'SESSION_OPTION_INVALID' })
})

/** A method of the session object, the arguments that are wrong, and what the message has to name. */
const WRONG_METHODS: [method: string, args: unknown[], says: RegExp][] = [
  ['get', [], /get takes a key, a text/],
  ['get', ['a', 'default'], /get takes one argument/],
  ['set', [undefined, 1], /set takes a key, a text/],
  ['set', [{ a: 1 }], /set takes a key, a text/],
  ['set', ['a', 1, '5m'], /set takes 2 arguments/],
  ['data', ['a'], /data takes no argument/],
  ['touch', ['5m'], /touch takes no argument/],
  ['isModified', ['a'], /isModified takes no argument/],
  ['isSaved', ['a'], /isSaved takes no argument/],
  ['save', ['a'], /save takes a function, or nothing/],
  ['save', [() => undefined, 1], /save takes one argument/],
  ['destroy', [{ everywhere: true }], /destroy takes a function, or nothing/],
  ['reload', [true], /reload takes a function, or nothing/],
  ['regenerate', [['a'], 'b'], /regenerate takes a function, or nothing/],
  ['regenerate', [() => undefined, ['a']], /regenerate takes one argument/],
  ['update', ['a', () => 1, 2], /update takes 2 arguments/],
  ['update', [() => 1, 'a'], /update takes one argument/],
]

t.test('the methods of the session object refuse what they would ignore', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      app.post('/act', async ({ query, session }: FastifyRequest) => {
        const [name, args] = WRONG_METHODS[Number((query as { at: string }).at)] ?? ['', []]
        const method = Reflect.get(session, name) as (...rest: unknown[]) => unknown
        await method.apply(session, args)
        return {}
      })
      app.post('/enter', (request) => request.login({ id: 'ann' }))
    },
  })
  for (const [at, [name, , says]] of WRONG_METHODS.entries()) {
    const ann = it.visitor()
    await ann.post('/enter')
    const response = await ann.post(`/act?at=${at}`)
    t.match(response.json(), { code: 'SESSION_OPTION_INVALID', message: says }, name)
    t.equal((await it.app.sessions.list('ann')).length, 1, 'and the session stands')
    await it.app.sessions.revokeUser('ann')
  }
})
