import t from 'tap'
import { familyOf } from '../../lib/session/device.ts'
import { parentOf } from '../../lib/session/id.ts'
import type { LiveSession } from '../../lib/session/load-session.ts'
import { moveIn } from '../../lib/session/move-in.ts'
import { closeMark, leaveMark, LONG_AGO, markOf, readMark, revokeOld } from '../../lib/session/move-mark.ts'
import type { Mark } from '../../lib/session/move-mark.ts'
import type { Visit } from '../../lib/session/old-session.ts'
import { SERVE } from '../../lib/session/verdict.ts'
import type { SessionRecord } from '../../types/index.ts'
import { bootMoves, OldEntry, wayIn } from '../support/old-session.ts'
import type { MoveBench } from '../support/old-session.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const PARALLEL = 30_000

/** Moves an old session in, which has to be possible. */
async function moved(visit: Visit): Promise<LiveSession> {
  const session = await moveIn(visit)
  if (typeof session !== 'object') throw new Error(`the old session leads to ${session}`)
  return session
}

/** Handles of the records there are: of `living`, those that are not in `before`. */
async function newHandles({ bench }: MoveBench, before: readonly string[] = []): Promise<string[]> {
  return (await bench.living()).filter((handle) => !before.includes(handle))
}

t.test('the session of a user begins now, knows no recent login and carries the data over', async (t) => {
  const session = { idleTimeout: '1h', absoluteTimeout: '2h', rememberTimeout: '30d' } as const
  for (const remember of [false, true]) {
    const { bench, engine, visitOf } = await bootMoves(t, [wayIn({ remember })], { session })
    const now = bench.clock()
    const visit = visitOf(new OldEntry('ann', { data: { userId: 'ann', cart: ['tea'] } }))
    const { record, ...rest } = await moved(visit)
    t.match(record, { userId: 'ann', user: '{"id":"ann"}', data: '{"userId":"ann","cart":["tea"]}', epoch: 1 })
    t.match(record, {
      createdAt: now,
      lastSeenAt: now,
      rotatedAt: now,
      shownAt: now,
      sparedAt: now,
      authCheckedAt: now,
    })
    t.match(record, { authenticatedAt: 0, isForked: true, heldBack: null, authHash: null, version: 2, remember })
    t.match(record, { device: { userAgent: 'Firefox/140.0', ip: '203.0.113.7' }, family: familyOf('Firefox/140.0') })
    const end = now + (remember ? 30 * DAY : 2 * HOUR)
    t.match(record, { absoluteDeadline: end, idleDeadline: remember ? end : now + HOUR })
    t.match(record.secretHash, /^[\w-]{43}$/)
    t.strictSame(await bench.record(record.handle), record)
    t.strictSame(await bench.indexed({ id: 'ann' }), [record.handle])
    const { cookie, ...state } = rest
    t.strictSame(state, { state: 'live', presented: undefined, verdict: SERVE, checked: undefined })
    const expiresAt = remember ? end : undefined
    t.match(cookie, { kind: 'set', expiresAt, renewedAt: undefined, binds: undefined })
    const id = engine.ids.read(cookie?.kind === 'set' ? cookie.value : '')
    const issuedAt = Math.floor(now / 1000) * 1000
    t.match(id, { handle: record.handle, epoch: 1, generation: 1, issuedAt, parent: parentOf(record.secretHash) })
    t.match(bench.takeEvents('migrate'), [{ handle: record.handle, userId: 'ann', from: 'old-library' }])
  }
})

t.test('the session of nobody keeps its data, and one that is empty is used up', async (t) => {
  const bench = await bootMoves(t)
  const { record } = await moved(bench.visitOf(new OldEntry('cart', { data: { cart: 1 } })))
  t.match(record, { userId: null, user: null, authenticatedAt: null, data: '{"cart":1}', epoch: 0, isForked: false })
  t.match(record, { shownAt: bench.bench.clock(), heldBack: null, device: null })
  t.match(bench.bench.takeEvents('migrate'), [{ handle: record.handle, userId: null, from: 'old-library' }])
  const living = await bench.bench.living()
  const empty = new OldEntry('empty', { data: {} })
  t.equal(await moveIn(bench.visitOf(empty)), undefined)
  t.strictSame(empty.asked, ['load', 'remove'])
  const ann = new OldEntry('user without data', { data: {} })
  const ofAnn = { ...bench.migration, user: async () => ({ id: 'ann' }) }
  t.strictSame(await newHandles(bench, living), [], 'no record and no mark')
  t.match((await moved(bench.visitOf(ann, { migration: ofAnn }))).record, { userId: 'ann', data: '{}' })
  t.equal(await moveIn(bench.visitOf(new OldEntry('damaged', 'damaged'))), 'damaged')
  t.equal(await moveIn(bench.visitOf(new OldEntry('ended', undefined))), undefined)
})

t.test('with keepOld the old session stays, also one of which nothing moves', async (t) => {
  const bench = await bootMoves(t, [wayIn({ keepOld: true })])
  const [empty, full] = [new OldEntry('empty', { data: {} }), new OldEntry('full', { data: { a: 1 } })]
  t.equal(await moveIn(bench.visitOf(empty)), undefined)
  await moved(bench.visitOf(full))
  bench.bench.clock.advance(PARALLEL)
  t.equal(await moveIn(bench.visitOf(full)), undefined)
  t.strictSame([...empty.asked, ...full.asked], ['load', 'load'])
})

t.test('a user whom the app cannot name fails the request, and the next request moves', async (t) => {
  const failure = Object.assign(new Error('the database is down'), { code: 'ECONNREFUSED', query: 'SELECT secret' })
  const cases: [user: () => unknown, error: { code: string; message?: RegExp; cause?: object }][] = [
    [() => Promise.reject(failure), { code: 'SESSION_USER_UNAVAILABLE', cause: { message: failure.message } }],
    [
      () => {
        throw failure
      },
      { code: 'SESSION_USER_UNAVAILABLE', cause: { code: 'ECONNREFUSED', query: undefined } },
    ],
    [() => ({ id: 7 }), { code: 'SESSION_USER_INVALID', message: /give String\(id\)/ }],
    [() => ({ name: 'ann' }), { code: 'SESSION_USER_INVALID', message: /id is missing/ }],
    [() => ({ id: 'ann', text: 'x'.repeat(4096) }), { code: 'SESSION_RECORD_TOO_LARGE' }],
  ]
  for (const [user, error] of cases) {
    const bench = await bootMoves(t, [wayIn({ user: user as never })], { session: { maxRecordSize: 4096 } })
    const before = await bench.bench.living()
    const old = new OldEntry('ann', { data: { userId: 'ann' } })
    await t.rejects(moveIn(bench.visitOf(old)), error)
    t.strictSame(old.asked, ['load'])
    t.strictSame(await newHandles(bench, before), [])
    const { record } = await moved(bench.visitOf(old, { migration: wayIn() }))
    t.equal(record.userId, 'ann')
  }
})

t.test('the user of loadUser goes before the one of the old session, with their credentials', async (t) => {
  const loadUser = async (id: string): Promise<{ id: string; name: string; hash: string } | null> =>
    id === 'gone' ? null : { id, name: 'as loadUser says', hash: id === 'bob' ? '' : 'h' }
  const authHash = ({ hash }: { hash?: string }): string => hash ?? ''
  const both = await bootMoves(t, [wayIn()], { session: { loadUser, authHash } })
  const { record } = await moved(both.visitOf(new OldEntry('ann', { data: { userId: 'ann' } })))
  t.strictSame(record.user, '{"id":"ann","name":"as loadUser says"}')
  t.match(record.authHash, /^[\w-]{43}$/)
  const loading = await bootMoves(t, [wayIn()], { session: { loadUser } })
  const ofBob = await moved(loading.visitOf(new OldEntry('bob', { data: { userId: 'bob' } })))
  t.match(ofBob.record, { user: '{"id":"bob","name":"as loadUser says","hash":""}', authHash: null })
  for (const [bench, userId, why] of [
    [both, 'gone', 'no such user'],
    [loading, 'gone', 'no such user'],
    [both, 'bob', 'a user without credentials to compare'],
  ] as const) {
    const before = await bench.bench.living()
    const old = new OldEntry(userId, { data: { userId, cart: 1 } })
    t.equal(await moveIn(bench.visitOf(old)), undefined, why)
    t.strictSame(old.asked, ['load', 'remove'])
    t.strictSame(await newHandles(bench, before), [])
  }
  t.strictSame(both.bench.takeEvents('migrate').length, 1)
})

t.test('the end of all sessions reaches old ones: their records go, and nothing is asked about the user', async (t) => {
  const user = (): never => {
    throw new Error('nobody asks')
  }
  const bench = await bootMoves(t, [wayIn({ user })])
  await bench.engine.gate?.raise(bench.bench.clock() + 1)
  const before = await bench.bench.living()
  const old = new OldEntry('ann', { data: { userId: 'ann' } })
  t.equal(await moveIn(bench.visitOf(old)), undefined)
  t.strictSame(old.asked, ['load', 'remove'])
  t.strictSame(await newHandles(bench, before), [])
})

t.test('an old cookie is followed for 30 seconds, and each request gets an id of its own', async (t) => {
  const { bench, engine, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: { userId: 'ann' } })
  const first = await moved(visitOf(old))
  t.strictSame(old.asked, ['load', 'remove'])
  bench.clock.advance(PARALLEL - 1)
  const second = await moved(visitOf(old))
  t.strictSame(second.record, first.record)
  t.not(second.cookie, undefined)
  const values = [first, second].map(({ cookie }) => (cookie?.kind === 'set' ? cookie.value : ''))
  t.equal(new Set(values).size, 2)
  t.match(
    values.map((value) => engine.ids.read(value)),
    [{ handle: first.record.handle }, { handle: first.record.handle }],
  )
  t.strictSame(old.asked, ['load', 'remove'], 'the old store is asked nothing')
  t.equal(bench.takeEvents('migrate').length, 1)
  bench.clock.advance(1)
  old.content = { data: { userId: 'ann' } }
  t.equal(await moveIn(visitOf(old)), undefined)
  t.equal(old.content, undefined, 'a record that the old app wrote again is removed')
  t.strictSame(old.asked, ['load', 'remove', 'remove'])
  t.strictSame(await bench.record(first.record.handle), first.record, 'the session itself goes on')
})

t.test('the mark of a moved session lasts as long as the old session could come back', async (t) => {
  for (const [isInCookie, keepOld, life] of [
    [false, false, 600_000],
    [false, true, 9 * HOUR],
    [true, false, HOUR],
    [true, true, 9 * HOUR],
  ] as const) {
    const endsAt = Date.now() + 9 * HOUR
    const { bench, engine, migration, visitOf } = await bootMoves(t, [wayIn({ keepOld, endsAt })])
    const now = bench.clock()
    const old = new OldEntry('ann', { data: { a: 1 }, endsAt: now + HOUR }, isInCookie)
    const { record } = await moved(visitOf(old))
    const mark = await readMark(engine, markOf(engine, migration, old))
    t.match(mark?.move, { to: record.handle, epoch: 0, closedAt: now })
    t.equal(mark?.record.absoluteDeadline, keepOld ? endsAt : now + life, { isInCookie, keepOld })
  }
})

t.test('a response that carries no cookie leaves the old session as it is', async (t) => {
  const { bench, engine, migration, visitOf } = await bootMoves(t)
  const old = new OldEntry('ann', { data: { userId: 'ann' } })
  const opening = visitOf(old, { isCarrier: false })
  const { record } = await moved(opening)
  t.strictSame(old.asked, ['load'])
  t.match((await readMark(engine, markOf(engine, migration, old)))?.move, { closedAt: 0, to: record.handle })
  bench.clock.advance(PARALLEL)
  t.strictSame((await moved(opening)).record, record, 'as long as no response has used it up')
  t.strictSame(bench.takeEvents('migrate').length, 1)
  t.strictSame(old.asked, ['load'])
  t.strictSame((await moved(visitOf(old))).record, record)
  t.strictSame(old.asked, ['load', 'remove'])
  bench.clock.advance(PARALLEL)
  t.equal(await moveIn(opening), undefined)
  t.strictSame(old.asked, ['load', 'remove', 'remove'])
})

t.test('after a login, a logout or the end of the new session the old cookie leads nowhere', async (t) => {
  const ends: Record<string, (bench: MoveBench, record: SessionRecord) => unknown> = {
    'a change of epoch': ({ engine }, record) =>
      engine.store.update({ ...record, epoch: record.epoch + 1, version: record.version + 1 }, record.version),
    'the end of the session': ({ engine }, { handle }) => engine.store.delete(handle),
    'a revocation': ({ bench }, { handle }) => bench.app.sessions.revoke(handle, { userId: 'ann' }),
    'a logout, which leaves no parallel request time': async ({ engine, migration }) => {
      const handle = markOf(engine, migration, new OldEntry('ann', undefined))
      await closeMark(engine, (await readMark(engine, handle)) as Mark, true, LONG_AGO)
    },
  }
  for (const [what, end] of Object.entries(ends)) {
    const bench = await bootMoves(t)
    const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
    const { record } = await moved(visit)
    t.equal((await moved(visit)).record.handle, record.handle)
    await end(bench, record)
    t.equal(await moveIn(visit), undefined, what)
  }
})

/** Moves a session in up to an operation of the store, which fails. Returns the handle of the mark. */
async function stoppedAt({ bench }: MoveBench, visit: Visit, name: string, after = 0): Promise<string> {
  const caught = bench.gate.as('first', () => bench.gate.hold(name, { by: 'first', after }))
  void caught.arrived.then(() => caught.fail())
  await bench.gate.as('first', () => moveIn(visit)).catch(() => undefined)
  return markOf(visit.engine, visit.migration, visit.old)
}

t.test('a candidate is opened by no id and belongs to nobody until it is the session', async (t) => {
  const bench = await bootMoves(t)
  const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann', cart: 1 } }))
  const { move } = (await readMark(bench.engine, await stoppedAt(bench, visit, 'update'))) ?? {}
  const candidate = await bench.bench.record(move?.to ?? '')
  t.match(candidate, { secretHash: '', userId: null, user: null, authenticatedAt: null, data: '{}', version: 1 })
  t.equal(move?.epoch, candidate?.epoch)
  const { record } = await moved(visit)
  t.match(record, { handle: move?.to, userId: 'ann', data: '{"userId":"ann","cart":1}', version: 2 })
})

t.test('a revocation of the user removes what was about to move in, with its place', async (t) => {
  for (const [name, after, what] of [
    ['update', 0, 'the candidate'],
    ['update', 1, 'the session whose mark is open'],
  ] as const) {
    const bench = await bootMoves(t)
    const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
    const before = await bench.bench.living()
    const mark = await stoppedAt(bench, visit, name, after)
    t.equal((await newHandles(bench, before)).length, 2, `${what} and the mark`)
    await revokeOld(bench.engine, 'ann')
    t.equal(await moveIn(visit), undefined)
    const { move } = (await readMark(bench.engine, mark)) ?? {}
    t.equal(await bench.bench.record(move?.to ?? ''), undefined, what)
    t.strictSame(await bench.bench.indexed({ id: 'ann' }), [])
    t.ok((move?.closedAt ?? 0) > 0, 'the old session is used up')
  }
})

t.test('what a store could not remove beside a revocation is a 503, and the next request removes it', async (t) => {
  for (const name of ['delete', 'removeFromIndex']) {
    const bench = await bootMoves(t)
    const { gate } = bench.bench
    const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
    const { move } = (await readMark(bench.engine, await stoppedAt(bench, visit, 'update', 1))) ?? {}
    await revokeOld(bench.engine, 'ann')
    const caught = gate.hold(name)
    void caught.arrived.then(() => caught.fail())
    await t.rejects(moveIn(visit), { code: 'SESSION_STORE_UNAVAILABLE' }, name)
    t.equal(await moveIn(visit), undefined)
    t.equal(await bench.bench.record(move?.to ?? ''), undefined)
    t.strictSame(await bench.bench.app.sessions.list('ann'), [])
  }
})

t.test(
  'the end of all other sessions spares a moved one, also beside a parallel request with the old cookie',
  async (t) => {
    const { bench, visitOf } = await bootMoves(t)
    const visit = visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
    const { record } = await moved(visit)
    t.equal(await bench.app.sessions.revokeUser('ann', { except: record.handle }), 0)
    t.strictSame((await moved(visit)).record, record)
    t.strictSame(await bench.record(record.handle), record)
  },
)

t.test('a session whose place a revocation takes while it opens is ended', async (t) => {
  const bench = await bootMoves(t)
  const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
  const caught = bench.bench.gate.as('slow', () => bench.bench.gate.hold('keepInIndex', { by: 'slow' }))
  const slow = bench.bench.gate.as('slow', () => moveIn(visit))
  await caught.arrived
  const [handle = ''] = await bench.bench.indexed({ id: 'ann' })
  t.match(await bench.bench.record(handle), { userId: 'ann' })
  await bench.engine.store.removeFromIndex('ann', handle)
  caught.release()
  t.equal(await slow, undefined)
  t.equal(await bench.bench.record(handle), undefined)
})

t.test('an end that the store refuses is a 503', async (t) => {
  const bench = await bootMoves(t)
  const { gate } = bench.bench
  const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
  const caught = gate.as('slow', () => gate.hold('keepInIndex', { by: 'slow' }))
  const slow = gate.as('slow', () => moveIn(visit))
  await caught.arrived
  const refused = gate.as('slow', () => gate.hold('delete', { by: 'slow' }))
  void refused.arrived.then(() => refused.fail())
  caught.answer(false)
  await t.rejects(slow, { code: 'SESSION_STORE_UNAVAILABLE' })
  t.strictSame((await moved(visit)).record.userId, 'ann', 'the next request settles it')
})

t.test('a session that ended beside a parallel first request stays ended', async (t) => {
  const bench = await bootMoves(t)
  const { gate } = bench.bench
  const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
  const caught = gate.as('slow', () => gate.hold('update', { by: 'slow' }))
  const slow = gate.as('slow', () => moveIn(visit))
  await caught.arrived
  const { record } = await moved(visit)
  await bench.bench.app.sessions.revoke(record.handle, { userId: 'ann' })
  caught.release()
  t.equal(await slow, undefined)
  t.equal(await bench.bench.record(record.handle), undefined)
})

t.test('of parallel first requests one opens the session, and all get the record that it wrote', async (t) => {
  const bench = await bootMoves(t)
  const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
  const caught = bench.bench.gate.as('slow', () => bench.bench.gate.hold('update', { by: 'slow' }))
  const slow = bench.bench.gate.as('slow', () => moved(visit))
  await caught.arrived
  const { record } = await moved(visit)
  caught.release()
  t.strictSame((await slow).record, record)
  t.equal(bench.bench.takeEvents('migrate').length, 1)
})

t.test('a first request that is overtaken by a parallel one does not follow a login into the session', async (t) => {
  const bench = await bootMoves(t)
  const { gate } = bench.bench
  const visit = bench.visitOf(new OldEntry('ann', { data: { userId: 'ann' } }))
  const caught = gate.as('slow', () => gate.hold('update', { by: 'slow' }))
  const slow = gate.as('slow', () => moveIn(visit))
  await caught.arrived
  const { record, cookie } = await moved(visit)
  const browser = bench.bench.browser()
  browser.plant(cookie?.kind === 'set' ? cookie.value : '')
  await browser.visit((request) => request.login({ id: 'bob' }))
  caught.release()
  t.equal(await slow, undefined)
  t.match(await bench.bench.record(record.handle), { userId: 'bob' }, 'bob is there alone')
})

t.test('a mark that expires beside the race for it leaves no candidate behind', async (t) => {
  const bench = await bootMoves(t)
  const { bench: app, engine, migration } = bench
  const old = new OldEntry('ann', { data: { userId: 'ann' } })
  const before = await app.living()
  const caught = app.gate.as('slow', () => app.gate.hold('create', { by: 'slow', after: 1 }))
  const slow = app.gate.as('slow', () => moveIn(bench.visitOf(old)))
  await caught.arrived
  const [candidate = ''] = await newHandles(bench, before)
  const move = { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 1, closedAt: 0 }
  await leaveMark(engine, markOf(engine, migration, old), move, app.clock() + HOUR)
  const looked = app.gate.as('slow', () => app.gate.hold('get', { by: 'slow' }))
  caught.release()
  await looked.arrived
  looked.answer(undefined)
  t.equal(await slow, undefined)
  t.equal(await app.record(candidate), undefined)
})

t.test('an old record or a candidate that cannot be removed is a 503', async (t) => {
  const bench = await bootMoves(t)
  const { bench: app, engine, migration } = bench
  const remove = (): Promise<never> => Promise.reject(new Error('the old store is down'))
  const stuck = { key: 'empty', isInCookie: false, load: async () => ({ data: {} }), remove }
  await t.rejects(moveIn(bench.visitOf(stuck)), { code: 'SESSION_STORE_UNAVAILABLE' })
  const old = new OldEntry('ann', { data: { userId: 'ann' } })
  const caught = app.gate.as('slow', () => app.gate.hold('create', { by: 'slow', after: 1 }))
  const slow = app.gate.as('slow', () => moveIn(bench.visitOf(old)))
  await caught.arrived
  const refused = app.gate.as('slow', () => app.gate.hold('delete', { by: 'slow' }))
  void refused.arrived.then(() => refused.fail())
  const move = { to: 'AAAAAAAAAAAAAAAAAAAAAA', epoch: 1, closedAt: 0 }
  await leaveMark(engine, markOf(engine, migration, old), move, app.clock() + HOUR)
  caught.release()
  await t.rejects(slow, { code: 'SESSION_STORE_UNAVAILABLE' })
})

t.test('a limit that evicts is for the first request of an old session, and not for those that follow', async (t) => {
  let limit = 2
  const maxSessions = { limit: () => limit, onLimit: 'evict' } as const
  const bench = await bootMoves(t, [wayIn()], { session: { maxSessions } })
  const handles: string[] = []
  for (const key of ['first', 'second']) {
    const visit = bench.visitOf(new OldEntry(key, { data: { userId: 'ann', key } }), { isCarrier: false })
    handles.push((await moved(visit)).record.handle)
    bench.bench.clock.advance('2m')
    limit = handles.length === 2 ? 1 : 2
    await moved(visit)
  }
  t.strictSame(await bench.bench.indexed({ id: 'ann' }), handles.toSorted())
})

t.test('a limit that evicts ends the session that was used least, when one moves in', async (t) => {
  const bench = await bootMoves(t, [wayIn()], { session: { maxSessions: { limit: 2, onLimit: 'evict' } } })
  const handles: string[] = []
  for (const key of ['first', 'second', 'third']) {
    const visit = bench.visitOf(new OldEntry(key, { data: { userId: 'ann', key } }))
    handles.push((await moved(visit)).record.handle)
    bench.bench.clock.advance('2m')
  }
  t.strictSame(await bench.bench.indexed({ id: 'ann' }), handles.slice(1).toSorted())
  t.match(bench.bench.takeEvents('revoke'), [{ handle: handles[0], userId: 'ann', reason: 'evicted' }])
})
