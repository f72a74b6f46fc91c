import t from 'tap'
import type { Test } from 'tap'
import { actAs, login, regenerate, stopActing, updateUser } from '../../lib/session/actions.ts'
import type { Client } from '../../lib/session/engine.ts'
import type { PresentedId } from '../../lib/session/id.ts'
import type { Loaded } from '../../lib/session/load-session.ts'
import { NONE } from '../../lib/session/load-session.ts'
import { RequestSession } from '../../lib/session/request-session.ts'
import { IDLE } from '../../lib/testing/contract/check.ts'
import type { SecureSessionOptions, SessionRecord } from '../../types/index.ts'
import { settle } from '../support/gate-store.ts'
import { expectNoUnhandled } from '../support/outage.ts'
import type { Desk } from './desk.ts'
import { acting, desk, OWNER } from './desk.ts'

const SILENT = { cookie: undefined, renewedId: undefined, isTokenRead: false }
const UNAVAILABLE = { code: 'SESSION_STORE_UNAVAILABLE' }

/** A request with a session that is stored. */
interface Visit extends Desk {
  readonly record: SessionRecord
  readonly session: RequestSession
  /** Returns another request of the session, or of what is left of it. */
  readonly again: () => Promise<RequestSession>
  /** Fails the next operation of that name. */
  readonly failNext: (name: string, after?: number) => void
}

async function visit(
  t: Test,
  changes: Partial<SessionRecord> = {},
  options: SecureSessionOptions = {},
  client: Client = OWNER,
): Promise<Visit> {
  const it = await desk(t, options)
  const now = it.bench.clock()
  const { record, id } = await it.put({ lastSeenAt: now, rotatedAt: now, data: '{"cart":[1],"n":1}', ...changes })
  const again = async (): Promise<RequestSession> => new RequestSession(it.engine, client, await it.load(id, client))
  const session = await again()
  it.asked()
  const failNext = (name: string, after = 0): void => {
    const caught = it.bench.gate.hold(name, { after })
    void caught.arrived.then(() => caught.fail())
  }
  return { ...it, record, session, again, failNext }
}

/** Changes the data of a request. */
function write(session: RequestSession, data: object): void {
  Object.assign(session.object as object, data)
}

/** Returns the data of a request. */
function dataOf(session: RequestSession): unknown {
  return (session.object as { data(): unknown } | null)?.data()
}

t.test('a request without a session has nothing to say, until it keeps something', async (t) => {
  const { bench, engine, asked } = await desk(t)
  const session = new RequestSession(engine, OWNER, NONE)
  const { handle } = session
  t.match(handle, /^[\w-]{22}$/)
  t.equal(session.handle, handle, 'the name of a record that would be created')
  t.match(session.response, { ...SILENT, isRead: false, isLoggedOut: false })
  t.strictSame([session.hasWork, session.isAnswered, session.isSaved], [false, false, false])
  t.equal(session.facts.record, undefined)
  write(session, { a: 1 })
  t.equal(session.hasWork, true)
  await session.finish(false, 'reply')
  t.equal(session.isAnswered, true)
  t.match(await bench.record(handle), { data: '{"a":1}', userId: null, epoch: 0 })
  t.match(session.response.cookie, { kind: 'set', value: new RegExp(`^${handle}\\.`) })
  t.strictSame(
    asked().filter((name) => name !== 'get'),
    ['create'],
  )
})

t.test('a record that begins after an end in the same request has another name', async (t) => {
  const { bench, engine } = await desk(t)
  for (const end of ['logout', 'destroy'] as const) {
    const session = new RequestSession(engine, OWNER, NONE)
    const { handle } = session
    write(session, { a: 1 })
    await session.save()
    t.equal(session.isSaved, true)
    await session[end]()
    t.equal(await bench.record(handle), undefined)
    t.not(session.handle, handle, end)
    await login(session, { id: 'ann' })
    await session.finish(false, 'reply')
    t.match(await bench.record(session.handle), { userId: 'ann', data: '{}' })
    t.not(session.handle, handle, end)
  }
})

t.test('a login whose id goes into a header clears the cookie that came, and no other', async (t) => {
  const { engine } = await desk(t, { headerTransport: {} })
  const shadowed: Loaded = { state: 'shadowed', handle: 'A'.repeat(22) }
  for (const [loaded, cookie] of [
    [NONE, undefined],
    [shadowed, { kind: 'clear' }],
  ] as const) {
    const session = new RequestSession(engine, OWNER, loaded)
    await login(session, { id: 'ann' }, { transport: 'header' })
    t.strictSame(session.response.cookie, cookie, loaded.state)
    t.type(session.response.renewedId, 'string')
    const token = session.takeToken()
    t.type(token, 'string')
    t.equal(session.takeToken(), null, 'the app reads it once')
    t.match(session.response, { renewedId: undefined, isTokenRead: true })
  }
})

t.test('a request has work as soon as something waits to be written', async (t) => {
  const cases: Record<string, (it: Visit) => unknown> = {
    'a touch': ({ session }) => session.touch(),
    'a change of data': ({ session }) => write(session, { n: 2 }),
    'a change deep inside the data': ({ session }) => (session.object as unknown as { cart: number[] }).cart.push(2),
    'another snapshot of the user': ({ session, record }) => {
      const user = { id: String(record.userId), name: 'another' }
      return updateUser(session, user)
    },
    'a new id': ({ session }) => regenerate(session),
    'a failure that nobody observed': async ({ session }) => {
      void session.watch(Promise.reject(new Error('of the app')))
      await settle()
    },
  }
  for (const [what, act] of Object.entries(cases)) {
    const it = await visit(t)
    t.equal(it.session.hasWork, false, 'before')
    t.equal(dataOf(it.session) !== undefined && it.session.hasWork, false, 'a look is no work')
    await act(it)
    t.equal(it.session.hasWork, true, what)
  }
})

t.test('work under way is work for the end of the request', async (t) => {
  const { session } = await visit(t)
  let end = (): void => undefined
  const watched = session.watch(new Promise((resolve) => (end = resolve)))
  t.equal(session.hasWork, true)
  end()
  await watched
  await settle()
  t.equal(session.hasWork, false)
})

t.test('a change of the id that is refused leaves the data as it was before', async (t) => {
  const anybody = { id: 'ann' }
  const ways: Record<string, (it: Visit) => Promise<unknown>> = {
    'a new id, saved': async ({ session }) => {
      await regenerate(session)
      write(session, { late: 1 })
      return session.save()
    },
    'a login, saved': async ({ session }) => {
      await login(session, anybody)
      return session.save()
    },
    'a login after a reload': async ({ session }) => {
      await session.save()
      await login(session, anybody)
      await session.reload()
      return session.save()
    },
    'a login, and a new id': async ({ session }) => {
      await login(session, anybody, { keep: ['n'] })
      await regenerate(session, ['cart'])
      return session.save()
    },
    'a login whose id goes into a header': ({ session }) => login(session, anybody, { transport: 'header' }),
    'somebody who begins to act as another user': async ({ session }) => {
      await actAs(session, anybody, { reason: 'ticket 7' })
      write(session, { late: 1 })
      return session.save()
    },
  }
  for (const [what, way] of Object.entries(ways)) {
    const it = await visit(t, {}, { headerTransport: {} })
    const held = it.session.object as unknown as { n: number; m: number }
    held.n = 5
    it.failNext('update', what === 'a login after a reload' ? 1 : 0)
    await t.rejects(way(it), UNAVAILABLE, what)
    t.strictSame(dataOf(it.session), { cart: [1], n: 5 }, what)
    if (what !== 'a login after a reload') held.m = 6
    else write(it.session, { m: 6 })
    await it.session.finish(false, 'reply')
    const { userId, secretHash, epoch } = it.record
    t.match(
      await it.bench.record(it.record.handle),
      { userId, secretHash, epoch, data: '{"cart":[1],"n":5,"m":6}' },
      what,
    )
    t.equal(it.session.response.cookie, undefined, what)
  }
})

t.test('what was changed deep inside the data for a login that is refused goes with it', async (t) => {
  const nobody = { userId: null, user: null, authenticatedAt: null }
  const { bench, session, record, failNext } = await visit(t, nobody)
  t.strictSame(dataOf(session), { cart: [1], n: 1 })
  await login(session, { id: 'ann' })
  const { cart } = session.object as unknown as { cart: unknown[] }
  cart.push('of ann')
  failNext('update')
  await t.rejects(session.save(), UNAVAILABLE)
  t.strictSame(dataOf(session), { cart: [1], n: 1 })
  await session.finish(false, 'reply')
  t.match(await bench.record(record.handle), { userId: null, data: record.data })
})

t.test('a way back from acting that is refused leaves the data of the session as it was', async (t) => {
  const it = await visit(t)
  await actAs(it.session, { id: 'ann' }, { reason: 'ticket 7' })
  await it.session.finish(false, 'reply')
  const acted = await it.bench.record(it.record.handle)
  const id = it.engine.ids.read((it.session.response.cookie as { value: string }).value) as PresentedId
  const session = new RequestSession(it.engine, OWNER, await it.load(id))
  write(session, { of: 'ann' })
  await stopActing(session)
  t.strictSame(dataOf(session), { cart: [1], n: 1 })
  write(session, { late: 1 })
  it.failNext('update')
  await t.rejects(session.save(), UNAVAILABLE)
  t.strictSame(dataOf(session), { of: 'ann' })
  await session.finish(false, 'reply')
  t.match(await it.bench.record(it.record.handle), {
    userId: 'ann',
    data: '{"of":"ann"}',
    secretHash: acted?.secretHash,
  })
})

t.test('another snapshot of the user that was refused after the response started is not tried again', async (t) => {
  const { bench, session, record, failNext } = await visit(t)
  session.markAnswered()
  failNext('update')
  const user = { id: String(record.userId), name: 'late' }
  await t.rejects(updateUser(session, user), UNAVAILABLE)
  write(session, { n: 2 })
  await session.save()
  t.match(await bench.record(record.handle), { user: record.user, data: '{"cart":[1],"n":2}' })
})

t.test('a login keeps the secret of tokens from before, if it is refused', async (t) => {
  const nobody = { userId: null, user: null, authenticatedAt: null, data: '{"_csrf":"own","n":1}' }
  const { bench, session, record, failNext } = await visit(t, nobody)
  const held = session.object as unknown as Record<string, unknown>
  await login(session, { id: 'ann' })
  t.equal(held['_csrf'], undefined)
  failNext('update')
  await t.rejects(session.save(), UNAVAILABLE)
  t.equal(held['_csrf'], 'own')
  held['m'] = 2
  await session.finish(false, 'reply')
  t.match(await bench.record(record.handle), { userId: null, data: '{"_csrf":"own","n":1,"m":2}' })
})

t.test(
  'a login that is given up leaves the data as it was before, also if what took its place is refused',
  async (t) => {
    const ways: Record<string, (it: Visit) => Promise<unknown>> = {
      'another login': ({ session }) => login(session, { id: 'bob' }),
      'a logout': ({ session }) => session.logout(),
      'an end': ({ session }) => session.destroy(),
    }
    for (const [what, way] of Object.entries(ways)) {
      const it = await visit(t)
      write(it.session, { n: 5 })
      await login(it.session, { id: 'ann' }, { keep: false })
      it.failNext(what === 'another login' ? 'addToIndex' : 'delete')
      await t.rejects(way(it), UNAVAILABLE, what)
      t.strictSame(dataOf(it.session), { cart: [1], n: 5 }, what)
      await it.session.finish(false, 'reply')
      const { userId, secretHash } = it.record
      t.match(await it.bench.record(it.record.handle), { userId, secretHash, data: '{"cart":[1],"n":5}' }, what)
    }
  },
)

t.test('a login by header that is refused is not tried again', async (t) => {
  const it = await visit(t, {}, { headerTransport: {} })
  write(it.session, { wrong: () => 1 })
  const refused = { code: 'SESSION_VALUE_UNSERIALIZABLE' }
  await t.rejects(login(it.session, { id: 'ann' }, { transport: 'header', keep: ['wrong'] }), refused)
  t.equal(it.session.facts.userId, it.record.userId)
  t.strictSame(await it.bench.indexed({ id: 'ann' }), [], 'its place is given back')
  write(it.session, { wrong: 1 })
  await it.session.finish(false, 'reply')
  const { userId, secretHash } = it.record
  t.match(await it.bench.record(it.record.handle), { userId, secretHash, data: '{"cart":[1],"n":1,"wrong":1}' })
  t.equal(it.session.response.renewedId, undefined)
})

t.test('a logout ends its session: the record goes, the cookie is cleared, and the event names the user', async (t) => {
  const { bench, session, record, events, ends, places } = await visit(t)
  const { handle, userId } = record
  await session.logout()
  t.equal(await bench.record(handle), undefined)
  t.strictSame(await places(record), [])
  t.match(session.response, { cookie: { kind: 'clear' }, isLoggedOut: true })
  t.strictSame(events(), [{ type: 'logout', at: bench.clock(), handle, userId }])
  t.strictSame(ends, ['logout'])
  t.equal(session.facts.userId, null)
  t.strictSame(dataOf(session), {})
})

t.test('a logout of nobody ends the session, and tells of no user', async (t) => {
  const nobody = { userId: null, user: null, authenticatedAt: null }
  const { bench, session, record, events } = await visit(t, nobody)
  await session.logout({ everywhere: true })
  t.equal(await bench.record(record.handle), undefined)
  t.match(session.response, { cookie: { kind: 'clear' }, isLoggedOut: false })
  t.strictSame(events(), [])
})

t.test('a logout everywhere ends all sessions of the user, and one of the others spares its own', async (t) => {
  for (const options of [{ everywhere: true }, { others: true }, {}] as const) {
    const { bench, session, record, events, put } = await visit(t, { userId: 'ann', user: '{"id":"ann"}' })
    const ann = { userId: 'ann', user: '{"id":"ann"}' }
    const [other, bob] = [await put(ann), await put()]
    await session.logout(options)
    const isThere = async ({ handle }: SessionRecord): Promise<boolean> => (await bench.record(handle)) !== undefined
    const isSpared = 'others' in options
    t.strictSame(
      [await isThere(record), await isThere(other.record), await isThere(bob.record)],
      [isSpared, Object.keys(options).length === 0, true],
    )
    const revoked = { type: 'revoke', handle: other.record.handle, userId: 'ann', reason: 'revoked' }
    const loggedOut = { type: 'logout', handle: record.handle, userId: 'ann' }
    const told = events().map(({ at: _at, ...event }) => event)
    t.strictSame(told, [...('everywhere' in options || isSpared ? [revoked] : []), ...(isSpared ? [] : [loggedOut])])
    t.equal(session.response.isLoggedOut, !isSpared)
    t.equal(session.facts.userId, isSpared ? 'ann' : null)
  }
})

t.test('a logout everywhere finds a session that began beside it', async (t) => {
  for (const isBroken of [false, true]) {
    const ann = { userId: 'ann', user: '{"id":"ann"}' }
    const { bench, session, events, put, failNext } = await visit(t, ann)
    const caught = bench.gate.hold('delete')
    const left = session.logout({ everywhere: true })
    await caught.arrived
    const { record } = await put(ann)
    if (isBroken) failNext('listIndex')
    caught.release()
    if (isBroken) {
      await t.rejects(left, UNAVAILABLE, 'a logout that may have left a session is no success')
      continue
    }
    await left
    t.equal(await bench.record(record.handle), undefined)
    t.match(
      events().filter(({ type }) => type === 'revoke'),
      [{ handle: record.handle, userId: 'ann', reason: 'revoked' }],
    )
  }
})

t.test('a logout with an option that it does not know ends nothing', async (t) => {
  const { bench, session, record } = await visit(t)
  const refused = { code: 'SESSION_OPTION_INVALID', message: /everywher/ }
  await t.rejects(session.logout({ everywher: true } as object), refused)
  t.strictSame(await bench.record(record.handle), record)
  t.equal(session.response.isLoggedOut, false)
})

t.test('an id that opens nothing ends nothing, except one that is far behind', async (t) => {
  const { bench, engine, record, events, failNext } = await visit(t)
  const { handle, userId } = record
  for (const [loaded, code] of [
    [{ state: 'shadowed', handle }, 'SESSION_SUPERSEDED'],
    [{ state: 'unproven', handle, userId }, 'SESSION_PROOF_REQUIRED'],
  ] as const) {
    for (const end of ['logout', 'destroy'] as const) {
      await t.rejects(new RequestSession(engine, OWNER, loaded)[end](), { code }, loaded.state)
    }
  }
  t.strictSame(await bench.record(handle), record)
  t.strictSame(events(), [])
  const outdated: Loaded = { state: 'outdated', handle }
  failNext('delete')
  await t.rejects(new RequestSession(engine, OWNER, outdated).logout(), UNAVAILABLE)
  t.strictSame(await bench.record(handle), record)
  events()
  const session = new RequestSession(engine, OWNER, outdated)
  await session.logout()
  t.equal(await bench.record(handle), undefined)
  t.match(session.response, { cookie: { kind: 'clear' }, isLoggedOut: false })
  t.match(events(), [{ type: 'revoke', handle, userId, reason: 'replay' }])
})

t.test('a login that is logged out, replaced or failed gives its place back', async (t) => {
  const ends: Record<string, (it: Visit) => Promise<unknown>> = {
    'a logout': ({ session }) => session.logout(),
    'another login': ({ session }) => login(session, { id: 'bob' }),
    'a response that failed': ({ session }) => session.finish(true, 'reply'),
  }
  for (const [what, end] of Object.entries(ends)) {
    const it = await visit(t)
    await login(it.session, { id: 'ann' })
    t.strictSame(await it.bench.indexed({ id: 'ann' }), [it.record.handle])
    await end(it)
    t.strictSame(await it.bench.indexed({ id: 'ann' }), [], what)
    if (what !== 'another login') t.equal(it.session.facts.userId, what === 'a logout' ? null : it.record.userId)
  }
})

t.test('a place that could not be given back fails the logout, and no response that failed already', async (t) => {
  expectNoUnhandled(t)
  for (const isLogout of [true, false]) {
    const { bench, session, record, failNext } = await visit(t)
    await login(session, { id: 'ann' })
    failNext(isLogout ? 'addToIndex' : 'removeFromIndex')
    if (isLogout) await t.rejects(session.logout(), UNAVAILABLE)
    else await t.resolves(session.finish(true, 'reply'))
    t.strictSame(await bench.record(record.handle), record)
  }
})

t.test('of two logins in one request of which the second is refused none is left', async (t) => {
  const { bench, session, record, failNext } = await visit(t)
  await login(session, { id: 'ann' })
  failNext('addToIndex')
  await t.rejects(login(session, { id: 'bob' }), UNAVAILABLE)
  t.equal(session.facts.userId, record.userId)
  await session.finish(false, 'reply')
  t.match(await bench.record(record.handle), { userId: record.userId, secretHash: record.secretHash })
  t.equal(session.response.cookie, undefined)
})

t.test('an update writes at once, and later writes of the request go on from there', async (t) => {
  const { bench, session, record, asked } = await visit(t)
  t.strictSame(dataOf(session), { cart: [1], n: 1 })
  t.equal(await session.update((draft) => (draft['n'] = Number(draft['n']) + 1)), 2)
  const stored = await bench.record(record.handle)
  t.match(stored, { data: '{"cart":[1],"n":2}', version: record.version + 1 })
  t.strictSame(session.facts.record, stored)
  t.strictSame(dataOf(session), { cart: [1], n: 2 })
  asked()
  write(session, { m: 3 })
  await session.finish(false, 'reply')
  t.strictSame(asked(), ['update'], 'no conflict with its own write')
  t.match(await bench.record(record.handle), { data: '{"cart":[1],"n":2,"m":3}' })
})

t.test(
  'an update of a session that ended, or has another user by now, is told and leaves the request without',
  async (t) => {
    for (const isActing of [false, true]) {
      for (const reason of ['gone', 'epoch'] as const) {
        const it = await visit(t)
        const now = it.bench.clock()
        const { record, id } = await it.put(isActing ? acting(now) : {})
        const { handle, version, userId } = record
        const session = new RequestSession(it.engine, OWNER, await it.load(id))
        const next = { ...record, epoch: record.epoch + 1, version: version + 1, data: '{"of":"another"}' }
        if (reason === 'gone') await it.engine.store.delete(handle)
        else await it.engine.store.update(next, version)
        await t.rejects(
          session.update(() => undefined),
          { code: 'SESSION_SUPERSEDED' },
        )
        const both = isActing ? { userId, actorId: 'admin' } : {}
        t.strictSame(it.events(), [{ type: 'dropped-write', at: now, reason, handle, ...both }])
        t.equal(session.facts.record, undefined)
        t.strictSame(dataOf(session), {})
        await session.finish(false, 'reply')
        t.match(session.response, SILENT, 'nothing is said about the cookie')
        t.strictSame(await it.bench.record(handle), reason === 'gone' ? undefined : next)
      }
    }
  },
)

t.test('an update that fails and that nobody observes fails the request', async (t) => {
  const { session } = await visit(t)
  void session.update(() => {
    throw new Error('of the app')
  })
  await settle()
  await t.rejects(session.finish(false, 'reply'), { message: 'of the app' })
})

t.test('a reload forgets the changes of the request, and reads those of others', async (t) => {
  const { bench, engine, session, record } = await visit(t)
  const newer = { ...record, version: record.version + 1, data: '{"cart":[],"n":9}' }
  await engine.store.update(newer, record.version)
  write(session, { n: 5, mine: true })
  await session.reload()
  t.strictSame(dataOf(session), { cart: [], n: 9 })
  t.strictSame(session.facts.record, newer)
  t.equal(session.hasWork, false)
  await session.finish(false, 'reply')
  t.strictSame(await bench.record(record.handle), newer)
})

t.test('a reload of a session that ended, or has another user by now, shows nothing of it', async (t) => {
  for (const isGone of [true, false]) {
    const { engine, session, record } = await visit(t)
    const { handle, version, epoch } = record
    if (isGone) await engine.store.delete(handle)
    else await engine.store.update({ ...record, epoch: epoch + 1, version: version + 1 }, version)
    write(session, { n: 5 })
    await session.reload()
    t.equal(session.facts.record, undefined)
    t.strictSame(dataOf(session), {})
    t.match(session.response, SILENT)
  }
  const { engine } = await desk(t)
  const session = new RequestSession(engine, OWNER, NONE)
  write(session, { n: 5 })
  await session.reload()
  t.strictSame(dataOf(session), {})
})

t.test('upkeep that a store refuses is told, and the request goes on without', async (t) => {
  for (const isActing of [false, true]) {
    const it = await visit(t)
    const now = it.bench.clock()
    const { record, id } = await it.put({ ...(isActing && acting(now)), lastSeenAt: now - IDLE * 2 })
    const { handle, userId } = record
    const session = new RequestSession(it.engine, OWNER, await it.load(id))
    t.equal(session.hasWork, true)
    it.failNext('touch')
    await session.finish(false, 'reply')
    const both = isActing ? { userId, actorId: 'admin' } : {}
    t.strictSame(it.events().slice(1), [{ type: 'upkeep-skipped', at: now, handle, ...both }])
    t.strictSame(await it.bench.record(handle), record)
    t.match(session.response, SILENT)
  }
})

t.test('a write that the app asked for and that fails is the failure of the request, and leaves nothing', async (t) => {
  const { bench, session, record, events, failNext } = await visit(t)
  write(session, { n: 5 })
  failNext('update')
  await t.rejects(session.finish(false, 'reply'), UNAVAILABLE)
  t.strictSame(
    events().map(({ type }) => type),
    ['store-failure'],
  )
  t.strictSame(dataOf(session), { cart: [1], n: 1 }, 'the error page sees the session as it was')
  t.equal(session.hasWork, false)
  t.strictSame(await bench.record(record.handle), record)
})

t.test('a response that failed after all takes back what was committed for it', async (t) => {
  const { bench, session, record, places } = await visit(t)
  await login(session, { id: 'ann' })
  t.equal(session.before, undefined)
  await session.finish(false, 'reply')
  t.match(await bench.record(record.handle), { userId: 'ann' })
  t.match(session.response.cookie, { kind: 'set' })
  t.match(session.before, { cookie: undefined })
  await session.takeBack()
  t.match(await bench.record(record.handle), {
    userId: record.userId,
    secretHash: record.secretHash,
    data: record.data,
  })
  t.strictSame(await places(record), [record.userId])
  t.strictSame(await bench.indexed({ id: 'ann' }), [])
  t.equal(session.facts.userId, record.userId)
  t.equal(session.before, undefined)
  t.match(session.response, SILENT)
})

t.test('a login that is written before the response is taken back before a later failure is told', async (t) => {
  const { bench, session, record, failNext } = await visit(t, {}, { headerTransport: {} })
  await login(session, { id: 'ann' }, { transport: 'header' })
  t.match(await bench.record(record.handle), { userId: 'ann' })
  write(session, { n: 5 })
  failNext('update')
  const caught = bench.gate.hold('update', { after: 0 })
  let isTold = false
  const told = session.finish(false, 'reply').catch((error: unknown) => {
    isTold = true
    return error
  })
  await caught.arrived
  await settle()
  t.equal(isTold, false)
  caught.release()
  t.match(await told, UNAVAILABLE)
  t.match(await bench.record(record.handle), { userId: record.userId, secretHash: record.secretHash })
  t.equal(session.facts.userId, record.userId)
})

t.test('a store that fails while a failed response is taken back changes nothing about the response', async (t) => {
  expectNoUnhandled(t)
  const { session, record, failNext } = await visit(t)
  await login(session, { id: 'ann' })
  await session.finish(false, 'reply')
  failNext('update')
  await t.resolves(session.takeBack())
  t.equal(session.facts.userId, record.userId)
})

t.test('a failed response leaves nothing staged, and a destroyed session destroyed', async (t) => {
  const { session } = await visit(t)
  session.touch()
  write(session, { n: 5 })
  await session.finish(true, 'reply')
  t.equal(session.hasWork, false)
  t.strictSame(dataOf(session), { cart: [1], n: 1 })
  const { session: destroyed } = await visit(t)
  await destroyed.destroy()
  t.equal(destroyed.object, null)
  await destroyed.finish(true, 'reply')
  t.equal(destroyed.object, null)
})

t.test('a login that was refused may be tried again, and one that the store took back is gone', async (t) => {
  const { bench, session, record } = await visit(t, {}, { maxRecordSize: 4096 })
  await login(session, { id: 'ann' })
  write(session, { big: 'x'.repeat(5000) })
  await t.rejects(session.save(), { code: 'SESSION_RECORD_TOO_LARGE' })
  write(session, { big: 'x' })
  await session.save()
  t.match(await bench.record(record.handle), { userId: 'ann', data: /"big":"x"/ })
  const it = await visit(t)
  await login(it.session, { id: 'ann' })
  it.failNext('update')
  await t.rejects(it.session.save(), UNAVAILABLE)
  await it.session.finish(false, 'reply')
  t.match(await it.bench.record(it.record.handle), { userId: it.record.userId, secretHash: it.record.secretHash })
  t.match(it.session.response, SILENT)
})

t.test('data for a session that ended is dropped and told, and a new id for it is refused', async (t) => {
  const { bench, engine, session, record, again, events } = await visit(t)
  const { handle } = record
  const other = await again()
  await engine.store.delete(handle)
  write(session, { n: 5 })
  await session.save()
  t.match(events(), [{ type: 'dropped-write', handle, reason: 'gone' }])
  await regenerate(other)
  await t.rejects(other.save(), { code: 'SESSION_SUPERSEDED' })
  for (const one of [session, other]) {
    t.equal(one.facts.record, undefined)
    t.strictSame(dataOf(one), {})
    t.match(one.response, SILENT)
  }
  t.equal(await bench.record(handle), undefined)
})

t.test('an id that is old enough is renewed by a reply, later by a stream, and never by a save', async (t) => {
  const MINUTE = 60_000
  for (const [age, way, isRenewed] of [
    [15 * MINUTE - 1, 'reply', false],
    [15 * MINUTE, 'reply', true],
    [15 * MINUTE, 'stream', false],
    [30 * MINUTE, 'stream', true],
    [300 * MINUTE, 'save', false],
  ] as const) {
    const it = await desk(t)
    const now = it.bench.clock()
    const { record, id } = await it.put({ rotatedAt: now - age, lastSeenAt: now })
    const session = new RequestSession(it.engine, OWNER, await it.load(id))
    if (way === 'save') await session.save()
    else await session.finish(false, way)
    const { cookie } = session.response
    t.equal(cookie?.kind, isRenewed ? 'set' : undefined, { age, way })
    if (cookie?.kind !== 'set') continue
    t.match(cookie, { renewedAt: now, expiresAt: record.absoluteDeadline })
    t.match(it.engine.ids.read(cookie.value), { handle: record.handle, generation: record.generation + 1 })
    t.match(it.events(), [{ type: 'renew', handle: record.handle }])
  }
})

t.test('after the response started only a change without a cookie is taken', async (t) => {
  const { bench, session, record } = await visit(t)
  const user = { id: String(record.userId), name: 'late' }
  t.equal(session.markAnswered(), false)
  t.equal(session.markAnswered(), true)
  const late = { code: 'SESSION_RESPONSE_STARTED' }
  await t.rejects(login(session, { id: 'ann' }), late)
  await t.rejects(regenerate(session), late)
  await updateUser(session, user)
  t.match(await bench.record(record.handle), { user: JSON.stringify(user) })
  const { engine } = await desk(t)
  const nobody = new RequestSession(engine, OWNER, NONE, true)
  t.equal(nobody.isAnswered, true)
  await t.rejects(nobody.save(), late)
  t.throws(() => nobody.changeLate(), late)
})

t.test('another snapshot of the user outlives a new id in the same request', async (t) => {
  const { bench, session, record } = await visit(t)
  const user = { id: String(record.userId), name: 'another' }
  await updateUser(session, user)
  t.strictSame({ ...session.facts.user }, user)
  await regenerate(session, ['n'])
  t.strictSame({ ...session.facts.user }, user)
  t.strictSame(dataOf(session), { n: 1 })
  await session.finish(false, 'reply')
  t.match(await bench.record(record.handle), { user: JSON.stringify(user), data: '{"n":1}', epoch: record.epoch + 1 })
})

t.test('a login keeps what it is told to keep, and no secret of tokens from before', async (t) => {
  for (const [keep, data] of [
    [true, { undefined: 1, cart: [1] }],
    [false, {}],
    [['cart'], { cart: [1] }],
  ] as const) {
    const nobody = { userId: null, user: null, authenticatedAt: null }
    const { session } = await visit(t, { ...nobody, data: '{"_csrf":"planted","undefined":1,"cart":[1]}' })
    await login(session, { id: 'ann' }, { keep: typeof keep === 'boolean' ? keep : [...keep] })
    t.strictSame(dataOf(session), data, JSON.stringify(keep))
  }
  const { session, record } = await visit(t, { data: '{"_csrf":"own","undefined":1}' })
  await login(session, { id: String(record.userId) }, { keep: true })
  t.strictSame(dataOf(session), { _csrf: 'own', undefined: 1 }, 'the same user')
})

t.test(
  'whoever begins to act as another user sees their data, and may change nothing else before a save',
  async (t) => {
    const { bench, session, record } = await visit(t)
    write(session, { n: 5 })
    await actAs(session, { id: 'bob' }, { reason: 'ticket 7', for: '30m' })
    t.equal(session.facts.userId, 'bob')
    t.strictSame(dataOf(session), {})
    const refused = { code: 'SESSION_OPTION_INVALID', message: /await req\.session\.save\(\)/ }
    await t.rejects(login(session, { id: 'eve' }), refused)
    await t.rejects(stopActing(session), refused)
    await session.save()
    t.match(await bench.record(record.handle), { userId: 'bob', acting: { userId: record.userId }, data: '{}' })
    await stopActing(session)
    t.equal(session.facts.userId, record.userId)
    t.strictSame(dataOf(session), { cart: [1], n: 5 })
  },
)

t.test('the signal of a request ends with the session that the request leaves', async (t) => {
  const { engine, session, record } = await visit(t)
  const { signal } = session
  t.equal(session.signal, signal)
  await engine.store.delete(record.handle, undefined, 'revoked')
  t.equal(signal.aborted, true)
  t.match(signal.reason, { code: 'SESSION_CLOSED' })
  for (const isNew of [true, false]) {
    const it = await visit(t)
    const request = isNew ? new RequestSession(it.engine, OWNER, NONE) : it.session
    await login(request, { id: 'ann' })
    const staged = request.signal
    await request.finish(false, 'reply')
    t.equal(staged.aborted, false, 'the change of id is its own')
    await it.engine.store.delete(request.handle, undefined, 'logout')
    t.equal(staged.aborted, true)
  }
})

/** Returns a client, and a function that ends the reply to its request. */
function clientOf(isTaken = (): boolean => false): { client: Client; endReply: () => void } {
  const listeners: (() => void)[] = []
  const afterReply = (listener: () => void): void => void listeners.push(listener)
  const endReply = (): void => {
    for (const hear of listeners.splice(0)) hear()
  }
  return {
    client: {
      ...OWNER,
      afterReply,
      get isReplyTaken() {
        return isTaken()
      },
    },
    endReply,
  }
}

t.test('data that is changed after the reply and not stored is told once the reply is over', async (t) => {
  const { client, endReply } = clientOf()
  for (const act of [
    (session: RequestSession): void => {
      session.changeLate()
      write(session, { n: 5 })
    },
    (session: RequestSession): void => void (session.object as unknown as { cart: number[] }).cart.push(2),
  ]) {
    const { session, events, record } = await visit(t, {}, {}, client)
    t.strictSame(dataOf(session), { cart: [1], n: 1 })
    await session.finish(false, 'reply')
    act(session)
    t.strictSame(events(), [])
    endReply()
    t.match(events(), [{ type: 'dropped-write', reason: 'late', handle: record.handle }])
    endReply()
    t.strictSame(events(), [])
  }
})

t.test('data and a login that no response can store are told once the reply is over', async (t) => {
  const acts: Record<string, (session: RequestSession) => unknown> = {
    'a change of data': (session) => write(session, { n: 5 }),
    'a change deep inside the data': (session) => (session.object as unknown as { cart: number[] }).cart.push(2),
    'a login': (session) => login(session, { id: 'ann' }),
  }
  for (const [what, act] of Object.entries(acts)) {
    for (const isWebSocket of [true, false]) {
      let isReplyTaken = false
      const { client, endReply } = clientOf(() => isReplyTaken)
      const { session, events, record } = await visit(t, {}, {}, client)
      await act(session)
      isReplyTaken = true
      if (isWebSocket) session.markAnswered()
      t.strictSame(events(), [])
      endReply()
      t.match(events(), [{ type: 'dropped-write', reason: 'late', handle: record.handle }], what)
    }
  }
})

t.test('an update that waits for a response which never stores it is told once the reply is over', async (t) => {
  let isReplyTaken = false
  const { client, endReply } = clientOf(() => isReplyTaken)
  const { engine, events } = await desk(t)
  const session = new RequestSession(engine, client, NONE)
  t.strictSame(dataOf(session), {})
  await session.update((draft) => (draft['n'] = 1))
  t.strictSame(dataOf(session), { n: 1 })
  isReplyTaken = true
  endReply()
  t.match(events(), [{ type: 'dropped-write', reason: 'late', handle: session.handle }])
})

t.test('a look at the data is no loss, whoever answers', async (t) => {
  for (const isTaken of [true, false]) {
    const { client, endReply } = clientOf(() => isTaken)
    const { session, events } = await visit(t, {}, {}, client)
    t.strictSame(dataOf(session), { cart: [1], n: 1 })
    if (!isTaken) await session.finish(false, 'reply')
    endReply()
    t.strictSame(events(), [])
  }
})

t.test('a new id for a request without a session is no loss', async (t) => {
  const { client, endReply } = clientOf()
  const { engine, events } = await desk(t)
  const session = new RequestSession(engine, client, NONE)
  await regenerate(session)
  await session.finish(false, 'reply')
  endReply()
  t.strictSame(events(), [])
  t.match(session.response, SILENT)
})
