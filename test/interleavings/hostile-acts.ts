import { login } from '../../lib/session/actions.ts'
import { isBindingShown } from '../../lib/session/device-bound/binding.ts'
import { SessionIds } from '../../lib/session/id.ts'
import type { SecureSessionOptions, SessionRecord } from '../../types/index.ts'
import { SECRET } from '../support/app.ts'
import { Device } from '../support/device.ts'
import type { Act, Performer } from './act.ts'
import { outside } from './make-act.ts'
import { OWN_USER } from './kinds.ts'
import type { Server } from './server.ts'

const bound: SecureSessionOptions = { deviceBound: { lifetime: '20m' } }

/** Acts that show what no client and no store of this package has. They are played beside acts that only read. */
export const HOSTILE_ACTS: readonly Act[] = [
  outside('read damaged records', readDamaged, { kinds: ['shared'], isApart: true }),
  outside('show ids that nobody issued', showForged, { kinds: ['shared'], isApart: true }),
  outside('send what is no proof', sendForged, { kinds: ['shared'], isApart: true, options: bound }),
]

const UNAVAILABLE = 'SESSION_STORE_UNAVAILABLE'

/** A session that an act began for itself. */
interface Own {
  readonly cookie: string
  readonly record: SessionRecord
}

/** Begins a session, lets something be done with it, and ends it. Does nothing if the store does not answer. */
async function onOwnSession({ server }: Performer, work: (own: Own) => Promise<void>): Promise<void> {
  const user = { id: OWN_USER }
  const { cookie, code } = await server.request((session) => login(session, user, { methods: ['pwd'] }), {
    cookie: undefined,
  })
  if (code === UNAVAILABLE) return
  const record = typeof cookie === 'string' ? await server.engine.store.get(cookie.slice(0, 22)) : undefined
  if (typeof cookie !== 'string' || record === undefined) throw new Error('the act has no session of its own')
  await work({ cookie, record })
  await server.engine.users.revoke(record.handle, OWN_USER, 'revoked')
}

async function readDamaged(performer: Performer): Promise<void> {
  const { server } = performer
  await onOwnSession(performer, async ({ cookie, record }) => {
    let { version } = record
    for (const damage of DAMAGES) {
      // What a foreign writer left has none of the types that it should have.
      const damaged = { ...record, ...damage, version: version + 1 } as SessionRecord
      const isWritten = await server.engine.store.update(damaged, version)
      if (!isWritten) throw new Error(`${JSON.stringify(damage)} is in no record`)
      version += 1
      await refuseEntry(server, cookie, JSON.stringify(damage))
    }
    await server.engine.store.update({ ...record, version: version + 1 }, version)
  })
}

/** Throws if an id lets somebody in. */
async function refuseEntry(server: Server, cookie: string, what: string, own?: string): Promise<void> {
  const { me, status } = await server.request(() => undefined, { cookie, ...(own !== undefined && { bound: own }) })
  if (typeof me?.userId === 'string' || (me !== undefined && Object.keys(me.data).length > 0)) {
    throw new Error(`${what} let ${me.userId} in`)
  }
  if (status >= 500 && status !== 503) throw new Error(`${what} was answered with ${status}`)
}

const USER = JSON.stringify({ id: OWN_USER })
const OTHER_USER = { userId: OWN_USER, user: USER, authHash: null, methods: [] }
const ACTING = {
  ...{ ...OTHER_USER, authCheckedAt: 0, userAt: 0, absoluteDeadline: 0, since: 0, remember: false },
  ...{ reason: 'a ticket', lifetimes: null, data: '{}' },
}
const RENEWED = { secretHash: 'hash', issuedAt: 0, shownAt: 0, isTied: true }

/** Returns an object once without each of its members. */
const lacking = (whole: object): object[] =>
  Object.keys(whole).map((name) => Object.fromEntries(Object.entries(whole).filter(([key]) => key !== name)))

/** Fields with values that no record has. */
const DAMAGES: readonly object[] = [
  ...['secretHash', 'parent', 'family', 'data'].map((name) => ({ [name]: 5 })),
  ...['user', 'authHash', 'heldBack', 'label'].map((name) => ({ [name]: 5 })),
  ...['authCheckedAt', 'createdAt', 'authenticatedAt', 'lastSeenAt', 'rotatedAt'].map((name) => ({ [name]: '5' })),
  // A store takes what is no later than now for expired.
  { idleDeadline: '99999999999999' },
  ...['absoluteDeadline', 'shownAt', 'headAt'].map((name) => ({ [name]: Number.NaN })),
  ...['userAt', 'sparedAt', 'epoch', 'generation'].map((name) => ({ [name]: '5' })),
  ...['isTied', 'isForked', 'remember'].map((name) => ({ [name]: 0 })),
  ...[{ epoch: 0.5 }, { generation: 0.5 }, { deviceKey: 'none' }, { deviceKey: 5 }, { device: 'none' }],
  ...[{ device: { ip: 5, userAgent: '' } }, { device: { ip: '', userAgent: 5 } }, { tip: {} }, { rivals: {} }],
  ...lacking(RENEWED).map((tip) => ({ tip })),
  ...lacking({ secretHash: 'hash', since: 0, isTied: true }).map((rival) => ({ rivals: [rival] })),
  ...[{ methods: {} }, { methods: [{ name: 'pwd' }] }, { methods: [{ at: 1 }] }],
  ...lacking({ ...OTHER_USER, until: 0 }).map((pending) => ({ pending })),
  ...[{ pending: { ...OTHER_USER, until: 0, userId: 'bob' } }, { acting: { ...ACTING, userId: 'bob' } }],
  ...lacking(ACTING).map((acting) => ({ acting })),
  ...[{ acting: { ...ACTING, data: '[]' } }, { lifetimes: [] }],
  ...lacking({ idleTimeout: 1, absoluteTimeout: 1, rememberTimeout: 1 }).map((lifetimes) => ({ lifetimes })),
  ...[{ data: '[]' }, { data: '{' }, { data: '{"__proto__":{}}' }, { data: '{"a":{"constructor":{"prototype":{}}}}' }],
  ...[{ user: null }, { userId: null }, { authenticatedAt: null }, { user: '{"id":"bob"}' }, { user: '[]' }],
]

/** The characters of an id whose change makes another id: of the handle, the secret and the signature. */
const PLACES = [0, 21, 22, 23, 30, 44, 46, 50, 58, 64, 66, 67, 90, 107]

async function showForged(performer: Performer): Promise<void> {
  const { server } = performer
  const { cookie: attributes } = server.engine.settings
  await onOwnSession(performer, async ({ cookie, record: { handle, epoch } }) => {
    const changed = PLACES.map((place) => cookie.slice(0, place) + other(cookie[place]) + cookie.slice(place + 1))
    const mint = (secret: string, name: string): string =>
      new SessionIds([secret], name).mint(handle, epoch).cookieValue
    const forged = [
      ...[...changed, `${cookie}A`, cookie.slice(0, -1), cookie.toUpperCase(), '', '.', 'a'.repeat(110)],
      ...[`${cookie.slice(0, 66)}.`, cookie.slice(0, 66), `${cookie} `, `${cookie.slice(0, 67)}${'A'.repeat(43)}`],
      ...[mint(SECRET, 'other'), mint('x'.repeat(40), attributes.name)],
    ]
    for (const id of forged) await refuseEntry(server, id, `the id ${forged.indexOf(id)}`)
    if ((await server.engine.store.get(handle)) === undefined) return
    const { me } = await server.request(() => undefined, { cookie })
    if (me !== undefined && me.userId !== OWN_USER) throw new Error('a forged id ended the session')
  })
}

/** Returns another character of the alphabet of ids. */
function other(character: string | undefined): string {
  return character === 'A' ? 'B' : 'A'
}

async function sendForged(performer: Performer): Promise<void> {
  const { server } = performer
  const { device, settings } = server.engine
  await onOwnSession(performer, async ({ cookie, record: { handle, epoch } }) => {
    if (device === undefined) throw new Error('no session can be bound')
    const now = settings.clock()
    const [owner, thief] = [new Device(), new Device()]
    const offer = device.offer(handle, epoch, now)
    const { x: _x, ...noPoint } = owner.jwk as { x: string }
    const registrations = [
      ...['', 'a.b.c', owner.proof(offer), owner.confused(offer), owner.registration('')],
      ...[
        owner.registration(offer, { header: { alg: 'none' } }),
        owner.registration(offer, { header: { typ: 'JWT' } }),
      ],
      ...[
        owner.registration(offer, { header: { jwk: thief.jwk } }),
        owner.registration(offer, { header: { jwk: noPoint } }),
      ],
      ...[owner.registration(offer, { header: { jwk: { ...owner.jwk, kty: 'RSA' } } })],
      ...[owner.registration(offer, { header: { jwk: { ...owner.jwk, crv: 'P-384' } } })],
      ...[owner.registration(offer, { header: { jwk: owner.privateJwk } })],
      ...[
        owner.registration(offer, { sign: () => Buffer.alloc(64) }),
        owner.registration(offer, { payload: { jti: 5 } }),
      ],
      owner.registration(device.offer(handle, epoch + 1, now)),
      owner.registration(device.offer('A'.repeat(22), epoch, now)),
      owner.registration(device.offer(handle, epoch, now - 3_600_000)),
      owner.registration(device.offer(handle, epoch, now + 3_600_000)),
    ]
    for (const jws of registrations) {
      await refuseProof(server, { cookie, jws }, `registration ${registrations.indexOf(jws)}`)
    }
    const { grant, code } = await server.prove({ cookie, jws: owner.registration(offer) })
    if (code === UNAVAILABLE) return
    if (grant === undefined) throw new Error('the session could not be bound')
    const { bindingId, challenge, cookieValue } = grant
    const { me } = await server.request(() => undefined, { cookie, bound: cookieValue })
    const { deviceKey } = (await server.engine.store.get(handle)) ?? {}
    // A store that does not answer may not have noted that the browser keeps the bound cookie.
    if (me?.userId !== OWN_USER || typeof deviceKey !== 'string' || !isBindingShown(deviceKey)) return
    const proofs = [
      ...['', thief.proof(challenge), thief.registration(challenge), owner.confused(challenge), owner.proof(offer)],
      ...[owner.proof(challenge, { header: { alg: 'none' } }), owner.proof(challenge, { header: { typ: 'JWT' } })],
      ...[owner.proof(challenge, { sign: () => Buffer.alloc(64) }), owner.proof(`${challenge}a`), owner.proof('')],
    ]
    for (const jws of proofs) await refuseProof(server, { cookie, jws, bindingId }, `proof ${proofs.indexOf(jws)}`)
    await refuseProof(server, { cookie, jws: owner.proof(challenge), bindingId: 'A'.repeat(22) }, 'another binding')
    const [at, mac = ''] = cookieValue.split('.')
    const cookies = [
      ...[undefined, '', 'a.b', `${at}.${mac.slice(0, -1)}`, `${at}.${other(mac[0])}${mac.slice(1)}`, `zzzzzz.${mac}`],
      device.mintCookie(handle, 'A'.repeat(22), now),
      device.mintCookie('A'.repeat(22), bindingId, now),
      ...[device.mintCookie(handle, bindingId, now - 1_200_000), device.mintCookie(handle, bindingId, now + 3_600_000)],
      challenge,
    ]
    for (const value of cookies) {
      await refuseEntry(server, cookie, `the bound cookie ${cookies.indexOf(value)}`, value ?? '')
    }
    await bindAgain(server, { cookie, bound: cookieValue })
  })
}

/** Logs in anew and binds that login to another key. Throws if the bound cookie of the first login still counts. */
async function bindAgain(server: Server, first: { readonly cookie: string; readonly bound: string }): Promise<void> {
  const { device, settings } = server.engine
  // The proxy shows the bound cookie of the first login before and after the second login, and nothing in between.
  const { cookie } = await server.request((session) => login(session, { id: OWN_USER }), first)
  if (device === undefined || typeof cookie !== 'string') return
  const owner = new Device()
  const { handle, epoch } = (await server.engine.store.get(cookie.slice(0, 22))) ?? { handle: '', epoch: 0 }
  const offer = device.offer(handle, epoch, settings.clock())
  const { grant } = await server.prove({ cookie, jws: owner.registration(offer) })
  if (grant === undefined) return
  await server.request(() => undefined, { cookie, bound: grant.cookieValue, isDirect: true })
  const { deviceKey } = (await server.engine.store.get(handle)) ?? {}
  if (typeof deviceKey !== 'string' || !isBindingShown(deviceKey)) return
  await refuseEntry(server, cookie, 'the bound cookie of an earlier login', first.bound)
}

/** Throws if a proof brings something. */
async function refuseProof(server: Server, proof: Parameters<Server['prove']>[0], what: string): Promise<void> {
  const { grant, cookie } = await server.prove(proof)
  if (grant !== undefined || typeof cookie === 'string') throw new Error(`${what} brought a cookie`)
}
