import { createSign, generateKeyPairSync, sign } from 'node:crypto'
import t from 'tap'
import { verifyProof, verifyRegistration } from '../../../lib/session/device-bound/jws.ts'
import { Device } from '../../support/device.ts'

const device = new Device()
const { x, y } = device.jwk as { x: string; y: string }
const good = device.registration('c1')

t.test('a registration is read with its key, its challenge and the beginning of its signature', async (t) => {
  t.strictSame(await verifyRegistration(good), {
    key: { x, y },
    challenge: 'c1',
    print: good.split('.')[2]?.slice(0, 8),
  })
  t.match(await verifyProof(device.proof('c2'), { x, y }), { challenge: 'c2' })
})

t.test('nothing but a correct ES256 proof with an EC key counts as a registration', async (t) => {
  const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 })
  const p384 = generateKeyPairSync('ec', { namedCurve: 'P-384' })
  const other = new Device()
  const [header = '', payload = '', signature = ''] = good.split('.')
  const flipped = `${signature.startsWith('A') ? 'B' : 'A'}${signature.slice(1)}`
  const wrong: Record<string, string> = {
    'alg none': device.registration('c1', { header: { alg: 'none' } }),
    'alg none without a signature': `${device
      .registration('c1', { header: { alg: 'none' } })
      .split('.')
      .slice(0, 2)
      .join('.')}.`,
    HS256: device.confused('c1'),
    RS256: device.registration('c1', {
      header: { alg: 'RS256', jwk: rsa.publicKey.export({ format: 'jwk' }) },
      sign: (text) => createSign('sha256').update(text).sign(rsa.privateKey),
    }),
    'an RSA signature under ES256': device.registration('c1', {
      sign: (text) => createSign('sha256').update(text).sign(rsa.privateKey),
    }),
    ES384: device.registration('c1', {
      header: { alg: 'ES384', jwk: p384.publicKey.export({ format: 'jwk' }) },
      sign: (text) => sign('sha384', Buffer.from(text), { key: p384.privateKey, dsaEncoding: 'ieee-p1363' }),
    }),
    'another curve': device.registration('c1', { header: { jwk: { ...device.jwk, crv: 'P-384' } } }),
    'the key of another': device.registration('c1', { header: { jwk: other.jwk } }),
    'a private key': device.registration('c1', { header: { jwk: device.privateJwk } }),
    'no key': device.proof('c1'),
    'a key that is a text': device.registration('c1', { header: { jwk: 'x' } }),
    'a key that is null': device.registration('c1', { header: { jwk: null } }),
    'a point off the curve': device.registration('c1', { header: { jwk: { ...device.jwk, y: x } } }),
    'a short coordinate': device.registration('c1', { header: { jwk: { ...device.jwk, x: x.slice(1) } } }),
    'a coordinate with padding': device.registration('c1', { header: { jwk: { ...device.jwk, x: `${x}=` } } }),
    'a coordinate with a zero in front': device.registration('c1', {
      header: {
        jwk: {
          ...device.jwk,
          x: Buffer.from(`\0${Buffer.from(x, 'base64url').toString('latin1')}`, 'latin1').toString('base64url'),
        },
      },
    }),
    'a coordinate that is no text': device.registration('c1', { header: { jwk: { ...device.jwk, y: 7 } } }),
    'another type': device.registration('c1', { header: { typ: 'JWT' } }),
    'no type': device.registration('c1', { header: { typ: undefined } }),
    'an extension that has to be understood': device.registration('c1', { header: { crit: ['exp'], exp: 1 } }),
    'a payload that is not encoded': device.registration('c1', { header: { crit: ['b64'], b64: false } }),
    'a challenge that is no text': device.registration('c1', { payload: { jti: 7 } }),
    'no challenge': device.registration('c1', { payload: { jti: undefined } }),
    'another signature': [header, payload, flipped].join('.'),
    'the signature in DER': device.registration('c1', {
      sign: (text) => createSign('sha256').update(text).sign(p384.privateKey),
    }),
    'no JSON in the header': `${Buffer.from('{').toString('base64url')}.${payload}.${signature}`,
    'standard base64': good.replaceAll('-', '+').replaceAll('_', '/').concat('='),
    'white space': `${header}.${payload} .${signature}`,
    'five parts': `${good}.a.b`,
    'one part': header,
    nothing: '',
    'too long': device.registration('c1', { payload: { padding: 'x'.repeat(4_096) } }),
  }
  for (const [what, jws] of Object.entries(wrong)) t.equal(await verifyRegistration(jws), undefined, what)
})

t.test('a proof whose payload is no object is none', async (t) => {
  for (const payload of ['null', '7', '"c1"', 'c1', '[]']) {
    const header = Buffer.from(JSON.stringify({ alg: 'ES256', typ: 'dbsc+jwt' })).toString('base64url')
    const signed = `${header}.${Buffer.from(payload).toString('base64url')}`
    const jws = `${signed}.${device.sign(signed).toString('base64url')}`
    t.equal(await verifyProof(jws, { x, y }), undefined, payload)
  }
})

t.test('a proof is checked with the known key, whatever key it brings along', async (t) => {
  const thief = new Device()
  t.equal(await verifyProof(thief.registration('c1'), { x, y }), undefined)
  t.equal(await verifyProof('', { x, y }), undefined)
  t.match(await verifyProof(device.registration('c1', { header: { jwk: thief.jwk } }), { x, y }), { challenge: 'c1' })
})
