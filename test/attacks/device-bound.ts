import type { LightMyRequestResponse } from 'fastify'
import type { Test } from 'tap'
import { boundClient } from '../../lib/testing/index.ts'
import type { BoundClient } from '../../lib/testing/index.ts'
import type { SecureSessionOptions, SessionUser } from '../../types/index.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, someone } from '../support/app.ts'
import { challengeOf, cookieIn, Device, identifierOf, offeredBy, refresh, register } from '../support/device.ts'

/** Boots an app that binds sessions. */
export async function bootBound(t: Test, makeStore: MakeStore, session: SecureSessionOptions = {}): Promise<Bench> {
  return boot(t, makeStore, {
    session: { deviceBound: true, ...session },
    routes: (app) => {
      app.post<{ Body: { id: string; remember?: boolean } }>('/login', async (req) => {
        await req.login({ id: req.body.id }, { remember: req.body.remember })
        return {}
      })
      app.post('/fail', async (req) => {
        await req.login({ id: String(req.user?.id) })
        throw new Error('the page failed')
      })
      app.post('/logout', async (req) => req.logout())
      app.post('/confirm', async (req) => req.confirmLogin())
      app.post('/regenerate', async (req) => req.session.regenerate(['note']))
      app.post('/update', async (req) => req.session.update('note', () => 'updated'))
      app.post('/write', async (req) => void Object.assign(req.session, { note: 'written' }))
      app.get('/me', async (req) => ({
        userId: req.user?.id ?? null,
        handle: req.session.sessionId,
        data: req.session.data(),
      }))
    },
  })
}

/** Returns a client that has logged in and bound its session, and whose bound cookie the app has seen. */
async function bound(bench: Bench, user: SessionUser, remember = false): Promise<BoundClient> {
  const client = await boundClient(bench.app)
  await client.inject({ method: 'POST', url: '/login', payload: { id: user.id, remember } })
  await client.inject({ url: '/me' })
  bench.events.length = 0
  return client
}

interface Me {
  readonly userId: string | null
  readonly handle: string
  readonly data: { note?: string }
}

async function me(client: BoundClient): Promise<Me> {
  const response = await client.inject({ url: '/me' })
  return response.json<Me>()
}

/** Sends a request with a `Cookie` header alone, as a thief does. */
async function steal(bench: Bench, cookie: string, url = '/me', payload: object = {}): Promise<LightMyRequestResponse> {
  const options = url === '/me' ? {} : { method: 'POST' as const, payload }
  return bench.app.inject({ url, headers: { cookie }, ...options })
}

async function stolenId(bench: Bench, cookie: string): Promise<string | null> {
  const response = await steal(bench, cookie)
  return response.json<Me>().userId
}

/** Returns the pair of the ordinary session cookie alone. */
function sessionOnly(client: BoundClient): string {
  return `session=${client.cookies.get('session')?.value}`
}

/** Returns a session that is bound by hand, with all that a test needs to go on by hand. */
async function boundByHand(bench: Bench, user: SessionUser) {
  const device = new Device()
  const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: user.id } })
  const session = `session=${cookieIn(login, 'session')}`
  const jws = device.registration(offeredBy(login))
  const registered = await register(bench.app, session, jws)
  const both = `${session}; session-bound=${cookieIn(registered, 'session-bound')}`
  await steal(bench, both)
  bench.events.length = 0
  return { device, session, both, jws, id: identifierOf(registered), challenge: challengeOf(registered) }
}

/** Sessions that are bound to a device, and those who copied a cookie of theirs. */
export function deviceBound(t: Test, makeStore: MakeStore): void {
  lives(t, makeStore)
  thieves(t, makeStore)
  renewals(t, makeStore)
  registrations(t, makeStore)
  refreshes(t, makeStore)
  ends(t, makeStore)
  late(t, makeStore)
  failures(t, makeStore)
}

function lives(t: Test, makeStore: MakeStore): void {
  t.test('a login is bound, and lives as long as its browser proves the key', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const client = await boundClient(bench.app)
    await client.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
    t.ok(client.isBound)
    const first = client.cookies.get('session')?.value
    t.match(bench.takeEvents('bound'), [{ handle: handleOf(first), userId: ann.id }])
    t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: true }])
    for (let visit = 0; visit < 6; visit += 1) {
      t.equal((await me(client)).userId, ann.id)
      bench.clock.advance('11m')
    }
    t.not(client.cookies.get('session')?.value, first, 'the id is renewed')
    t.equal(bench.takeEvents('refreshed').length, 5)
    t.strictSame(
      bench.events.filter(({ type }) => type === 'replay' || type === 'fork' || type === 'proof-failed'),
      [],
    )
  })

  t.test('a client without the protocol goes on as before', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
    const cookie = `session=${cookieIn(login, 'session')}`
    bench.clock.advance('20m')
    t.equal(await stolenId(bench, cookie), ann.id)
    t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: false }])
  })

  t.test('a bound request reads once, and writes only what every request writes', async (t) => {
    const bench = await bootBound(t, makeStore)
    const client = await bound(bench, someone('ann'))
    await bench.gate.as('request', () => client.inject({ url: '/me' }))
    t.strictSame(bench.gate.namesBy('request'), ['get'])
  })

  t.test('a registration and a refresh read once and write once', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { device, session, id, challenge } = await boundByHand(bench, someone('ann'))
    await bench.gate.as('refresh', () => refresh(bench.app, session, id, device.proof(challenge)))
    t.strictSame(bench.gate.namesBy('refresh'), ['get', 'update'])
    await bench.gate.as('asks', () => refresh(bench.app, session, id))
    t.strictSame(bench.gate.namesBy('asks'), ['get'])
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: someone('bob').id } })
    const other = `session=${cookieIn(login, 'session')}`
    await bench.gate.as('register', () => register(bench.app, other, device.registration(offeredBy(login))))
    t.strictSame(bench.gate.namesBy('register'), ['get', 'update'])
  })
}

function thieves(t: Test, makeStore: MakeStore): void {
  t.test('the session cookie of a bound session alone opens nothing, and its owner goes on', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const client = await bound(bench, ann)
    const response = await steal(bench, sessionOnly(client))
    t.equal(response.json<Me>().userId, null)
    t.equal(response.headers['set-cookie'], undefined, 'an honest browser that is late keeps its cookie')
    await steal(bench, sessionOnly(client))
    const { handle } = await me(client)
    const told = bench.takeEvents('proof-failed')
    t.equal(told.length, 1, 'told once a minute')
    t.match(told, [{ reason: 'missing', handle, userId: ann.id }])
    bench.clock.advance('1m')
    await steal(bench, sessionOnly(client))
    t.equal(bench.takeEvents('proof-failed').length, 1)
    t.equal((await me(client)).userId, ann.id)
  })

  t.test('a copy of both cookies is dead after the lifetime, whatever its owner does', async (t) => {
    for (const isOwnerAway of [true, false]) {
      const bench = await bootBound(t, makeStore, { deviceBound: { lifetime: '10m' }, renewalTimeout: '3m' })
      const ann = someone('ann')
      const client = await bound(bench, ann)
      const { cookie } = client
      for (let minute = 0; minute < 10; minute += 1) {
        if (!isOwnerAway) t.equal((await me(client)).userId, ann.id)
        bench.clock.advance('1m')
      }
      t.equal(await stolenId(bench, cookie), null)
      const facts = { userAgent: 'lightMyRequest', ip: '127.0.0.1' }
      t.match(bench.takeEvents('proof-failed'), [{ reason: 'expired', device: facts, client: facts }])
      t.equal((await me(client)).userId, ann.id, 'the owner goes on')
      t.strictSame(bench.takeEvents('replay'), [])
    }
  })

  t.test('no id that a copy takes while both cookies are good lasts longer than they do', async (t) => {
    const bench = await bootBound(t, makeStore, { renewalTimeout: '1m' })
    const client = await bound(bench, someone('ann'))
    const { cookie } = client
    for (let minute = 0; minute < 9; minute += 1) {
      bench.clock.advance('1m')
      t.equal((await steal(bench, cookie)).headers['set-cookie'], undefined)
    }
  })

  t.test('a bound cookie of one session does not open another one', async (t) => {
    const bench = await bootBound(t, makeStore)
    const owner = await bound(bench, someone('ann'))
    const thief = await bound(bench, someone('eve'))
    const own = `session-bound=${thief.cookies.get('session-bound')?.value}`
    t.equal(await stolenId(bench, `${sessionOnly(owner)}; ${own}`), null)
    t.match(bench.takeEvents('proof-failed'), [{ reason: 'forged' }])
    for (const value of ['', 'x', 'zzzzzz.AAAA', `zzzzzz.${'A'.repeat(43)}`, 'é'.repeat(9)]) {
      t.equal(await stolenId(bench, `${sessionOnly(owner)}; session-bound=${value}`), null)
    }
    const twice = `${sessionOnly(owner)}; session-bound=x; session-bound=${owner.cookies.get('session-bound')?.value}`
    t.equal(await stolenId(bench, twice), null, 'two cookies of the name are none')
  })

  t.test('an old id with a good bound cookie ends nothing, and with a proof it is renewed', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const client = await bound(bench, ann)
    const old = client.cookies.get('session')
    for (let visit = 0; visit < 6; visit += 1) {
      bench.clock.advance('16m')
      await me(client)
    }
    t.not(client.cookies.get('session')?.value, old?.value)
    // A browser that was restored from a backup has the old cookie, and the key.
    if (old !== undefined) client.cookies.set('session', old)
    t.equal((await me(client)).userId, ann.id)
    bench.clock.advance('16m')
    t.equal((await me(client)).userId, ann.id)
    t.not(client.cookies.get('session')?.value, old?.value)
    t.strictSame([...bench.takeEvents('replay'), ...bench.takeEvents('revoke')], [])
  })
}

function renewals(t: Test, makeStore: MakeStore): void {
  t.test('a remembered session that is renewed at a refresh keeps its cookie as long as before', async (t) => {
    for (const remember of [true, false]) {
      const bench = await bootBound(t, makeStore, { rememberTimeout: '7d' })
      const client = await bound(bench, someone('ann'), remember)
      const endsAt = (): number | undefined => client.cookies.get('session')?.expiresAt
      const first = endsAt()
      const { value } = client.cookies.get('session') ?? {}
      bench.clock.advance('16m')
      t.equal((await client.refresh()).statusCode, 200)
      t.not(client.cookies.get('session')?.value, value, 'the id is new')
      t.equal(endsAt(), first)
      t.equal(first !== undefined, remember)
    }
  })

  t.test('the first bound cookie does not count as the first show of an id that was shown before', async (t) => {
    const bench = await bootBound(t, makeStore, { maxSessions: { limit: 3, onLimit: 'refuse' } })
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: someone('ann').id } })
    const id = cookieIn(login, 'session')
    const shownAt = async (): Promise<number> => (await bench.record(handleOf(id)))?.shownAt ?? -1
    await steal(bench, `session=${id}`)
    const first = await shownAt()
    t.ok(first > 0)
    bench.clock.advance('1m')
    const registered = await register(bench.app, `session=${id}`, new Device().registration(offeredBy(login)))
    await steal(bench, `session=${id}; session-bound=${cookieIn(registered, 'session-bound')}`)
    t.equal(await shownAt(), first)
  })

  t.test('a store that was set back ends the binding of a later id, and opens nothing', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const { both, session, device, id, challenge } = await boundByHand(bench, ann)
    const before = await bench.record(handleOf(session.slice('session='.length)))
    const confirmed = await steal(bench, both, '/confirm')
    const later = `session=${cookieIn(confirmed, 'session')}`
    const now = await bench.record(handleOf(later.slice('session='.length)))
    if (before === undefined || now === undefined) throw new Error('the session is there')
    await bench.gate.store.update({ ...before, version: now.version + 1 }, now.version)
    const answer = await refresh(bench.app, later, id, device.proof(challenge))
    t.strictSame([answer.statusCode, answer.json()], [200, { session_identifier: id, continue: false }])
    t.strictSame(answer.cookies, [])
    t.equal(await stolenId(bench, `${later}; ${both.split('; ')[1]}`), null)
    t.equal(await stolenId(bench, both), ann.id, 'the id of the record that came back is its own')
  })
}

function registrations(t: Test, makeStore: MakeStore): void {
  t.test('a registration counts once, and a copy of it gives nothing', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { session, jws } = await boundByHand(bench, someone('ann'))
    const again = await register(bench.app, session, jws)
    t.equal(again.statusCode, 403)
    t.strictSame(again.cookies, [])
  })

  t.test('a registration whose answer is lost leaves the session as it was, and is not repeated', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
    const session = `session=${cookieIn(login, 'session')}`
    const device = new Device()
    await register(bench.app, session, device.registration(offeredBy(login)))
    t.equal((await register(bench.app, session, device.registration(offeredBy(login)))).statusCode, 403)
    bench.clock.advance('12m')
    t.equal(await stolenId(bench, session), ann.id, 'nobody has shown the bound cookie')
    const confirmed = await steal(bench, session, '/confirm')
    t.not(offeredBy(confirmed), '', 'a fresh proof of the user offers another binding')
    const next = `session=${cookieIn(confirmed, 'session')}`
    t.equal((await register(bench.app, next, device.registration(offeredBy(confirmed)))).statusCode, 200)
  })

  t.test('a registration needs the challenge of this very login, in time', async (t) => {
    const bench = await bootBound(t, makeStore)
    const [ann, eve] = [someone('ann'), someone('eve')]
    const login = async (id: string, cookie?: string): Promise<LightMyRequestResponse> =>
      bench.app.inject({ method: 'POST', url: '/login', payload: { id }, headers: { ...(cookie && { cookie }) } })
    const first = await login(ann.id)
    const session = `session=${cookieIn(first, 'session')}`
    const device = new Device()
    const attempts = {
      'no challenge': '',
      'a challenge of another session': offeredBy(await login(eve.id)),
      'a challenge nobody made': `zzzzzz.${'A'.repeat(43)}`,
    }
    for (const [what, challenge] of Object.entries(attempts)) {
      t.equal((await register(bench.app, session, device.registration(challenge))).statusCode, 403, what)
    }
    const second = await login(ann.id, session)
    const newer = `session=${cookieIn(second, 'session')}`
    t.equal(handleOf(cookieIn(second, 'session')), handleOf(cookieIn(first, 'session')))
    t.equal(
      (await register(bench.app, newer, device.registration(offeredBy(first)))).statusCode,
      403,
      'of the login before',
    )
    t.equal((await register(bench.app, session, device.registration(offeredBy(first)))).statusCode, 403, 'by a dead id')
    t.equal(
      (await register(bench.app, '', device.registration(offeredBy(second)))).statusCode,
      403,
      'without the cookie',
    )
    t.equal((await register(bench.app, 'session=x', device.registration(offeredBy(second)))).statusCode, 403)
    bench.clock.advance('2m')
    t.equal((await register(bench.app, newer, device.registration(offeredBy(second)))).statusCode, 403, 'too late')
    t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: false }])
    t.equal(await stolenId(bench, newer), ann.id, 'the session goes on unbound')
  })

  t.test('of two registrations at once, one binds the session', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
    const session = `session=${cookieIn(login, 'session')}`
    const both = await Promise.all(
      [new Device(), new Device()].map((device) => register(bench.app, session, device.registration(offeredBy(login)))),
    )
    t.strictSame(new Set(both.map(({ statusCode }) => statusCode)), new Set([200, 403]))
  })
}

function refreshes(t: Test, makeStore: MakeStore): void {
  t.test('a proof counts once, also when its signature is turned into another valid one', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { device, session, id, challenge } = await boundByHand(bench, someone('ann'))
    const proof = device.proof(challenge)
    t.equal((await refresh(bench.app, session, id, proof)).statusCode, 200)
    for (const copy of [proof, mirrored(proof)]) {
      const again = await refresh(bench.app, session, id, copy)
      t.equal(again.statusCode, 403)
      t.strictSame(again.cookies, [])
      t.not(challengeOf(again), '', 'an honest browser signs the next challenge')
    }
    t.match(bench.takeEvents('proof-failed'), [{ reason: 'replayed' }])
    // Two refreshes later the challenge itself is forgotten.
    for (let round = 0; round < 2; round += 1) {
      const open = challengeOf(await refresh(bench.app, session, id))
      t.equal((await refresh(bench.app, session, id, device.proof(open))).statusCode, 200)
    }
    t.equal((await refresh(bench.app, session, id, proof)).statusCode, 403)
    t.equal((await refresh(bench.app, session, id, device.proof(challenge))).statusCode, 403)
  })

  t.test('a hundred refreshes at once all go on', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { device, session, id, challenge } = await boundByHand(bench, someone('ann'))
    const all = await Promise.all(
      Array.from({ length: 100 }, () => refresh(bench.app, session, id, device.proof(challenge))),
    )
    t.strictSame(new Set(all.map(({ statusCode }) => statusCode)), new Set([200]))
    const last = challengeOf(all.at(-1) as LightMyRequestResponse)
    t.equal((await refresh(bench.app, session, id, device.proof(last))).statusCode, 200)
  })

  t.test('more proofs over one challenge than a record remembers are asked for another', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { device, session, id, challenge } = await boundByHand(bench, someone('ann'))
    for (let count = 0; count < 128; count += 1) await refresh(bench.app, session, id, device.proof(challenge))
    const beyond = await refresh(bench.app, session, id, device.proof(challenge))
    t.equal(beyond.statusCode, 403)
    t.equal((await refresh(bench.app, session, id, device.proof(challengeOf(beyond)))).statusCode, 200)
    t.strictSame(bench.takeEvents('proof-failed'), [], 'many proofs of the right key are no theft')
  })

  t.test('a refresh whose answer is lost is repeated', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { device, session, id, challenge } = await boundByHand(bench, someone('ann'))
    await refresh(bench.app, session, id, device.proof(challenge))
    const again = await refresh(bench.app, session, id, device.proof(challenge))
    t.equal(again.statusCode, 200)
    t.not(challengeOf(again), '')
  })

  t.test('a challenge that is too old is asked anew, and nobody is refused', async (t) => {
    const bench = await bootBound(t, makeStore, { idleTimeout: '8h' })
    const { device, session, id, challenge } = await boundByHand(bench, someone('ann'))
    bench.clock.advance('1h')
    const stale = await refresh(bench.app, session, id, device.proof(challenge))
    t.equal(stale.statusCode, 403)
    t.equal((await refresh(bench.app, session, id, device.proof(challengeOf(stale)))).statusCode, 200)
    t.strictSame(bench.takeEvents('proof-failed'), [], 'a browser that slept is no thief')
  })

  t.test('a proof of another device, or of another session, is refused and told', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = await boundByHand(bench, someone('ann'))
    const eve = await boundByHand(bench, someone('eve'))
    const proofs = {
      'another key': eve.device.proof(ann.challenge),
      'another key that comes along': eve.device.registration(ann.challenge),
      'a proof for another session': eve.device.proof(eve.challenge),
    }
    for (const [what, proof] of Object.entries(proofs)) {
      const refused = await refresh(bench.app, ann.session, ann.id, proof)
      t.equal(refused.statusCode, 403, what)
      t.strictSame(refused.cookies, [], what)
    }
    t.match(bench.takeEvents('proof-failed'), [{ reason: 'signature' }])
    const own = ann.device.proof(eve.challenge)
    t.equal((await refresh(bench.app, ann.session, ann.id, own)).statusCode, 403, 'the challenge of another session')
    t.equal((await refresh(bench.app, ann.session, ann.id, ann.device.proof(ann.challenge))).statusCode, 200)
  })

  t.test('two servers whose clocks are a minute apart serve one browser', async (t) => {
    const here = await bootBound(t, makeStore)
    const there = await bootBound(t, () => here.gate.store)
    there.clock.set(here.clock())
    there.clock.advance('1m')
    const ann = someone('ann')
    const client = await bound(here, ann)
    for (let minute = 0; minute < 40; minute += 1) {
      for (const bench of [here, there]) bench.clock.advance('1m')
      t.equal((await me(client)).userId, ann.id)
      t.equal(await stolenId(there, client.cookie), ann.id, 'the other server takes the same cookies')
    }
    const id = here.events.find(({ type }) => type === 'refreshed')
    t.ok(id)
    const byHand = await boundByHand(here, someone('bob'))
    const asked = await refresh(there.app, byHand.session, byHand.id)
    const proof = byHand.device.proof(challengeOf(asked))
    t.equal(
      (await refresh(here.app, byHand.session, byHand.id, proof)).statusCode,
      200,
      'a challenge of the other server',
    )
  })
}

/** Turns `s` of a signature into `n - s`, which is as valid. */
function mirrored(jws: string): string {
  const order = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n
  const [header = '', payload = '', signature = ''] = jws.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const s = order - BigInt(`0x${bytes.subarray(32).toString('hex')}`)
  const turned = Buffer.concat([bytes.subarray(0, 32), Buffer.from(s.toString(16).padStart(64, '0'), 'hex')])
  return [header, payload, turned.toString('base64url')].join('.')
}

function ends(t: Test, makeStore: MakeStore): void {
  t.test('every end of a session ends its binding, and the browser hears of it at its next refresh', async (t) => {
    const ann = someone('ann')
    const changes: Record<string, (bench: Bench, both: string) => unknown> = {
      logout: (bench, both) => steal(bench, both, '/logout'),
      'a login as another user': (bench, both) => steal(bench, both, '/login', { id: someone('bob').id }),
      'a login as the same user': (bench, both) => steal(bench, both, '/login', { id: ann.id }),
      'revocation of the session': (bench, both) => {
        return bench.app.sessions.revoke(handleOf(/session=([^;]+)/.exec(both)?.[1]), { userId: ann.id })
      },
      'revocation of the user': (bench) => bench.app.sessions.revokeUser(ann.id),
      expiry: (bench) => bench.clock.advance('31m'),
    }
    for (const [what, change] of Object.entries(changes)) {
      const bench = await bootBound(t, makeStore)
      const { device, session, both, id, challenge } = await boundByHand(bench, ann)
      await change(bench, both)
      bench.clock.advance('31s')
      t.equal(await stolenId(bench, both), null, what)
      const response = await refresh(bench.app, session, id, device.proof(challenge))
      t.strictSame([response.statusCode, response.json()], [200, { session_identifier: id, continue: false }], what)
      t.strictSame(response.cookies, [], what)
      await bench.app.sessions.revokeUser(ann.id)
    }
  })

  t.test('a login in a bound session is not bound, until its browser registers again', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const { both } = await boundByHand(bench, ann)
    const login = await steal(bench, both, '/login', { id: ann.id })
    t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: false }])
    const session = `session=${cookieIn(login, 'session')}`
    t.equal(await stolenId(bench, session), ann.id)
    const registered = await register(bench.app, session, new Device().registration(offeredBy(login)))
    t.equal(registered.statusCode, 200)
    t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: true }])
  })

  t.test('a refresh without the ordinary session cookie ends the binding in the browser alone', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const { both, device, id, challenge } = await boundByHand(bench, ann)
    for (const cookie of ['', 'other=1', 'session=', 'session=x']) {
      const response = await refresh(bench.app, cookie, id, device.proof(challenge))
      t.strictSame(response.json(), { session_identifier: id, continue: false })
    }
    t.equal(await stolenId(bench, both), ann.id)
  })

  t.test('a refresh of a session that is not bound ends the binding in the browser, and nothing else', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
    const session = `session=${cookieIn(login, 'session')}`
    const id = 'A'.repeat(22)
    const response = await refresh(bench.app, session, id, new Device().proof('x'))
    t.strictSame([response.statusCode, response.json()], [200, { session_identifier: id, continue: false }])
    t.equal(await stolenId(bench, session), ann.id)
  })

  t.test('a refresh for a binding that the session does not have ends that binding', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { session, device, challenge } = await boundByHand(bench, someone('ann'))
    const other = 'A'.repeat(22)
    const response = await refresh(bench.app, session, other, device.proof(challenge))
    t.strictSame(response.json(), { session_identifier: other, continue: false })
  })

  t.test('a logout clears both cookies', async (t) => {
    const bench = await bootBound(t, makeStore)
    const client = await bound(bench, someone('ann'))
    await client.inject({ method: 'POST', url: '/logout' })
    t.strictSame([...client.cookies.keys()], [])
  })

  t.test('a fresh proof of the user, and a new id, leave the binding', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const client = await bound(bench, ann)
    for (const url of ['/confirm', '/regenerate']) {
      const response = await client.inject({ method: 'POST', url })
      t.equal(offeredBy(response), '', 'there is nothing to offer')
      t.equal((await me(client)).userId, ann.id)
      t.equal(await stolenId(bench, sessionOnly(client)), null)
      bench.clock.advance('11m')
      t.equal((await me(client)).userId, ann.id)
    }
  })

  t.test('a refresh beside the end of its session is told of the end, and sets no cookie', async (t) => {
    const ann = someone('ann')
    const ways: Record<string, (bench: Bench, both: string) => unknown> = {
      logout: (bench, both) => steal(bench, both, '/logout'),
      'revocation of the user': (bench) => bench.app.sessions.revokeUser(ann.id),
    }
    for (const [what, end] of Object.entries(ways)) {
      const bench = await bootBound(t, makeStore, { renewalTimeout: '1m' })
      const { both, device, session, id, challenge } = await boundByHand(bench, ann)
      bench.clock.advance('2m')
      const held = bench.gate.hold('update')
      const asked = refresh(bench.app, session, id, device.proof(challenge))
      await held.arrived
      await end(bench, both)
      bench.events.length = 0
      held.release()
      const response = await asked
      t.strictSame([response.statusCode, response.json()], [200, { session_identifier: id, continue: false }], what)
      t.strictSame(response.cookies, [], what)
      t.strictSame(bench.events, [], 'nothing was refreshed')
    }
  })

  t.test('a refresh beside a change of id comes again later', async (t) => {
    const bench = await bootBound(t, makeStore)
    const { session, both, id } = await boundByHand(bench, someone('ann'))
    await steal(bench, both, '/confirm')
    const response = await refresh(bench.app, session, id)
    t.equal(response.statusCode, 503)
    t.equal(response.headers['retry-after'], '1')
  })
}

function late(t: Test, makeStore: MakeStore): void {
  t.test('a request without the proof changes nothing, and is told so', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const client = await bound(bench, ann)
    await client.inject({ method: 'POST', url: '/write' })
    for (const url of ['/write', '/update', '/regenerate', '/logout']) {
      const refused = await steal(bench, sessionOnly(client), url)
      const isSilent = url === '/regenerate'
      if (!isSilent) t.match(refused.json(), { code: 'SESSION_PROOF_REQUIRED', statusCode: 401 }, url)
      t.equal(refused.headers['set-cookie'], undefined, url)
    }
    t.match(await me(client), { userId: ann.id, data: { note: 'written' } })
  })

  t.test(
    'a login without the proof begins anew: it ends the bound session of the same user, and of nobody else',
    async (t) => {
      const bench = await bootBound(t, makeStore)
      const [ann, eve] = [someone('ann'), someone('eve')]
      const client = await bound(bench, ann)
      const { handle } = await me(client)
      const theft = await steal(bench, sessionOnly(client), '/login', { id: eve.id })
      t.not(handleOf(cookieIn(theft, 'session')), handle)
      t.match(await me(client), { userId: ann.id, handle }, 'the owner goes on')
      const anew = await steal(bench, sessionOnly(client), '/login', { id: ann.id })
      t.equal(await bench.record(handle), undefined)
      t.strictSame(await bench.indexed(ann), [handleOf(cookieIn(anew, 'session'))])
    },
  )
}

function failures(t: Test, makeStore: MakeStore): void {
  t.test('a login that fails after it was written offers no binding', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const onSend = (): never => {
      throw new Error('a later hook failed')
    }
    const page = await bench.browser().visit((request) => request.login(ann), { onSend })
    t.equal(page.status, 500)
    t.equal(page.headers['secure-session-registration'], undefined)
  })

  t.test('an outage of the store at a refresh or a registration is a 503, and nothing is lost', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const { device, session, both, id, challenge } = await boundByHand(bench, ann)
    for (const name of ['get', 'update']) {
      const held = bench.gate.hold(name)
      const asked = refresh(bench.app, session, id, device.proof(challenge))
      await held.arrived
      held.fail()
      const response = await asked
      t.equal(response.statusCode, 503, name)
      t.equal(response.headers['retry-after'], '1')
      t.strictSame(response.cookies, [])
    }
    const lost = bench.gate.hold('update')
    const unsure = refresh(bench.app, session, id, device.proof(challenge))
    await lost.arrived
    lost.lose()
    t.equal((await unsure).statusCode, 503)
    t.equal(await stolenId(bench, both), ann.id)
    t.equal((await refresh(bench.app, session, id, device.proof(challenge))).statusCode, 200)
    const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: someone('bob').id } })
    const other = `session=${cookieIn(login, 'session')}`
    const held = bench.gate.hold('update')
    const asked = register(bench.app, other, device.registration(offeredBy(login)))
    await held.arrived
    held.fail()
    t.equal((await asked).statusCode, 503)
    t.equal((await register(bench.app, other, device.registration(offeredBy(login)))).statusCode, 200, 'tried again')
  })

  t.test('a login whose response fails leaves the earlier binding', async (t) => {
    const bench = await bootBound(t, makeStore)
    const ann = someone('ann')
    const client = await bound(bench, ann)
    const failed = await client.inject({ method: 'POST', url: '/fail' })
    t.equal(failed.statusCode, 500)
    t.equal(offeredBy(failed), '')
    t.equal((await me(client)).userId, ann.id)
    t.equal(await stolenId(bench, sessionOnly(client)), null)
  })

  t.test(
    'a request that was under way when the session was bound writes its data, and keeps the binding',
    async (t) => {
      const bench = await bootBound(t, makeStore)
      const ann = someone('ann')
      const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: ann.id } })
      const session = `session=${cookieIn(login, 'session')}`
      const held = bench.gate.hold('update')
      const writing = steal(bench, session, '/write')
      await held.arrived
      const device = new Device()
      const registered = await register(bench.app, session, device.registration(offeredBy(login)))
      held.release()
      t.equal((await writing).statusCode, 200)
      const both = `${session}; session-bound=${cookieIn(registered, 'session-bound')}`
      const response = await steal(bench, both)
      t.match(response.json(), { userId: ann.id, data: { note: 'written' } })
      t.match(await bench.app.sessions.list(ann.id), [{ isDeviceBound: true }])
    },
  )
}
