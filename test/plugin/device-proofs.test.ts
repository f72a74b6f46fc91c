import type { JsonWebKey } from 'node:crypto'
import { createHmac, createPrivateKey, createSign } from 'node:crypto'
import { readFileSync } from 'node:fs'
import type { LightMyRequestResponse } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { bootBound } from '../attacks/device-bound.ts'
import type { Bench } from '../support/app.ts'
import { someone } from '../support/app.ts'
import type { Twist } from '../support/device.ts'
import { challengeOf, cookieIn, Device, identifierOf, offeredBy, refresh, register } from '../support/device.ts'

interface Vectors {
  readonly keys: Readonly<Record<string, JsonWebKey>>
  readonly vectors: readonly { readonly from: string; readonly name: string; readonly jws: string }[]
}

const { keys, vectors } = JSON.parse(
  readFileSync(new URL('../session/device-bound/jose-vectors.json', import.meta.url), 'utf8'),
) as Vectors

/** The order of P-256. */
const ORDER = 0xffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551n

const world = (t: Test): Promise<Bench> => bootBound(t, (_t, clock) => memoryStore({ clock }))

/** Returns a session whose login offered a binding. */
async function offered(bench: Bench) {
  const user = someone('ann')
  const login = await bench.app.inject({ method: 'POST', url: '/login', payload: { id: user.id } })
  return { user, session: `session=${cookieIn(login, 'session')}`, challenge: offeredBy(login) }
}

async function bound(bench: Bench, device: Device) {
  const { user, session, challenge: offer } = await offered(bench)
  const answer = await register(bench.app, session, device.registration(offer))
  const both = `${session}; session-bound=${cookieIn(answer, 'session-bound')}`
  await bench.app.inject({ url: '/me', headers: { cookie: both } })
  bench.events.length = 0
  return { user, session, both, id: identifierOf(answer), challenge: challengeOf(answer) }
}

function isRefused(t: Test, answer: LightMyRequestResponse, what: string): void {
  t.strictSame([answer.statusCode, answer.body, answer.cookies], [403, '{}', []], what)
}

t.test('no JWS of the standards binds a session, and none spoils the registration that follows', async (t) => {
  const bench = await world(t)
  const { user, session, challenge } = await offered(bench)
  for (const { from, name, jws } of vectors) {
    isRefused(t, await register(bench.app, session, jws), `${from}, ${name}`)
    isRefused(t, await register(bench.app, session, `"${jws}"`), `${from}, ${name}, in quotes`)
  }
  t.match(await bench.app.sessions.list(user.id), [{ isDeviceBound: false }])
  t.equal((await register(bench.app, session, new Device().registration(challenge))).statusCode, 200)
})

t.test('no JWS of the standards refreshes a session, also when the key of the session has signed it', async (t) => {
  for (const [name, jwk] of [...Object.entries(keys), ['a key of its own', undefined] as const]) {
    const bench = await world(t)
    const device = new Device(jwk && createPrivateKey({ key: jwk, format: 'jwk' }))
    const { session, both, id, challenge } = await bound(bench, device)
    for (const vector of vectors) {
      const answer = await refresh(bench.app, session, id, vector.jws)
      isRefused(t, answer, `${name}: ${vector.from}, ${vector.name}`)
      t.not(challengeOf(answer), '', 'an honest browser may try again')
    }
    t.match(bench.takeEvents('proof-failed'), [{ reason: 'signature' }], 'told once a minute')
    t.match((await bench.app.inject({ url: '/me', headers: { cookie: both } })).json(), { userId: /^ann/ })
    t.equal((await refresh(bench.app, session, id, device.proof(challenge))).statusCode, 200)
  }
})

/** Makes a proof; each call signs anew. */
type Make = (twist?: Twist) => string

/** Returns proofs with one fault each, by the name of the fault. */
function mutations(device: Device, make: Make): Record<string, string> {
  const good = make()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const bytes = Buffer.from(signature, 'base64url')
  const [r, s] = [bytes.subarray(0, 32), bytes.subarray(32)]
  const signed = (...parts: (Buffer | bigint)[]): string => {
    const all = parts.map((part) => (typeof part === 'bigint' ? numberOf(part) : part))
    return `${header}.${payload}.${Buffer.concat(all).toString('base64url')}`
  }
  const [big, small] = [ORDER - 1n, 1n]
  const byText = (secret: string | Buffer) => (text: string) => createHmac('sha256', secret).update(text).digest()
  const { publicKey } = device
  const { x, y } = device.jwk as { x: string; y: string }
  const point = [Buffer.from(x, 'base64url'), Buffer.from(y, 'base64url')]
  const none = (alg: string): string => make({ header: { alg } })
  return {
    ...Object.fromEntries(
      [0n, small, big, ORDER].flatMap((first) =>
        [0n, small, big, ORDER].map((second) => [`r is ${first}, s is ${second}`, signed(first, second)]),
      ),
    ),
    'r and s swapped': signed(s, r),
    'r plus the order': signed(numberOf(numberIn(r) + ORDER, 33), s),
    's plus the order': signed(r, numberOf(numberIn(s) + ORDER, 33)),
    'r with a leading zero': signed(Buffer.alloc(1), r, s),
    'zeros at the end': signed(bytes, Buffer.alloc(2)),
    'a signature cut by a byte': signed(bytes.subarray(0, 63)),
    'a signature in DER': `${header}.${payload}.${createSign('sha256').update(`${header}.${payload}`).sign(device.privateKey).toString('base64url')}`,
    'a signature over SHA-512': `${header}.${payload}.${createSign('sha512')
      .update(`${header}.${payload}`)
      .sign({ key: device.privateKey, dsaEncoding: 'ieee-p1363' })
      .toString('base64url')}`,
    'another header': `${make({ header: { kid: '1' } }).split('.')[0]}.${payload}.${signature}`,
    'another payload': `${header}.${make({ payload: { more: 1 } }).split('.')[1]}.${signature}`,
    'no header': `.${payload}.${signature}`,
    'no header, and no separator': `${payload}.${signature}`,
    'no payload': `${header}..${signature}`,
    'no payload, and no separator': `${header}.${signature}`,
    'no signature': `${header}.${payload}.`,
    'no signature, and no separator': `${header}.${payload}`,
    'separators alone': '..',
    'an empty fourth part': `${good}.`,
    'a fourth part': `${good}.${signature}`,
    'five parts, as an encrypted token has': `${good}.${signature}.${signature}`,
    'spaces in the signature': `${header}.${payload}.    ${signature}`,
    'spaces in the header': `${header}    .${payload}.${signature}`,
    'marks in the payload': `${header}.####${payload}.${signature}`,
    'padding of base64': `${header}.${payload}.${signature}==`,
    'standard base64': `${header}.${payload}.${bytes.toString('base64').replace(/=+$/, '')}+`,
    'the JSON serialization': JSON.stringify({ payload, signatures: [{ protected: header, signature }] }),
    'the flattened JSON serialization': JSON.stringify({ payload, protected: header, signature }),
    'alg none': none('none'),
    'alg None': none('None'),
    'alg NONE': none('NONE'),
    'alg es256': none('es256'),
    'alg ES256K': none('ES256K'),
    'alg ES384': none('ES384'),
    'alg EdDSA': none('EdDSA'),
    'an empty alg': none(''),
    'alg none, and no signature': `${none('none').split('.').slice(0, 2).join('.')}.`,
    'an alg that is a list': make({ header: { alg: ['ES256'] } }),
    'an alg that is an object': make({ header: { alg: { toString: 'ES256' } } }),
    'no alg': make({ header: { alg: undefined } }),
    'HS256 with the key in PEM': make({
      header: { alg: 'HS256' },
      sign: byText(publicKey.export({ format: 'pem', type: 'spki' })),
    }),
    'HS256 with the key in DER': make({
      header: { alg: 'HS256' },
      sign: byText(publicKey.export({ format: 'der', type: 'spki' })),
    }),
    'HS256 with the point': make({ header: { alg: 'HS256' }, sign: byText(Buffer.concat(point)) }),
    'HS256 with the jwk': make({ header: { alg: 'HS256' }, sign: byText(JSON.stringify(device.jwk)) }),
    'HS256 with an empty key': make({ header: { alg: 'HS256' }, sign: byText('') }),
    'another type': make({ header: { typ: 'JWT' } }),
    'the type in capitals': make({ header: { typ: 'DBSC+JWT' } }),
    'the type in a list': make({ header: { typ: ['dbsc+jwt'] } }),
    'an extension that has to be understood': make({ header: { crit: ['exp'], exp: 1 } }),
    'an empty list of extensions': make({ header: { crit: [] } }),
    'extensions that are no list': make({ header: { crit: 'b64' } }),
    'a payload that is not encoded': make({ header: { crit: ['b64'], b64: false } }),
    'a payload that is not encoded, without a word': make({ header: { b64: false } }),
    'a payload that is said to be encoded': make({ header: { crit: ['b64'], b64: true } }),
    'a challenge in a list': make({ payload: { jti: [7] } }),
    'a challenge in an object': make({ payload: { jti: { a: 1 } } }),
    'an empty challenge': make({ payload: { jti: '' } }),
    'a challenge under another name': make({ payload: { jti: undefined, nonce: 'x' } }),
    'a challenge that is long': make({ payload: { jti: 'x'.repeat(2_000) } }),
    'a proof that is too long': make({ payload: { more: 'x'.repeat(4_096) } }),
    'letters beyond ASCII': `${good}\u00e9`,
    'an escape of quotes': `\\"${good}\\"`,
    'a structured field with a parameter': `"${good}";a=1`,
    'a list of two proofs': `"${good}", "${make()}"`,
  }
}

function numberIn(bytes: Buffer): bigint {
  return BigInt(`0x${bytes.toString('hex')}`)
}

function numberOf(value: bigint, length = 32): Buffer {
  return Buffer.from(value.toString(16).padStart(length * 2, '0'), 'hex')
}

t.test('a registration with one thing wrong binds nothing', async (t) => {
  const bench = await world(t)
  const { user, session, challenge } = await offered(bench)
  const [device, other] = [new Device(), new Device()]
  const zero = Buffer.alloc(32).toString('base64url')
  const prime = 0xffffffff00000001000000000000000000000000ffffffffffffffffffffffffn
  const withKey = (jwk: unknown): string => device.registration(challenge, { header: { jwk } })
  const wrong = {
    ...mutations(device, (twist) => device.registration(challenge, twist)),
    'the key of another': withKey(other.jwk),
    'the private key': withKey(device.privateJwk),
    'the point zero': withKey({ ...device.jwk, x: zero, y: zero }),
    'x and y swapped': withKey({ ...device.jwk, x: device.jwk['y'], y: device.jwk['x'] }),
    'x beyond the field': withKey({ ...device.jwk, x: numberOf(prime).toString('base64url') }),
    'another curve': withKey({ ...device.jwk, crv: 'P-384' }),
    'the curve of Bitcoin': withKey({ ...device.jwk, crv: 'secp256k1' }),
    'a key pair of Edwards': withKey({ kty: 'OKP', crv: 'Ed25519', x: device.jwk['x'] }),
    'a shared secret': withKey({ kty: 'oct', k: device.jwk['x'] }),
    'a key in a list': withKey([device.jwk]),
    'a key that names its prototype': withKey(JSON.parse(`{"__proto__":${JSON.stringify(device.jwk)}}`)),
    'a key behind an address': device.proof(challenge, { header: { jku: 'https://evil.example/jwks.json' } }),
    'a key in a certificate': device.proof(challenge, { header: { x5c: ['MIIB'] } }),
    'a key that is named': device.proof(challenge, { header: { kid: '/dev/null' } }),
  }
  for (const [what, jws] of Object.entries(wrong)) isRefused(t, await register(bench.app, session, jws), what)
  t.match(await bench.app.sessions.list(user.id), [{ isDeviceBound: false }])
  t.equal((await register(bench.app, session, device.registration(challenge))).statusCode, 200)
})

t.test('a refresh with one thing wrong brings nothing, and the next good proof counts', async (t) => {
  const bench = await world(t)
  const [device, thief] = [new Device(), new Device()]
  const { session, id, challenge } = await bound(bench, device)
  const wrong = {
    ...mutations(device, (twist) => device.proof(challenge, twist)),
    'a key that comes along, of the one who signs': thief.registration(challenge),
    'a key that comes along, of the session': thief.proof(challenge, { header: { jwk: device.jwk } }),
    'the challenge of the registration': device.proof(challenge.replace(/.$/, (last) => (last === 'A' ? 'B' : 'A'))),
  }
  for (const [what, jws] of Object.entries(wrong)) {
    const answer = await refresh(bench.app, session, id, jws)
    isRefused(t, answer, what)
    t.not(challengeOf(answer), '', what)
  }
  t.equal((await refresh(bench.app, session, id, device.proof(challenge))).statusCode, 200)
})

t.test('a proof is known again when the unused bits of its last letter differ', async (t) => {
  const bench = await world(t)
  const device = new Device()
  const { session, id, challenge } = await bound(bench, device)
  const proof = device.proof(challenge)
  t.equal((await refresh(bench.app, session, id, proof)).statusCode, 200)
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
  for (const letter of letters) {
    isRefused(t, await refresh(bench.app, session, id, `${proof.slice(0, -1)}${letter}`), letter)
  }
})
