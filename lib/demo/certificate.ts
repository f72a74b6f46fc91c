import { createHash, generateKeyPairSync, randomBytes, sign } from 'node:crypto'

/** A key, and a certificate signed by that key. */
export interface Certificate {
  readonly key: string
  readonly cert: string
  /** SHA-256 of the public key, base64. A browser can be told to trust exactly this key. */
  readonly pin: string
}

const TAGS = {
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  utf8: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  /** Context-specific tags: the version, the extensions, and two kinds of names of a host. */
  version: 0xa0,
  extensions: 0xa3,
  dnsName: 0x82,
  ipAddress: 0x87,
}

const DAY = 86_400_000

const ECDSA_WITH_SHA256 = sequence(der(TAGS.oid, Buffer.from('2a8648ce3d040302', 'hex')))
const COMMON_NAME = der(TAGS.oid, Buffer.from('550403', 'hex'))
const VERSION_3 = der(TAGS.version, der(TAGS.integer, Buffer.from([2])))

/** The hosts of the certificate (RFC 5280, 4.2.1.6): `localhost` and 127.0.0.1. */
const HOSTS = sequence(
  der(TAGS.oid, Buffer.from('551d11', 'hex')),
  der(
    TAGS.octetString,
    sequence(der(TAGS.dnsName, Buffer.from('localhost')), der(TAGS.ipAddress, Buffer.from([127, 0, 0, 1]))),
  ),
)

/** Makes a certificate for this computer (RFC 5280, 4.1) with Node alone. The certificate is valid for a month. */
export function makeCertificate(): Certificate {
  const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  const publicInfo = publicKey.export({ type: 'spki', format: 'der' })
  const name = sequence(der(TAGS.set, sequence(COMMON_NAME, der(TAGS.utf8, Buffer.from('Quayside Bank')))))
  const validity = sequence(utcTime(Date.now() - DAY), utcTime(Date.now() + 30 * DAY))
  // Browsers refuse a second certificate of the same issuer with the same number. The first byte keeps it positive.
  const serial = der(TAGS.integer, Buffer.from([1]), randomBytes(15))
  const extensions = der(TAGS.extensions, sequence(HOSTS))
  const body = sequence(VERSION_3, serial, ECDSA_WITH_SHA256, name, validity, name, publicInfo, extensions)
  const signature = der(TAGS.bitString, Buffer.from([0]), sign('sha256', body, privateKey))
  return {
    key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string,
    cert: pem(sequence(body, ECDSA_WITH_SHA256, signature)),
    pin: createHash('sha256').update(publicInfo).digest('base64'),
  }
}

function sequence(...parts: Buffer[]): Buffer {
  return der(TAGS.sequence, ...parts)
}

/** One value with its tag and length (X.690). */
function der(tag: number, ...parts: Buffer[]): Buffer {
  const content = Buffer.concat(parts)
  return Buffer.concat([Buffer.from([tag, ...lengthOf(content)]), content])
}

/** Encodes a length in as few bytes as possible, because parsers refuse more. */
function lengthOf({ length }: Buffer): number[] {
  if (length < 0x80) return [length]
  return length < 0x100 ? [0x81, length] : [0x82, length >> 8, length & 0xff]
}

/** `YYMMDDhhmmssZ`. */
function utcTime(at: number): Buffer {
  const digits = new Date(at).toISOString().replaceAll(/\D/g, '').slice(2, 14)
  return der(TAGS.utcTime, Buffer.from(`${digits}Z`))
}

function pem(bytes: Buffer): string {
  const lines = bytes.toString('base64').replaceAll(/.{64}(?=.)/g, '$&\n')
  return `-----BEGIN CERTIFICATE-----\n${lines}\n-----END CERTIFICATE-----\n`
}
