import type { KeyObject } from 'node:crypto'
import { createPublicKey, generateKeyPairSync, sign } from 'node:crypto'

/** The header of a proof: the algorithm, and the media type of device-bound sessions. */
export const PROOF_HEADER = { alg: 'ES256', typ: 'dbsc+jwt' } as const

/** The key of a device on P-256, and the proofs that the device signs. */
export class DeviceKey {
  readonly publicKey: KeyObject
  readonly privateKey: KeyObject

  constructor(privateKey: KeyObject = generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey) {
    this.privateKey = privateKey
    this.publicKey = createPublicKey(privateKey)
  }

  /** The public key, as a registration carries it. */
  get jwk(): Record<string, unknown> {
    const { kty, crv, x, y } = this.publicKey.export({ format: 'jwk' })
    return { kty, crv, x, y }
  }

  /** Signs as ES256 does (RFC 7518, section 3.4). */
  sign(text: string): Buffer {
    return sign('sha256', Buffer.from(text), { key: this.privateKey, dsaEncoding: 'ieee-p1363' })
  }

  /** Returns a proof over a challenge. */
  proof(challenge: string): string {
    return jwsOf(PROOF_HEADER, { jti: challenge }, (text) => this.sign(text))
  }

  /** Returns the proof of a registration, which brings the public key along. */
  registration(challenge: string): string {
    return jwsOf({ ...PROOF_HEADER, jwk: this.jwk }, { jti: challenge }, (text) => this.sign(text))
  }
}

/** Returns a JWS in its compact form (RFC 7515, section 7.1). */
export function jwsOf(header: object, payload: object, signed: (text: string) => Buffer): string {
  const text = [header, payload].map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
  return `${text}.${signed(text).toString('base64url')}`
}
