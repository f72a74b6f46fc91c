import Fastify from 'fastify'
import type { FastifyInstance, FastifyPluginAsync, FastifyRequest, preValidationAsyncHookHandler } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { secureSession } from '../../lib/index.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import type { Visitor, World } from '../plugin/world.ts'
import { isNobody, route, SECRET, world } from '../plugin/world.ts'
import { untyped } from './untyped.ts'

interface AuthenticateOptions {
  keepSessionInfo?: boolean
  session?: boolean
}

interface Strategy {
  success(user: object): void
  fail(): void
  error(error: Error): void
}

interface Passport {
  initialize(): FastifyPluginAsync
  secureSession(): FastifyPluginAsync
  use(name: string, strategy: Strategy): void
  authenticate(name: string, options?: AuthenticateOptions): preValidationAsyncHookHandler
  registerUserSerializer(serialize: (user: User) => Promise<string>): void
  registerUserDeserializer(deserialize: (id: string) => Promise<User | null>): void
}

interface User {
  id: string
  name: string
}

/** Members that @fastify/passport adds to a request, and our members under their names beside it. */
interface PassportRequest extends FastifyRequest {
  logOut(): Promise<void>
  signIn(user: { id: string }): Promise<void>
  signOut(): Promise<void>
  isSignedIn(): boolean
  sessionUser: { id: string } | null
}

const { Authenticator, Strategy } = untyped('@fastify/passport') as {
  Authenticator: new (options?: { clearSessionOnLogin?: boolean }) => Passport
  Strategy: new (name: string) => Strategy
}

const RENAMED: NonNullable<SecureSessionOptions['decorators']> = {
  login: 'signIn',
  logout: 'signOut',
  user: 'sessionUser',
  isAuthenticated: 'isSignedIn',
}

const USERS = new Map<string, User>([
  ['ann', { id: 'ann', name: 'Ann' }],
  ['bob', { id: 'bob', name: 'Bob' }],
])

/** Accepts the user whom the body names, if they exist. A password check would come in between. */
class ByName extends Strategy {
  authenticate(request: FastifyRequest): void {
    const { name } = (request.body ?? {}) as { name?: string }
    const user = USERS.get(name ?? '')
    if (user === undefined) this.fail()
    else this.success(user)
  }
}

function passportFor(options: { clearSessionOnLogin?: boolean } = {}): Passport {
  const passport = new Authenticator(options)
  passport.use('name', new ByName('name'))
  passport.registerUserSerializer(async ({ id }) => id)
  passport.registerUserDeserializer(async (id) => USERS.get(id) ?? null)
  return passport
}

async function passportWorld(
  t: Test,
  options: { authenticate?: AuthenticateOptions; passport?: { clearSessionOnLogin?: boolean } } = {},
): Promise<World> {
  const passport = passportFor(options.passport)
  return world(t, {
    session: { decorators: RENAMED },
    routes: async (app) => {
      await app.register(passport.initialize())
      await app.register(passport.secureSession())
      const preValidation = passport.authenticate('name', options.authenticate)
      app.post('/login', { preValidation }, async (request) => ({ user: request.user }))
      addRoutes(app)
    },
  })
}

function addRoutes(app: FastifyInstance): void {
  route(app, '/me', (request) => ({
    user: request.user,
    isAuthenticated: request.isAuthenticated(),
    sessionUser: (request as PassportRequest).sessionUser,
    isSignedIn: (request as PassportRequest).isSignedIn(),
    handle: request.session.sessionId,
    data: request.session.data(),
  }))
  route(app, '/note', (request) => void Object.assign(request.session, request.body))
  route(app, '/logout', (request) => (request as PassportRequest).logOut())
  route(app, '/sign-in', (request) => (request as PassportRequest).signIn(request.user ?? { id: '' }))
  route(app, '/sign-out', (request) => (request as PassportRequest).signOut())
}

async function loggedIn(it: World): Promise<Visitor> {
  const visitor = it.visitor()
  t.match(await visitor.post('/login', { name: 'ann' }), { statusCode: 200 })
  return visitor
}

t.test('a strategy logs a user in, and the session brings them back', async (t) => {
  const it = await passportWorld(t)
  const visitor = await loggedIn(it)
  const me = (await visitor.get('/me')).json<object>()
  t.match(me, { user: { id: 'ann', name: 'Ann' }, isAuthenticated: true, data: { passport: 'ann' } })
  t.match(me, { sessionUser: null, isSignedIn: false }, 'ours know only logins of their own')
  t.match(
    await it
      .visitor()
      .get('/me')
      .then((response) => response.json()),
    { user: null, isAuthenticated: false },
  )
})

t.test('a strategy that fails logs nobody in and begins no session', async (t) => {
  const it = await passportWorld(t)
  const visitor = it.visitor()
  t.match(await visitor.post('/login', { name: 'eve' }), { statusCode: 401 })
  t.equal(visitor.cookie, undefined)
})

t.test('an id from before the login is dead after it', async (t) => {
  const it = await passportWorld(t)
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const planted = visitor.cookie
  await visitor.post('/login', { name: 'ann' })
  t.not(visitor.cookie, planted)
  t.match(await visitor.get('/me').then((response) => response.json()), { user: { id: 'ann' } })
  const attacker = it.visitor()
  attacker.cookies.set('session', planted ?? '')
  isNobody(t, await attacker.get('/me'))
})

t.test('a request that was in flight during the login writes nothing into the session of the user', async (t) => {
  let release = (): void => {}
  const held = new Promise<void>((resolve) => (release = resolve))
  const passport = passportFor()
  const it = await world(t, {
    session: { decorators: RENAMED },
    routes: async (app) => {
      await app.register(passport.initialize())
      await app.register(passport.secureSession())
      app.post('/login', { preValidation: passport.authenticate('name') }, async () => ({}))
      addRoutes(app)
      route(app, '/slow', async (request) => {
        Object.assign(request.session, { passport: 'bob' })
        await held
      })
    },
  })
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const attacker = it.visitor()
  attacker.cookies.set('session', visitor.cookie ?? '')
  const slow = attacker.post('/slow')
  await visitor.post('/login', { name: 'ann' })
  release()
  await slow
  t.match(await visitor.get('/me').then((response) => response.json()), { user: { id: 'ann' } })
  t.match(it.events.at(-1), { type: 'dropped-write', reason: 'epoch' })
})

t.test('a login forgets what the session held', async (t) => {
  const it = await passportWorld(t)
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  await visitor.post('/login', { name: 'ann' })
  t.strictSame((await visitor.get('/me')).json<{ data: object }>().data, { passport: 'ann' })
})

t.test('keepSessionInfo keeps what the session held, under a new id', async (t) => {
  const it = await passportWorld(t, { authenticate: { keepSessionInfo: true } })
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const before = visitor.cookie
  await visitor.post('/login', { name: 'ann' })
  t.not(visitor.cookie, before)
  t.strictSame((await visitor.get('/me')).json<{ data: object }>().data, { cart: ['tea'], passport: 'ann' })
})

t.test('clearSessionOnLogin: false keeps it too, under a new id', async (t) => {
  const it = await passportWorld(t, { passport: { clearSessionOnLogin: false } })
  const visitor = it.visitor()
  await visitor.post('/note', { cart: ['tea'] })
  const before = visitor.cookie
  await visitor.post('/login', { name: 'ann' })
  t.not(visitor.cookie, before)
  t.strictSame((await visitor.get('/me')).json<{ data: object }>().data, { cart: ['tea'], passport: 'ann' })
})

t.test(
  'a logout of passport gives the session a new id and forgets the user, and a kept cookie opens nothing',
  async (t) => {
    const it = await passportWorld(t)
    const visitor = await loggedIn(it)
    const kept = visitor.cookie
    await visitor.post('/logout')
    isNobody(t, await visitor.get('/me'))
    const replay = it.visitor()
    replay.cookies.set('session', kept ?? '')
    isNobody(t, await replay.get('/me'))
  },
)

t.test('a strategy may check who it is and leave the session to this plugin', async (t) => {
  const passport = passportFor()
  const it = await world(t, {
    session: { decorators: RENAMED },
    routes: async (app) => {
      await app.register(passport.initialize())
      const preValidation = passport.authenticate('name', { session: false })
      app.post('/login', { preValidation }, async (request) => {
        await (request as PassportRequest).signIn(request.user ?? { id: '' })
        return {}
      })
      addRoutes(app)
    },
  })
  const visitor = await loggedIn(it)
  t.match(await visitor.get('/me').then((response) => response.json()), {
    sessionUser: { id: 'ann', name: 'Ann' },
    isSignedIn: true,
    user: null,
  })
  t.match(await it.app.sessions.list('ann'), [{ userId: 'ann' }])
  await visitor.post('/sign-out')
  t.match(await visitor.get('/me').then((response) => response.json()), { sessionUser: null })
})

t.test('without the renaming, passport does not load beside this plugin, and the boot fails', async (t) => {
  const app = Fastify()
  await app.register(secureSession, { environment: 'test', secret: SECRET })
  app.register(passportFor().initialize())
  await t.rejects(async () => app.ready(), { code: 'FST_ERR_DEC_ALREADY_PRESENT', message: /'login'/ })
})
