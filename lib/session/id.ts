import { hash as digest, randomFillSync, timingSafeEqual } from 'node:crypto'
import { Signer } from '@fastify/cookie'
import { Recent } from '../storage/recent.ts'

/** `<handle>.<secret>.<signature>`: 16, 32 and 32 bytes in base64url. */
const SHAPE = /^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/

export const HANDLE_LENGTH = 22

const HANDLE_SHAPE = /^[\w-]{22}$/

/** The length of handle, dot and secret, which the signature covers beside the name of the cookie. */
const SIGNED_LENGTH = 66

const VALUE_LENGTH = 110

/** The length of the part of a hash by which an id names its parent: 6 bytes. */
const PARENT_LENGTH = 8

/** The layout of a secret: 16 random bytes, epoch, generation, instant of issue in seconds, parent. */
const EPOCH_AT = 16
const GENERATION_AT = 19
const ISSUED_AT = 22
const PARENT_AT = 26
const SECRET_SIZE = 32

const MAX_UINT24 = 2 ** 24 - 1
const MAX_UINT32 = 2 ** 32 - 1

/** The number of cookie values that are remembered by their hashes, and as many again: a few hundred bytes each. */
const MAX_REMEMBERED = 10_000

/** The place of an id among the ids of its session since the last login. */
export interface Lineage {
  /** The number of renewals since the login. */
  readonly generation: number
  /** Milliseconds since 1970, in whole seconds. */
  readonly issuedAt: number
  /**
   * The name of the id to which this id was issued, as `parentOf` returns the name. Empty for an id that a login
   * issued.
   */
  readonly parent: string
}

/** A fresh secret: the cookie for the browser, and the hash for the record. */
export interface MintedSecret {
  readonly cookieValue: string
  readonly secretHash: string
}

/** The content of a well-formed, correctly signed cookie. */
export interface PresentedId extends Lineage {
  readonly handle: string
  readonly secretHash: string
  /** The epoch of the session in which the id was made. */
  readonly epoch: number
}

/** The lineage of an id that no renewal made. */
const FIRST: Lineage = { generation: 0, issuedAt: 0, parent: '' }

/** Mints and checks session ids. No other place has a whole id. */
export class SessionIds {
  readonly #signer: Signer
  /** Signed with every id, so that an id made for another cookie of the same app is not valid for this one. */
  readonly #purpose: string
  /**
   * The ids behind cookie values, by the value's hash. A valid signature need not be checked again; an HMAC costs most
   * of a read.
   */
  readonly #known = new Recent<PresentedId>(MAX_REMEMBERED)
  readonly #last = new WeakMap<object, { readonly cookieValue: string; readonly id: PresentedId }>()

  /** The first secret signs, all of them verify. An id is valid for the cookie of that name only. */
  constructor(secrets: string[], cookieName: string) {
    this.#signer = new Signer(secrets)
    this.#purpose = `${cookieName}=`
  }

  /** Makes a new secret, signed with the first key. It will most likely come back over the same `connection`. */
  mint(handle: string, epoch: number, lineage: Lineage = FIRST, connection?: object): MintedSecret {
    const secret = newSecret(epoch, lineage)
    const signed = this.#signer.sign(`${this.#purpose}${handle}.${secret}`)
    // The Signer writes plain base64. Some clients percent-encode its + and / on the way back.
    const end = signed.lastIndexOf('.')
    const signature = signed.slice(end).replaceAll('+', '-').replaceAll('/', '_')
    const cookieValue = signed.slice(this.#purpose.length, end) + signature
    const secretHash = hashOf(secret)
    if (connection !== undefined) this.#expect(cookieValue, readSecret(handle, secret, secretHash), connection)
    return { cookieValue, secretHash }
  }

  /**
   * Reads a cookie value, and names the fault of one that this app cannot have made. A browser sends the same value
   * again and again over its `connection`; then nothing is hashed.
   */
  read(cookieValue: string, connection?: object): PresentedId | 'malformed' | 'signature' {
    const last = connection && this.#last.get(connection)
    if (last !== undefined && isSameText(last.cookieValue, cookieValue)) return last.id
    const id = this.#verify(cookieValue)
    if (typeof id === 'object') this.#expect(cookieValue, id, connection)
    return id
  }

  /** Remembers a valid id of a connection. */
  #expect(cookieValue: string, id: PresentedId, connection: object | undefined): void {
    if (connection !== undefined) this.#last.set(connection, { cookieValue, id })
  }

  #verify(cookieValue: string): PresentedId | 'malformed' | 'signature' {
    if (cookieValue.length !== VALUE_LENGTH) return 'malformed'
    const hash = hashOf(cookieValue)
    const known = this.#known.get(hash)
    if (known !== undefined) return known
    if (!SHAPE.test(cookieValue)) return 'malformed'
    if (!this.#isSigned(cookieValue)) return 'signature'
    const id = readSecret(cookieValue.slice(0, HANDLE_LENGTH), cookieValue.slice(HANDLE_LENGTH + 1, SIGNED_LENGTH))
    this.#known.set(hash, id)
    return id
  }

  #isSigned(cookieValue: string): boolean {
    const signature = cookieValue.slice(SIGNED_LENGTH).replaceAll('-', '+').replaceAll('_', '/')
    return this.#signer.unsign(this.#purpose + cookieValue.slice(0, SIGNED_LENGTH) + signature).valid
  }
}

/** Returns the name by which an id is the parent of others: the beginning of its secret's hash. */
export function parentOf(secretHash: string): string {
  return secretHash.slice(0, PARENT_LENGTH)
}

/** Tells whether a text has the shape of a handle. */
export function isHandle(text: unknown): text is string {
  return typeof text === 'string' && HANDLE_SHAPE.test(text)
}

/** Makes the public half of an id, which is also the store key: 16 random bytes. */
export function newHandle(): string {
  fill(scratch, HANDLE_SIZE)
  return scratch.toString('base64url', 0, HANDLE_SIZE)
}

const HANDLE_SIZE = 16

/** The bytes of one id at a time. */
const scratch = Buffer.alloc(SECRET_SIZE)

function newSecret(epoch: number, { generation, issuedAt, parent }: Lineage): string {
  fill(scratch, EPOCH_AT)
  writeUint(Math.min(epoch, MAX_UINT24), EPOCH_AT, GENERATION_AT)
  writeUint(Math.min(generation, MAX_UINT24), GENERATION_AT, ISSUED_AT)
  writeUint(Math.min(Math.max(Math.floor(issuedAt / 1000), 0), MAX_UINT32), ISSUED_AT, PARENT_AT)
  scratch.fill(0, PARENT_AT)
  scratch.write(parent, PARENT_AT, 'base64url')
  return scratch.toString('base64url')
}

function writeUint(value: number, from: number, to: number): void {
  scratch.writeUIntBE(value, from, to - from)
}

const NO_PARENT = 'A'.repeat(PARENT_LENGTH)

function readSecret(handle: string, secret: string, secretHash = hashOf(secret)): PresentedId {
  const bytes = Buffer.from(secret, 'base64url')
  const parent = bytes.toString('base64url', PARENT_AT)
  return {
    handle,
    secretHash,
    epoch: bytes.readUIntBE(EPOCH_AT, GENERATION_AT - EPOCH_AT),
    generation: bytes.readUIntBE(GENERATION_AT, ISSUED_AT - GENERATION_AT),
    issuedAt: bytes.readUIntBE(ISSUED_AT, PARENT_AT - ISSUED_AT) * 1000,
    parent: parent === NO_PARENT ? '' : parent,
  }
}

/** Random bytes fetched in advance, because each fetch is a system call. They are wiped as they are used. */
const pool = Buffer.alloc(4096)
let used = pool.length

function fill(target: Buffer, size: number): void {
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  pool.copy(target, 0, used, used + size)
  pool.fill(0, used, used + size)
  used += size
}

/** Returns SHA-256 in base64url. The secrets hashed here are random, so they need no salt and no stretching. */
export function hashOf(value: string): string {
  return digest('sha256', value, 'base64url')
}

/** The length of SHA-256 in base64url. */
const HASH_LENGTH = 43
const left = Buffer.alloc(HASH_LENGTH)
const right = Buffer.alloc(HASH_LENGTH)

/** Compares two hashes in constant time. A text of another length equals no hash. */
export function isSameHash(a: string, b: string): boolean {
  if (a.length !== HASH_LENGTH || b.length !== HASH_LENGTH) return false
  left.write(a, 'latin1')
  right.write(b, 'latin1')
  return timingSafeEqual(left, right)
}

/**
 * Compares two texts in a time that reveals no more than their lengths. A proxy may send several clients over one
 * connection.
 */
export function isSameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index += 1) difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}
