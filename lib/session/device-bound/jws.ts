import { compactVerify, decodeProtectedHeader } from 'jose'
import type { PublicKey } from './binding.ts'
import { PRINT_LENGTH } from './binding.ts'

/** The longest proof that is looked at. A proof of a browser has some 500 characters. */
const MAX_LENGTH = 4_096

/** Header, payload, and the 64 bytes of a signature with ES256, in strict base64url: one text for each proof. */
const SHAPE = /^[\w-]+\.[\w-]+\.[\w-]{86}$/

const COORDINATE = /^[\w-]{43}$/

/** The media type of a proof, in its header `typ`. */
const TYPE = 'dbsc+jwt'

/** A proof whose signature is that of a key. */
export interface Proof {
  /** The challenge that was signed. */
  readonly challenge: string
  /**
   * The name of the proof: the beginning of `r` of the signature. Anybody can turn `s` of a valid signature into
   * another valid one, so `s` says nothing.
   */
  readonly print: string
}

/**
 * Verifies a proof of a registration against the key in its own header. `undefined` for anything but a correct proof
 * with ES256. A private key in the header is refused too, because whoever reads it has the device.
 */
export async function verifyRegistration(jws: string): Promise<(Proof & { readonly key: PublicKey }) | undefined> {
  const key = embeddedKeyOf(jws)
  const proof = key && (await verifyProof(jws, key))
  return key && proof && { ...proof, key }
}

/** Verifies a proof against a key that is known. A key in the header of the proof counts for nothing. */
export async function verifyProof(jws: string, { x, y }: PublicKey): Promise<Proof | undefined> {
  if (!isShaped(jws)) return undefined
  try {
    const jwk = { kty: 'EC', crv: 'P-256', x, y }
    const { payload, protectedHeader } = await compactVerify(jws, jwk, { algorithms: ['ES256'] })
    if (protectedHeader.typ !== TYPE || protectedHeader.b64 !== undefined) return undefined
    const challenge = challengeIn(JSON.parse(Buffer.from(payload).toString()))
    return challenge === undefined ? undefined : { challenge, print: printOf(jws) }
  } catch {
    // A proof that cannot be read is no proof.
    return undefined
  }
}

function isShaped(jws: string): boolean {
  return jws.length <= MAX_LENGTH && SHAPE.test(jws)
}

function embeddedKeyOf(jws: string): PublicKey | undefined {
  if (!isShaped(jws)) return undefined
  try {
    const { jwk } = decodeProtectedHeader(jws)
    if (typeof jwk !== 'object' || jwk === null || Object.hasOwn(jwk, 'd')) return undefined
    const { kty, crv, x, y } = jwk
    return kty === 'EC' && crv === 'P-256' && isCoordinate(x) && isCoordinate(y) ? { x, y } : undefined
  } catch {
    return undefined
  }
}

function isCoordinate(value: unknown): value is string {
  return typeof value === 'string' && COORDINATE.test(value)
}

function challengeIn(payload: unknown): string | undefined {
  const { jti } = (payload ?? {}) as { jti?: unknown }
  return typeof jti === 'string' ? jti : undefined
}

function printOf(jws: string): string {
  const start = jws.lastIndexOf('.') + 1
  return jws.slice(start, start + PRINT_LENGTH)
}
