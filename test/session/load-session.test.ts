import t from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { familyOf } from '../../lib/session/device.ts'
import { bindingIdOf, newBinding, withBindingShown, writeBinding } from '../../lib/session/device-bound/binding.ts'
import type { Client } from '../../lib/session/engine.ts'
import { hashOf, parentOf } from '../../lib/session/id.ts'
import { goneSince, hashShown, loadSession, NONE } from '../../lib/session/load-session.ts'
import { GRACE, LATE, RECENT_USE, SERVE } from '../../lib/session/verdict.ts'
import { TimedStore } from '../../lib/storage/timed-store.ts'
import { IDLE } from '../../lib/testing/contract/check.ts'
import type { SecureSessionOptions, SessionRecord } from '../../types/index.ts'
import { acting, desk, OWNER } from './desk.ts'

const STRANGER: Client = { protocol: 'https', ip: '198.51.100.9', userAgent: 'curl/8.5.0' }
const CLIENT = { userAgent: STRANGER.userAgent, ip: STRANGER.ip }

/** Returns the record of a live session. */
function recordOf(loaded: ReturnType<typeof loadSession>): SessionRecord | undefined {
  return 'state' in loaded && loaded.state === 'live' ? loaded.record : undefined
}

t.test('the id in use opens its session, and the store is asked once', async (t) => {
  const { load, put, asked, events } = await desk(t)
  const { record, id } = await put()
  const loaded = await load(id)
  t.strictSame(recordOf(loaded), record)
  t.match(loaded, { state: 'live', presented: { id }, verdict: { kind: 'enter', change: undefined } })
  t.match(loaded, { verdict: { isRenewable: true, isFork: false }, checked: undefined })
  t.strictSame(asked(), ['get'])
  t.strictSame(events(), [])
})

t.test('an id without a record is gone since the request arrived, however long the store took', async (t) => {
  const { bench, load, put, engine, places, events, asked } = await desk(t)
  const { record, id } = await put()
  const gone = { state: 'gone', secretHash: id.secretHash, since: bench.clock() }
  for (const end of ['no record', 'an expired record'] as const) {
    const since = bench.clock()
    if (end === 'no record') await engine.store.delete(record.handle)
    else await engine.store.create({ ...record, absoluteDeadline: since + 5 })
    const caught = bench.gate.hold('get')
    const answer = load(id)
    await caught.arrived
    bench.clock.advance(5)
    caught.release()
    t.strictSame(await answer, { ...gone, since }, end)
  }
  t.match(events(), [{ type: 'expire', handle: record.handle, userId: record.userId, reason: 'absolute' }])
  t.equal(await bench.record(record.handle), undefined)
  t.strictSame(await places(record), [])
  t.ok(asked().length > 0)
})

t.test('a dead cookie without a hash gets a name that no other has', async (t) => {
  const [one, other] = [goneSince(5), goneSince(5)]
  t.match(one, { state: 'gone', since: 5, secretHash: /^[\w-]{22}$/ })
  t.not(one.secretHash, other.secretHash)
  t.strictSame(goneSince(5, 'a hash'), { state: 'gone', since: 5, secretHash: 'a hash' })
})

t.test('what a request came with has the hash of its id, whatever the id led to', async (t) => {
  const { load, put } = await desk(t)
  const { id } = await put()
  t.equal(hashShown(await load(id)), id.secretHash)
  t.equal(hashShown(goneSince(5, 'a hash')), 'a hash')
  const { secretHash } = id
  for (const state of ['shadowed', 'outdated'] as const) {
    t.equal(hashShown({ state, handle: 'h', secretHash }), secretHash)
  }
  t.equal(hashShown({ state: 'unproven', handle: 'h', userId: null, secretHash }), secretHash)
  t.equal(hashShown(NONE), undefined)
})

t.test('a session is open until the instant of its deadline', async (t) => {
  for (const deadline of ['idleDeadline', 'absoluteDeadline'] as const) {
    const { bench, load, put } = await desk(t)
    const { id } = await put({ [deadline]: bench.clock() + 5 })
    bench.clock.advance(4)
    t.match(await load(id), { state: 'live' })
    bench.clock.advance(1)
    t.match(await load(id), { state: 'gone' })
  }
})

t.test('a cached record lets its id in at once, and the store is not asked', async (t) => {
  const { bench, engine, cached, put, asked, events } = await desk(t)
  const { record, id } = await put({ idleDeadline: bench.clock() + 5 })
  cached.set(record.handle, record)
  bench.clock.advance(4)
  const loaded = loadSession(engine, id, OWNER)
  t.strictSame(recordOf(loaded), record)
  t.match(loaded, { state: 'live', presented: { id }, verdict: { kind: 'enter' }, checked: undefined })
  t.strictSame(asked(), [])
  bench.clock.advance(1)
  t.match(await loadSession(engine, id, OWNER), { state: 'gone' }, 'an expired one does not')
  t.strictSame(asked().slice(0, 1), ['get'])
  t.match(events(), [{ type: 'expire', reason: 'idle' }])
})

t.test('a cache decides nothing but that an id is the one in use', async (t) => {
  const { bench, engine, cached, put, idOf, asked } = await desk(t)
  const stored = await put()
  const { record } = stored
  cached.set(record.handle, record)
  const parent = parentOf(record.secretHash)
  for (const [what, id] of Object.entries({
    'the id of another login': idOf(stored, 3),
    'a renewed id, of which the record has to learn': idOf(stored, 2, { generation: 6, issuedAt: 0, parent }),
  })) {
    t.type(loadSession(engine, id, OWNER), Promise, what)
    t.strictSame(asked(), ['get'], what)
  }
  const { handle } = record
  await engine.store.delete(handle)
  t.match(await loadSession(engine, stored.id, OWNER), { state: 'live' }, 'the cache is a moment old')
  cached.clear()
  t.match(await loadSession(engine, stored.id, OWNER), { state: 'gone', since: bench.clock() })
})

/** A store of users who change their names, and lose their credentials. */
class Users {
  readonly known = new Map([['ann', { id: 'ann', name: 'Ann', hash: 'h' }]])
  questions = 0

  readonly options = {
    loadUser: async (id: string) => {
      this.questions += 1
      return this.known.get(id) ?? null
    },
    authHash: ({ hash }: { hash?: string }) => hash ?? '',
    authCheckInterval: '1m',
    userMaxAge: '1m',
  } as SecureSessionOptions

  /** Returns the fields of a record of ann whose credentials were compared now. */
  fields(now: number): Partial<SessionRecord> {
    const user = '{"id":"ann","name":"Ann"}'
    return { userId: 'ann', user, authHash: hashOf('ann\0h'), authCheckedAt: now }
  }
}

t.test('a user is asked for when the time has come, and the request gets the user as they are now', async (t) => {
  const users = new Users()
  const { bench, engine, cached, load, put, asked } = await desk(t, users.options)
  const { record, id } = await put({ ...users.fields(bench.clock()), idleDeadline: bench.clock() + 100 * IDLE })
  cached.set(record.handle, record)
  bench.clock.advance(59_999)
  t.match(loadSession(engine, id, OWNER), { state: 'live', checked: undefined })
  t.equal(users.questions, 0)
  bench.clock.advance(1)
  users.known.set('ann', { id: 'ann', name: 'Ann B.', hash: 'h' })
  const stale = { ...OWNER, isStaleUserFine: true }
  t.match(loadSession(engine, id, stale), { state: 'live', checked: undefined }, 'a route may do without')
  cached.clear()
  t.match(await load(id, stale), { state: 'live', checked: undefined })
  t.equal(users.questions, 0)
  cached.set(record.handle, record)
  asked()
  const checked = { from: record.user, user: '{"id":"ann","name":"Ann B."}', at: bench.clock() }
  const loaded = await load(id, { ...OWNER, isStaleUserFine: false })
  t.strictSame(recordOf(loaded), record)
  t.match(loaded, { state: 'live', checked })
  t.equal(users.questions, 1)
  t.strictSame(asked(), ['get'], 'the store decides, not the cache')
  t.match(loadSession(engine, id, OWNER), { state: 'live', checked }, 'the cache with what this process knows')
  cached.clear()
  t.match(await load(id), { state: 'live', checked })
  t.equal(users.questions, 1)
})

t.test('the session of a user who is gone, or has other credentials, ends at the next check', async (t) => {
  for (const reason of ['user-gone', 'auth-hash'] as const) {
    const users = new Users()
    const { bench, load, put, events, places } = await desk(t, users.options)
    const { record, id } = await put({ ...users.fields(bench.clock()), idleDeadline: bench.clock() + 100 * IDLE })
    if (reason === 'user-gone') users.known.clear()
    else users.known.set('ann', { id: 'ann', name: 'Ann', hash: 'another' })
    t.match(await load(id), { state: 'live' })
    bench.clock.advance(60_000)
    t.strictSame(await load(id), { state: 'gone', secretHash: id.secretHash, since: bench.clock() })
    t.match(events(), [{ type: 'revoke', handle: record.handle, userId: 'ann', reason }])
    t.equal(await bench.record(record.handle), undefined)
    t.strictSame(await places(record), [])
  }
})

t.test('a user who cannot be asked for fails the request, and the session stays', async (t) => {
  const loadUser = (): Promise<never> => Promise.reject(new Error('the database is down'))
  const { bench, load, put } = await desk(t, { loadUser })
  const { record, id } = await put({ authCheckedAt: 0 })
  await t.rejects(load(id), { code: 'SESSION_USER_UNAVAILABLE' })
  t.strictSame(await bench.record(record.handle), record)
})

t.test('an id from before a login opens nothing: shadowed for 30 seconds, and as if it were none after', async (t) => {
  const { bench, load, put, idOf, events } = await desk(t)
  const stored = await put({ rotatedAt: bench.clock() })
  const id = idOf(stored, 1)
  bench.clock.advance(GRACE - 1)
  t.strictSame(await load(id), { state: 'shadowed', handle: stored.record.handle, secretHash: id.secretHash })
  bench.clock.advance(1)
  t.strictSame(await load(id), { ...NONE, secretHash: id.secretHash })
  t.strictSame(NONE, { state: 'none' })
  t.strictSame(events(), [])
})

t.test('a replaced id of the same client is served or refused, and told as a fork', async (t) => {
  for (const isActing of [false, true]) {
    const { bench, load, put, idOf, events } = await desk(t)
    const now = bench.clock()
    const more = { ...(isActing && acting(now)), idleDeadline: now + 100 * IDLE }
    const stored = await put({ ...more, shownAt: now - LATE, headAt: now, lastSeenAt: now })
    const { record } = stored
    const { handle, userId, device } = record
    const both = { handle, userId, ...(isActing && { actorId: 'admin' }), device }
    const client = { userAgent: OWNER.userAgent, ip: OWNER.ip }
    const older = idOf(stored, 2, { generation: 2, issuedAt: 0, parent: '' })
    const before = idOf(stored, 2, { generation: 4, issuedAt: 0, parent: '' })
    const named = { ...record, parent: parentOf(before.secretHash), version: record.version + 1 }
    await bench.gate.store.update(named, record.version)
    const fork = { type: 'fork', at: now, ...both, isServed: true, behind: 1, client }
    const change = { isForked: true, rivals: [{ secretHash: before.secretHash }] }
    const loaded = await load(before)
    t.strictSame(recordOf(loaded), named)
    t.match(loaded, { state: 'live', verdict: { kind: 'enter', isFork: true, change } })
    t.strictSame(events(), [fork])
    bench.clock.advance(RECENT_USE)
    t.strictSame(await load(older), { state: 'outdated', handle, secretHash: older.secretHash })
    t.strictSame(events(), [{ ...fork, at: bench.clock(), isServed: false, behind: 3 }])
  }
})

t.test('a copied session ends, and the event says how its copy was noticed and who showed it', async (t) => {
  for (const kind of ['a user', 'nobody', 'somebody as another user'] as const) {
    const { bench, load, put, idOf, events, places, ends } = await desk(t)
    const now = bench.clock()
    const nobody = { userId: null, user: null, authenticatedAt: null, device: null }
    const more = kind === 'a user' ? {} : kind === 'nobody' ? nobody : acting(now)
    const stored = await put(more)
    const { record } = stored
    const { handle, userId, device } = record
    const both = { handle, userId, ...(record.acting && { actorId: 'admin' }) }
    const older = idOf(stored, 2, { generation: 2, issuedAt: 0, parent: '' })
    t.strictSame(await load(older, STRANGER), { state: 'gone', secretHash: older.secretHash, since: now })
    const replay = { type: 'replay', at: now, ...both, isEnded: true, behind: 3, sign: 'older', device, client: CLIENT }
    const revoke = { type: 'revoke', at: now, ...both, reason: 'replay' }
    t.strictSame(events(), userId === null ? [replay] : [replay, revoke])
    t.strictSame(ends, ['replay'], 'its connections hear why they close')
    t.equal(await bench.record(handle), undefined)
    t.strictSame(await places(record), [])
    t.match(await load(stored.id), { state: 'gone' }, 'for its owner too')
  }
})

t.test('with step-up a copied session goes on, and its login no longer counts as recent', async (t) => {
  const users = new Users()
  const { bench, load, put, idOf, events } = await desk(t, { ...users.options, onCopiedSession: 'step-up' })
  const now = bench.clock()
  const stored = await put({
    ...users.fields(now),
    ...acting(now),
    ...users.fields(now),
    idleDeadline: now + 99 * IDLE,
  })
  const { record } = stored
  users.known.set('admin', { id: 'admin', name: 'Admin', hash: 'h' })
  const { handle, device } = record
  const older = idOf(stored, 2, { generation: 2, issuedAt: 0, parent: '' })
  const verdict = { kind: 'enter', change: { isForked: true }, isFork: true, isRenewable: false }
  const loaded = await load(older, STRANGER)
  t.strictSame(recordOf(loaded), record)
  t.match(loaded, { state: 'live', presented: { id: older }, checked: undefined })
  t.strictSame(loaded.state === 'live' && loaded.verdict, verdict)
  const both = { handle, userId: 'ann', actorId: 'admin' }
  const facts = { behind: 3, sign: 'older', device, client: CLIENT }
  t.strictSame(events(), [{ type: 'replay', at: now, ...both, isEnded: false, ...facts }])
  t.strictSame(await bench.record(handle), record)
  bench.clock.advance(60_000)
  users.known.clear()
  t.match(await load(older, STRANGER), { state: 'gone' }, 'its user is asked for as ever')
})

t.test('a copy is judged once more by the store, because a parallel request may have changed the record', async (t) => {
  const { bench, load, put, idOf, events, places } = await desk(t)
  const stored = await put()
  const { record } = stored
  const older = idOf(stored, 2, { generation: 2, issuedAt: 0, parent: '' })
  const caught = bench.gate.hold('delete')
  const answer = load(older, STRANGER)
  await caught.arrived
  const next = { ...record, secretHash: older.secretHash, version: record.version + 1 }
  await bench.gate.store.update(next, record.version)
  caught.release()
  t.strictSame(await answer, { state: 'shadowed', handle: record.handle, secretHash: older.secretHash })
  t.strictSame(await bench.record(record.handle), next)
  t.strictSame(await places(record), [record.userId])
  t.strictSame(events(), [])
})

t.test(
  'a record that a failed response locked is opened for its user, and ends where the user was revoked',
  async (t) => {
    for (const isRevoked of [false, true]) {
      const { bench, engine, load, put } = await desk(t)
      const { record, id } = await put()
      const { handle, version } = record
      const locked = { ...record, version: version + 1, secretHash: '', heldBack: JSON.stringify(record) }
      await engine.store.update(locked, version)
      if (isRevoked) await bench.gate.store.removeFromIndex?.(record.userId ?? '', handle)
      const loaded = await load(id)
      if (isRevoked) t.strictSame(loaded, { state: 'gone', secretHash: id.secretHash, since: bench.clock() })
      else t.match(loaded, { state: 'live', record: { handle, secretHash: id.secretHash, heldBack: null } })
    }
  },
)

t.test('a bound session opens with its bound cookie alone, and what came instead is told once a minute', async (t) => {
  for (const isActing of [false, true]) {
    const { bench, engine, load, put, events } = await desk(t, { deviceBound: true })
    const now = bench.clock()
    const key = { x: 'x'.repeat(43), y: 'y'.repeat(43) }
    const deviceKey = withBindingShown(writeBinding(newBinding(key)))
    const more = { ...(isActing && acting(now)), idleDeadline: now + 100 * IDLE }
    const { record, id } = await put({ ...more, deviceKey })
    const { handle, userId, device } = record
    const cookie = engine.device?.mintCookie(handle, bindingIdOf(deviceKey), now) ?? ''
    const names: string[] = []
    const withCookie = (value: string): Client => ({
      ...STRANGER,
      cookieNamed: (name) => {
        names.push(name)
        return value
      },
    })
    t.match(await load(id, withCookie(cookie)), { state: 'live', verdict: SERVE })
    t.strictSame(names, ['session-bound'])
    t.strictSame(events(), [])
    const unproven = { state: 'unproven', handle, userId, secretHash: id.secretHash }
    const told = { type: 'proof-failed', handle, userId, ...(isActing && { actorId: 'admin' }), device, client: CLIENT }
    bench.clock.advance('1h')
    for (const [client, reason] of [
      [STRANGER, 'missing'],
      [withCookie(''), 'missing'],
      [withCookie(cookie), 'expired'],
      [withCookie('1.forged'), 'forged'],
    ] as const) {
      t.strictSame(await load(id, client), unproven)
      const isFirst = client !== STRANGER && reason === 'missing' ? [] : [{ ...told, reason, at: bench.clock() }]
      t.strictSame(events(), isFirst, reason)
    }
    bench.clock.advance(60_000 - 1)
    t.strictSame(await load(id, STRANGER), unproven)
    t.strictSame(events(), [], 'once a minute')
    bench.clock.advance(1)
    t.strictSame(await load(id, STRANGER), unproven)
    t.match(events(), [{ reason: 'missing' }])
  }
})

t.test('a binding asks for nothing before its browser has shown the bound cookie', async (t) => {
  const { bench, engine, load, put } = await desk(t, { deviceBound: true })
  const deviceKey = writeBinding(newBinding({ x: 'x'.repeat(43), y: 'y'.repeat(43) }))
  const { record, id } = await put({ deviceKey })
  for (const value of ['', '1.forged']) {
    t.match(await load(id, { ...OWNER, cookieNamed: () => value }), { state: 'live', verdict: { change: undefined } })
  }
  const cookie = engine.device?.mintCookie(record.handle, bindingIdOf(deviceKey), bench.clock()) ?? ''
  const change = { deviceKey: withBindingShown(deviceKey) }
  t.match(await load(id, { ...OWNER, cookieNamed: () => cookie }), { state: 'live', verdict: { change } })
})

t.test('a bound session is an ordinary one in an app without the option', async (t) => {
  const { load, put } = await desk(t)
  const { id } = await put({
    deviceKey: withBindingShown(writeBinding(newBinding({ x: 'x'.repeat(43), y: 'y'.repeat(43) }))),
  })
  t.match(await load(id), { state: 'live' })
})

t.test('the first show of an id is noted where a limit refuses logins', async (t) => {
  for (const [maxSessions, change] of [
    [undefined, undefined],
    [{ limit: 2, onLimit: 'evict' }, undefined],
    [{ limit: 2, onLimit: 'refuse' }, { shownAt: 1 }],
  ] as const) {
    const { bench, load, put } = await desk(t, { maxSessions })
    const { id } = await put({ shownAt: 0 })
    const loaded = await load(id)
    const wanted = change && { shownAt: bench.clock() }
    t.strictSame(loaded.state === 'live' && loaded.verdict.kind === 'enter' && loaded.verdict.change, wanted)
  }
})

t.test(
  'a client looks like the one of the login by its user agent without versions, and never without one',
  async (t) => {
    for (const [userAgent, family, isTied] of [
      ['Firefox/140.0', 'Firefox/115.0', true],
      ['Firefox/140.0', 'curl/8.5.0', false],
      ['', 'Firefox/115.0', false],
      ['', '', false],
    ] as const) {
      const { bench, load, put, idOf } = await desk(t)
      const now = bench.clock()
      const far = now + 100 * IDLE
      const stored = await put({ family: familyOf(family), headAt: now, lastSeenAt: now, idleDeadline: far })
      const older = idOf(stored, 2, { generation: 2, issuedAt: 0, parent: '' })
      bench.clock.advance(RECENT_USE)
      t.equal((await load(older, { ...OWNER, userAgent })).state, isTied ? 'outdated' : 'gone', { userAgent, family })
    }
  },
)

t.test('a copied session whose place cannot be removed is a 503, and has ended', async (t) => {
  const { bench, load, put, idOf } = await desk(t)
  const stored = await put()
  const older = idOf(stored, 2, { generation: 2, issuedAt: 0, parent: '' })
  const caught = bench.gate.hold('removeFromIndex')
  void caught.arrived.then(() => caught.fail())
  await t.rejects(load(older, STRANGER), { code: 'SESSION_STORE_UNAVAILABLE' })
  t.equal(await bench.record(stored.record.handle), undefined)
})

t.test('a store in memory is asked without a promise', async (t) => {
  const { bench, engine, put } = await desk(t)
  const { record, id } = await put()
  const store = memoryStore({ clock: bench.clock })
  await store.create(record)
  const inMemory = { ...engine, store: new TimedStore(store, 60_000, engine.events, engine.settings.namespace) }
  t.strictSame(recordOf(loadSession(inMemory, id, OWNER)), record)
  await store.delete(record.handle)
  t.match(loadSession(inMemory, id, OWNER), { state: 'gone' })
})
