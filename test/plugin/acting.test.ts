import type { FastifyRequest } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import type { SecureSessionOptions } from '../../types/index.ts'
import { coreOnly } from './stores.ts'
import { ordinary, route, world } from './world.ts'
import type { Response, Visitor, World } from './world.ts'

const BOB = { id: 'bob' }
const TICKET = { reason: 'ticket 7', for: '30m' } as const

async function support(t: Test, session: SecureSessionOptions = {}): Promise<World> {
  return world(t, {
    session,
    routes: (app) => {
      ordinary(app)
      route(app, '/who', (request) => ({
        user: request.user?.id ?? null,
        actor: request.actor?.id ?? null,
        data: request.session.data(),
      }))
      route(app, '/act', async (request) => {
        const { user = BOB, options = TICKET } = request.body as { user?: { id: string }; options?: never }
        await request.actAs(user, options)
        return { user: request.user?.id, actor: request.actor?.id, data: request.session.data() }
      })
      route(app, '/act-until', async (request) => {
        await request.actAs(BOB, { reason: 'short', for: '5m' })
        return request.session.expiresAt
      })
      route(app, '/stop', async (request) => {
        await request.stopActing()
        return { user: request.user?.id, actor: request.actor, data: request.session.data() }
      })
      route(app, '/confirm', (request) => request.confirmLogin())
      route(app, '/hash', (request) => request.updateAuthHash('x'))
      route(app, '/update', (request) => request.updateUser(request.body as { id: string }))
      route(app, '/facts', (request) => ({
        authenticatedAt: request.authenticatedAt,
        absolute: request.session.expiresAt?.absolute,
        idle: request.session.expiresAt?.idle,
      }))
      app.get('/own', { onRequest: app.requireLogin({ notActing: true }) }, async () => ({}))
      app.get('/recent', { onRequest: app.requireLogin({ within: '10m' }) }, async () => ({}))
      app.get('/otp', { onRequest: app.requireLogin({ methods: ['otp'] }) }, async () => ({}))
      app.get('/free', { config: { session: false } }, async (request) => ({ actor: request.actor }))
    },
  })
}

async function staff({ visitor }: World, options: object = {}): Promise<Visitor> {
  const ann = visitor()
  await ann.post('/login', { user: { id: 'ann' }, options })
  return ann
}

function codeOf(response: Response): string {
  return `${response.statusCode} ${response.json().code ?? ''}`.trim()
}

t.test('acting as another user shows that user and keeps the actor, with a new id each way', async (t) => {
  const it = await support(t)
  const ann = await staff(it)
  await ann.post('/note', { cart: 1 })
  const own = ann.cookie
  t.strictSame((await ann.post('/act')).json(), { user: 'bob', actor: 'ann', data: {} })
  t.not(ann.cookie, own)
  t.strictSame((await ann.get('/who')).json(), { user: 'bob', actor: 'ann', data: {} })
  await ann.post('/note', { seen: 2 })
  t.match((await it.app.inject({ url: '/who', cookies: { session: own ?? '' } })).json(), { user: null })
  const acting = ann.cookie
  t.strictSame((await ann.post('/stop')).json(), { user: 'ann', actor: null, data: { cart: 1 } })
  t.not(ann.cookie, acting)
  t.strictSame((await ann.get('/who')).json(), { user: 'ann', actor: null, data: { cart: 1 } })
  t.match((await it.app.inject({ url: '/who', cookies: { session: acting ?? '' } })).json(), { user: null })
  t.strictSame((await it.app.inject('/free')).json(), { actor: null })
})

t.test('data that the actor changed before the change of roles is the actor’s own', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      route(app, '/note-and-act', async (request) => {
        Object.assign(request.session, { mine: 1 })
        await request.actAs(BOB, TICKET)
        Object.assign(request.session, { theirs: 2 })
        return {}
      })
      route(app, '/note-and-stop', async (request) => {
        Object.assign(request.session, { theirs: 3 })
        await request.stopActing()
        Object.assign(request.session, { back: 4 })
        return {}
      })
    },
  })
  const ann = await staff(it)
  await ann.post('/note-and-act')
  t.strictSame((await ann.get('/me')).json().data, { theirs: 2 })
  await ann.post('/note-and-stop')
  t.strictSame((await ann.get('/me')).json().data, { mine: 1, back: 4 })
})

t.test('both users are in every event of a session that acts as another user', async (t) => {
  const it = await support(t, { renewalTimeout: '5m' })
  const ann = await staff(it)
  it.events.length = 0
  await ann.post('/act')
  it.clock.advance('6m')
  await ann.get('/who')
  await ann.post('/update', { id: 'bob', name: 'Bob' })
  await ann.post('/stop')
  await ann.post('/act')
  await ann.post('/logout')
  const both = { userId: 'bob', actorId: 'ann' }
  t.match(it.events.splice(0), [
    { type: 'act', ...both, reason: 'ticket 7', until: Number },
    { type: 'rotate', reason: 'act', ...both },
    { type: 'renew', ...both },
    { type: 'user-updated', ...both },
    { type: 'stop-acting', ...both },
    { type: 'rotate', reason: 'stop-acting' },
    { type: 'act', ...both },
    { type: 'rotate', ...both },
    { type: 'logout', ...both },
  ])
  const carl = await staff(it)
  await carl.post('/act')
  await it.app.sessions.revokeUser('bob')
  t.match(it.events.splice(0).at(-1), { type: 'revoke', ...both, reason: 'revoked' })
  const dora = await staff(it)
  await dora.post('/act')
  it.clock.advance('30m')
  t.equal((await dora.get('/who')).json().user, null)
  t.match(it.events.at(-1), { type: 'expire', ...both, reason: 'absolute' })
  t.match(it.log(), /"audit":\{"type":"act".*"actorId":"ann","reason":"ticket 7"/)
})

t.test('acting ends after its own time, which the absolute timeout of the actor bounds', async (t) => {
  const it = await support(t, { absoluteTimeout: '2h', idleTimeout: '1h' })
  const ann = await staff(it)
  await ann.post('/act', { options: { reason: 'short', for: '5m' } })
  const until = it.clock() + 300_000
  const early = await staff(it)
  t.equal(new Date((await early.post('/act-until')).json().absolute).getTime(), until, 'seen in its own request')
  it.clock.advance('4m')
  t.equal((await ann.get('/who')).json().user, 'bob')
  it.clock.advance('1m')
  t.strictSame((await ann.get('/who')).json(), { user: null, actor: null, data: {} })
  const second = await staff(it)
  const began = it.clock()
  const deadline = (await second.get('/facts')).json().absolute
  it.clock.advance('59m')
  await second.post('/act', { options: { reason: 'long', for: '30d' } })
  t.equal((await second.get('/facts')).json().absolute, deadline)
  t.equal(new Date(deadline).getTime(), began + 7_200_000)
  const third = await staff(it)
  await third.post('/act', { options: { reason: 'no time given' } })
  t.equal(new Date((await third.get('/facts')).json().absolute).getTime(), it.clock() + 1_800_000)
})

t.test('a remembered actor gets everything back: deadlines, cookie, ways to log in', async (t) => {
  const it = await support(t)
  const ann = await staff(it, { remember: true, methods: ['otp'], label: 'Desk' })
  const before = (await ann.get('/facts')).json()
  t.equal((await ann.get('/otp')).statusCode, 200)
  await ann.post('/act')
  t.equal(ann.maxAge, undefined, 'the cookie of the role ends with the browser')
  t.match((await ann.get('/otp')).json(), { code: 'SESSION_STEP_UP_REQUIRED' })
  await ann.post('/stop')
  t.ok(Number(ann.maxAge) > 86_400)
  t.strictSame((await ann.get('/facts')).json(), before)
  t.equal((await ann.get('/otp')).statusCode, 200)
  t.match(await it.app.sessions.list('ann'), [{ label: 'Desk', remember: true, acting: null }])
})

t.test('a recent login counts neither while acting nor after it', async (t) => {
  const it = await support(t)
  const ann = await staff(it)
  t.equal((await ann.get('/recent')).statusCode, 200)
  await ann.post('/act')
  const refused = (await ann.get('/recent')).json()
  t.match(refused, { statusCode: 403, code: 'SESSION_LOGIN_TOO_OLD', message: /while acting/ })
  t.equal((await ann.get('/facts')).json().authenticatedAt, null)
  t.equal(codeOf(await ann.post('/confirm')), '403 SESSION_ACTING')
  t.equal(codeOf(await ann.post('/hash')), '403 SESSION_ACTING')
  await ann.post('/stop')
  t.equal(codeOf(await ann.get('/recent')), '403 SESSION_LOGIN_TOO_OLD')
  await ann.post('/confirm')
  t.equal((await ann.get('/recent')).statusCode, 200)
})

t.test('acting is refused to whoever acts already, as oneself, without a login and in half a login', async (t) => {
  const it = await support(t)
  const ann = await staff(it)
  t.equal(codeOf(await ann.post('/act', { user: { id: 'ann' } })), '500 SESSION_USER_INVALID')
  await ann.post('/act')
  t.equal(codeOf(await ann.post('/act', { user: { id: 'carl' } })), '403 SESSION_ACTING')
  t.equal(
    codeOf(await ann.post('/login', { user: { id: 'ann' }, options: { pending: true } })),
    '500 SESSION_OPTION_INVALID',
  )
  t.strictSame((await ann.get('/who')).json(), { user: 'bob', actor: 'ann', data: {} })
  const nobody = it.visitor()
  t.equal(codeOf(await nobody.post('/act')), '401 SESSION_LOGIN_REQUIRED')
  await nobody.post('/login', { options: { pending: true } })
  t.equal(codeOf(await nobody.post('/act')), '401 SESSION_LOGIN_REQUIRED')
  t.equal((await nobody.post('/stop')).statusCode, 200, 'and there is nothing to stop')
})

t.test('actAs takes a reason and a time, and says so', async (t) => {
  const it = await support(t)
  const ann = await staff(it)
  for (const options of [
    {},
    { reason: '' },
    { reason: '  ' },
    { reason: 'a\u0000b' },
    { reason: 'x'.repeat(201) },
    { reason: 'x', for: '0s' },
    { reason: 'x', for: 30 },
    { reason: 'x', until: '1h' },
  ]) {
    t.equal(codeOf(await ann.post('/act', { options })), '500 SESSION_OPTION_INVALID', JSON.stringify(options))
  }
  t.equal(codeOf(await ann.post('/act', { user: { id: '' } })), '500 SESSION_USER_INVALID')
  t.throws(() => it.app.requireLogin({ notActing: 'yes' as never }), { code: 'SESSION_OPTION_INVALID' })
})

t.test('requireLogin({ notActing }) keeps support staff out, and nobody else', async (t) => {
  const it = await support(t)
  const ann = await staff(it)
  t.equal((await ann.get('/own')).statusCode, 200)
  await ann.post('/act')
  t.equal(codeOf(await ann.get('/own')), '403 SESSION_ACTING')
  t.equal(codeOf(await it.visitor().get('/own')), '401 SESSION_LOGIN_REQUIRED')
  await ann.post('/stop')
  t.equal((await ann.get('/own')).statusCode, 200)
})

t.test('a login while acting is a login: the actor is gone, and nothing leads back', async (t) => {
  const it = await support(t)
  const ann = await staff(it)
  await ann.post('/note', { mine: 1 })
  await ann.post('/act')
  await ann.post('/note', { theirs: 1 })
  await ann.post('/login', { user: { id: 'carl' } })
  t.strictSame((await ann.get('/who')).json(), { user: 'carl', actor: null, data: {} })
  t.equal((await ann.get('/recent')).statusCode, 200)
  await ann.post('/stop')
  t.equal((await ann.get('/who')).json().user, 'carl')
  t.equal(await it.app.sessions.revokeUser('ann'), 0)
  t.equal(await it.app.sessions.revokeUser('bob'), 0)
  t.equal((await ann.get('/who')).json().user, 'carl')
})

t.test(
  'a second change of the user or the id in the request of actAs is refused, and after a save it is not',
  async (t) => {
    const it = await world(t, {
      routes: (app) => {
        ordinary(app)
        for (const [name, act] of Object.entries({
          login: (request) => request.login({ id: 'carl' }),
          confirm: (request) => request.confirmLogin(),
          update: (request) => request.updateUser({ id: 'bob' }),
          stop: (request) => request.stopActing(),
          regenerate: (request) => request.session.regenerate(),
        } satisfies Record<string, (request: FastifyRequest) => Promise<void>>)) {
          route(app, `/act-${name}`, async (request) => {
            await request.actAs(BOB, TICKET)
            await act(request)
          })
        }
        route(app, '/login-act', async (request) => {
          await request.login({ id: 'ann' })
          await request.actAs(BOB, TICKET)
        })
        route(app, '/regenerate-stop', async (request) => {
          await request.session.regenerate()
          await request.stopActing()
        })
        route(app, '/act-save-stop', async (request) => {
          await request.actAs(BOB, TICKET)
          await request.session.save()
          await request.stopActing()
          return { user: request.user?.id }
        })
        route(app, '/act', (request) => request.actAs(BOB, TICKET))
        route(app, '/act-logout', async (request) => {
          await request.actAs(BOB, TICKET)
          await request.logout()
        })
      },
    })
    const ann = await staff(it)
    for (const name of ['login', 'confirm', 'update', 'stop', 'regenerate']) {
      t.equal(codeOf(await ann.post(`/act-${name}`)), '500 SESSION_OPTION_INVALID', name)
      t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
    }
    t.equal(codeOf(await ann.post('/login-act')), '500 SESSION_OPTION_INVALID')
    t.strictSame((await ann.post('/act-save-stop')).json(), { user: 'ann' })
    await ann.post('/act')
    t.equal(codeOf(await ann.post('/regenerate-stop')), '500 SESSION_OPTION_INVALID')
    t.match((await ann.get('/me')).json(), { user: { id: 'bob' } })
    await ann.post('/act-logout')
    const bea = await staff(it)
    await bea.post('/act-logout')
    t.equal((await bea.get('/me')).json().user, null)
  },
)

t.test('the lists of both users show a session that acts, and tell who and why', async (t) => {
  const it = await support(t)
  const ann = await staff(it, { label: 'Desk' })
  const bob = it.visitor()
  await bob.post('/login', { user: BOB })
  await ann.post('/act')
  const acting = { userId: 'bob', acting: { actorId: 'ann', reason: 'ticket 7', since: Date } }
  t.match(await it.app.sessions.list('ann'), [acting])
  const bobs = await it.app.sessions.list('bob')
  t.equal(bobs.length, 2)
  t.match(
    bobs.find((one) => one.acting !== null),
    acting,
  )
  const handle = (await ann.get('/me')).json().handle
  t.match(await it.app.sessions.get(handle), acting)
  t.equal(await it.app.sessions.rename(handle, 'x', { userId: 'bob' }), false, 'the device is the actor’s')
  t.equal(await it.app.sessions.rename(handle, 'Desk 2', { userId: 'ann' }), true)
  let acts = 0
  for await (const one of it.app.sessions.all()) acts += one.acting === null ? 0 : 1
  t.equal(acts, 1)
  const opened = await it.app.sessions.open(`session=${ann.cookie}`)
  t.match(opened, { user: { id: 'bob' }, actor: { id: 'ann' }, acting: { reason: 'ticket 7' } })
  opened?.close()
  t.match(await it.app.sessions.open(`session=${bob.cookie}`), { user: { id: 'bob' }, actor: null })
})

t.test('each of the two users may end the session by its handle', async (t) => {
  const it = await support(t)
  for (const owner of ['ann', 'bob']) {
    const ann = await staff(it)
    await ann.post('/act')
    const handle = (await ann.get('/me')).json().handle
    t.equal(await it.app.sessions.revoke(handle, { userId: 'carl' }), false)
    t.equal(await it.app.sessions.revoke(handle, { userId: owner }), true)
    t.equal((await ann.get('/who')).json().user, null)
    t.equal((await it.store.listIndex('ann')).length, 0)
  }
})

t.test('limits on sessions count the actor’s own session, and the user’s not at all', async (t) => {
  const it = await support(t, { maxSessions: { limit: 1, onLimit: 'refuse' } })
  const ann = await staff(it)
  await ann.post('/act')
  const bob = it.visitor()
  t.equal((await bob.post('/login', { user: BOB })).statusCode, 200, 'nobody is kept out of their own account')
  t.equal((await ann.get('/who')).json().user, 'bob')
  t.equal(codeOf(await it.visitor().post('/login', { user: { id: 'ann' } })), '403 SESSION_LIMIT_REACHED')

  const evicting = await support(t, { maxSessions: { limit: 1, onLimit: 'evict' } })
  const bea = evicting.visitor()
  await bea.post('/login', { user: { id: 'bea' } })
  const rob = evicting.visitor()
  await rob.post('/login', { user: BOB })
  await bea.post('/act')
  t.equal((await rob.get('/who')).json().user, 'bob')
  evicting.clock.advance('1s')
  await evicting.visitor().post('/login', { user: { id: 'bea' } })
  t.equal((await bea.get('/who')).json().user, null, 'the actor’s limit ends the session')
  t.equal((await rob.get('/who')).json().user, 'bob')
})

t.test('both users are asked for: a change is seen, and whoever is gone ends the session', async (t) => {
  const people = new Map<string, { id: string; name: string }>()
  const reset = (): void => {
    for (const id of ['ann', 'bob']) people.set(id, { id, name: `${id} 1` })
  }
  const it = await world(t, {
    session: { loadUser: async (id) => people.get(id) ?? null },
    routes: (app) => {
      ordinary(app)
      route(app, '/act', (request) => request.actAs({ ...people.get('bob'), id: 'bob' }, TICKET))
      route(app, '/stop', (request) => request.stopActing())
      route(app, '/names', (request) => ({ user: request.user, actor: request.actor }))
    },
  })
  for (const gone of ['ann', 'bob']) {
    reset()
    const ann = it.visitor()
    await ann.post('/login', { user: { id: 'ann', name: 'ann 1' } })
    await ann.post('/act')
    people.set('ann', { id: 'ann', name: 'ann 2' })
    people.set('bob', { id: 'bob', name: 'bob 2' })
    t.match((await ann.get('/names')).json(), { user: { name: 'bob 1' }, actor: { name: 'ann 1' } })
    it.clock.advance('61s')
    const opened = await it.app.sessions.open(`session=${ann.cookie}`)
    t.match(opened, { user: { name: 'bob 2' }, actor: { name: 'ann 2' } })
    opened?.close()
    t.match((await ann.get('/names')).json(), { user: { name: 'bob 2' }, actor: { name: 'ann 2' } })
    t.match((await ann.get('/names')).json(), { user: { name: 'bob 2' }, actor: { name: 'ann 2' } })
    people.set('ann', { id: 'ann', name: 'ann 2b' })
    it.clock.advance('61s')
    for (let round = 0; round < 2; round += 1) {
      t.match((await ann.get('/names')).json(), { user: { name: 'bob 2' }, actor: { name: 'ann 2b' } })
    }
    await it.app.sessions.updateUser('ann', { id: 'ann', name: 'ann 3' } as { id: string })
    t.match((await ann.get('/names')).json(), { user: { name: 'bob 2' }, actor: { name: 'ann 3' } })
    await it.app.sessions.updateUser('bob', { id: 'bob', name: 'bob 3' } as { id: string })
    t.match((await ann.get('/names')).json(), { user: { name: 'bob 3' }, actor: { name: 'ann 3' } })
    it.clock.advance('61s')
    people.delete(gone)
    t.match((await ann.get('/names')).json(), { user: null, actor: null })
    t.match(it.events.at(-1), { type: 'revoke', reason: 'user-gone', userId: 'bob', actorId: 'ann' })
  }
  reset()
  const ann = it.visitor()
  await ann.post('/login', { user: { id: 'ann', name: 'ann 1' } })
  await ann.post('/act')
  people.set('ann', { id: 'ann', name: 'ann 2' })
  it.clock.advance('61s')
  await ann.post('/stop')
  t.match((await ann.get('/names')).json(), { user: { name: 'ann 2' }, actor: null })
})

t.test('what is open in a session that acts ends when either user is gone', async (t) => {
  for (const gone of ['ann', 'bob']) {
    const people = new Set(['ann', 'bob'])
    let signal: AbortSignal | undefined
    const it = await world(t, {
      session: { loadUser: async (id) => (people.has(id) ? { id } : null) },
      routes: (app) => {
        ordinary(app)
        route(app, '/act', (request) => request.actAs(BOB, TICKET))
        route(app, '/watch', (request) => void (signal = request.session.signal))
      },
    })
    const ann = await staff(it)
    await ann.post('/act')
    await ann.get('/watch')
    people.delete(gone)
    it.clock.advance('61s')
    // The removal of old sessions makes every process look at what is open.
    await it.app.sessions.revokeAll({ before: new Date(0) })
    await new Promise((resolve) => signal?.addEventListener('abort', resolve))
    t.match(signal?.reason, { code: 'SESSION_CLOSED' })
    t.equal((await ann.get('/me')).json().user, null)
  }
})

t.test('changed credentials of either user end the session', async (t) => {
  for (const changed of ['ann', 'bob']) {
    const hashes = new Map([
      ['ann', 'a'],
      ['bob', 'b'],
    ])
    const it = await support(t, {
      loadUser: async (id) => ({ id }),
      authHash: ({ id }) => hashes.get(id) ?? '',
    })
    const ann = await staff(it)
    await ann.post('/act')
    it.clock.advance('61s')
    t.equal((await ann.get('/who')).json().user, 'bob')
    it.clock.advance('61s')
    hashes.set(changed, 'new')
    t.equal((await ann.get('/who')).json().user, null, changed)
    t.match(it.events.at(-1), { type: 'revoke', reason: 'auth-hash', userId: 'bob', actorId: 'ann' })
    hashes.set('bob', '')
    const bea = await staff(it)
    t.equal(codeOf(await bea.post('/act')), '500 SESSION_AUTH_HASH_UNSET')
  }
})

t.test('the shorter lifetimes of the two users hold', async (t) => {
  const it = await support(t, {
    idleTimeout: ({ id }) => (id === 'bob' ? '5m' : '20m'),
    absoluteTimeout: ({ id }) => (id === 'dora' ? '21m' : '12h'),
  })
  const ann = await staff(it)
  await ann.post('/act')
  it.clock.advance('5m')
  t.equal((await ann.get('/who')).json().user, null)
  const bob = it.visitor()
  await bob.post('/login', { user: BOB })
  await bob.post('/act', { user: { id: 'ann' } })
  it.clock.advance('5m')
  t.equal((await bob.get('/who')).json().user, null)
  const eve = await staff(it)
  await eve.post('/act', { user: { id: 'dora' } })
  const { absolute, idle } = (await eve.get('/facts')).json()
  t.equal(new Date(absolute).getTime(), it.clock() + 21 * 60_000)
  t.ok(new Date(idle) <= new Date(absolute))
})

t.test('a response that fails begins no acting and ends none', async (t) => {
  const it = await world(t, {
    routes: (app) => {
      ordinary(app)
      route(app, '/act', (request) => request.actAs(BOB, TICKET))
      route(app, '/act-fail', async (request) => {
        await request.actAs(BOB, TICKET)
        throw new Error('the handler failed')
      })
      route(app, '/stop-fail', async (request) => {
        await request.stopActing()
        throw new Error('the handler failed')
      })
    },
  })
  const ann = await staff(it)
  await ann.post('/note', { mine: 1 })
  t.equal((await ann.post('/act-fail')).statusCode, 500)
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' }, data: { mine: 1 } })
  t.strictSame(await it.app.sessions.list('bob'), [])
  await ann.post('/act')
  t.equal((await ann.post('/stop-fail')).statusCode, 500)
  const { user, data } = (await ann.get('/me')).json<{ user: unknown; data: unknown }>()
  t.strictSame({ user, data }, { user: { id: 'bob' }, data: {} })
})

t.test('acting works on a store without a user index', async (t) => {
  const it = await world(t, {
    store: coreOnly,
    routes: (app) => {
      ordinary(app)
      route(app, '/act', (request) => request.actAs(BOB, TICKET))
      route(app, '/stop', (request) => request.stopActing())
    },
  })
  const ann = await staff(it)
  await ann.post('/act')
  t.match((await ann.get('/me')).json(), { user: { id: 'bob' } })
  await ann.post('/stop')
  t.match((await ann.get('/me')).json(), { user: { id: 'ann' } })
})
