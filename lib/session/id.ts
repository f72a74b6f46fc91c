import { createHmac, hash as digest, randomFillSync, timingSafeEqual } from 'node:crypto'
import { Signer } from '@fastify/cookie'
import { Recent } from '../storage/recent.ts'

/**
 * `<handle>.<secret>.<signature>`: 16, 32 and 32 bytes in base64url. Of the secret, 22 characters are random; the rest is a MAC
 * that says to whoever has the key in which epoch of its session it was made.
 */
const SHAPE = /^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/

const HANDLE_LENGTH = 22

const HANDLE_SHAPE = /^[\w-]{22}$/

/** The random part of a secret. */
const NONCE_LENGTH = 22

/** Handle, dot, secret: what the signature covers beside the name of the cookie. */
const SIGNED_LENGTH = 66

const VALUE_LENGTH = 110

/** How many cookie values are remembered, as hashes, and as many again: a few hundred bytes each. */
const REMEMBERED = 10_000

/** A fresh secret: what the browser gets, and what the record keeps of it. */
export interface MintedSecret {
  readonly cookieValue: string
  readonly secretHash: string
}

/** What a well-formed, correctly signed cookie names. */
export interface PresentedId {
  readonly handle: string
  readonly secret: string
  readonly secretHash: string
}

/** Mints and checks session ids. The only place where a whole id exists. */
export class SessionIds {
  readonly #secrets: readonly string[]
  readonly #signer: Signer
  /** Signed with every id: one that was made for another cookie, of an app with two of them, is not good for this one. */
  readonly #purpose: string
  /** What cookie values led to, by their hash: a good signature need not be checked again, and an HMAC costs most of a read. */
  readonly #known = new Recent<PresentedId>(REMEMBERED)
  readonly #last = new WeakMap<object, { readonly cookieValue: string; readonly id: PresentedId }>()

  /** The first secret signs, all of them verify. An id is good for the cookie of that name only. */
  constructor(secrets: string[], cookieName: string) {
    this.#secrets = secrets
    this.#signer = new Signer(secrets)
    this.#purpose = `${cookieName}=`
  }

  /** A new secret for an epoch of a session, signed with the first key. It will come back, most likely over the same `connection`. */
  mint(handle: string, epoch: number, connection?: object): MintedSecret {
    const nonce = randomText(16)
    const secret = nonce + this.#markOf(handle, epoch, nonce, this.#secrets[0])
    const signed = this.#signer.sign(`${this.#purpose}${handle}.${secret}`)
    // The Signer writes plain base64, whose + and / some clients percent-encode on the way back.
    const end = signed.lastIndexOf('.')
    const signature = signed.slice(end).replaceAll('+', '-').replaceAll('/', '_')
    const cookieValue = signed.slice(this.#purpose.length, end) + signature
    const secretHash = hashOf(secret)
    this.#expect(cookieValue, { handle, secret, secretHash }, connection)
    return { cookieValue, secretHash }
  }

  /**
   * Reads a cookie value; says what is wrong with one that this app cannot have made. A browser sends the same one again and
   * again over its `connection`: then nothing is hashed.
   */
  read(cookieValue: string, connection?: object): PresentedId | 'malformed' | 'signature' {
    const last = connection && this.#last.get(connection)
    if (last !== undefined && isSameText(last.cookieValue, cookieValue)) return last.id
    const id = this.#verify(cookieValue)
    if (typeof id === 'object') this.#expect(cookieValue, id, connection)
    return id
  }

  /** Whether an id was made in this epoch of its session, and not before its last login. */
  isOfEpoch({ handle, secret }: PresentedId, epoch: number): boolean {
    const nonce = secret.slice(0, NONCE_LENGTH)
    return this.#secrets.some((key) => isSameText(secret, nonce + this.#markOf(handle, epoch, nonce, key)))
  }

  /** There is a key: the guard lets no app boot without one. */
  #markOf(handle: string, epoch: number, nonce: string, key = ''): string {
    const text = `${this.#purpose}${handle} ${epoch} ${nonce}`
    return createHmac('sha256', key).update(text).digest('base64url').slice(NONCE_LENGTH)
  }

  /** Notes an id that is good. */
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
    const handle = cookieValue.slice(0, HANDLE_LENGTH)
    const secret = cookieValue.slice(HANDLE_LENGTH + 1, SIGNED_LENGTH)
    const id = { handle, secret, secretHash: hashOf(secret) }
    this.#known.set(hash, id)
    return id
  }

  #isSigned(cookieValue: string): boolean {
    const signature = cookieValue.slice(SIGNED_LENGTH).replaceAll('-', '+').replaceAll('_', '/')
    return this.#signer.unsign(this.#purpose + cookieValue.slice(0, SIGNED_LENGTH) + signature).valid
  }
}

/** Whether a text has the shape of a handle. */
export function isHandle(text: unknown): boolean {
  return typeof text === 'string' && HANDLE_SHAPE.test(text)
}

/** 16 random bytes: the public half of an id, and the store key. */
export function newHandle(): string {
  return randomText(16)
}

/** Random bytes fetched in advance, since each fetch is a system call. Wiped as they are used. */
const pool = Buffer.alloc(4096)
let used = pool.length

/** Random bytes in base64url. */
function randomText(size: number): string {
  if (used + size > pool.length) {
    randomFillSync(pool)
    used = 0
  }
  const bytes = pool.subarray(used, used + size)
  const text = bytes.toString('base64url')
  bytes.fill(0)
  used += size
  return text
}

/** SHA-256 in base64url. The secrets hashed here are random, so no salt or stretching is called for. */
export function hashOf(value: string): string {
  return digest('sha256', value, 'base64url')
}

/** SHA-256 in base64url. */
const HASH_LENGTH = 43
const left = Buffer.alloc(HASH_LENGTH)
const right = Buffer.alloc(HASH_LENGTH)

/** Compares two hashes in constant time. What has not the length of one is equal to none. */
export function isSameHash(a: string, b: string): boolean {
  if (a.length !== HASH_LENGTH || b.length !== HASH_LENGTH) return false
  left.write(a, 'latin1')
  right.write(b, 'latin1')
  return timingSafeEqual(left, right)
}

/** Compares two texts in a time that tells no more than their lengths: a proxy may send several clients over one connection. */
function isSameText(a: string, b: string): boolean {
  let difference = a.length ^ b.length
  for (let index = 0; index < a.length; index += 1) difference |= a.charCodeAt(index) ^ b.charCodeAt(index)
  return difference === 0
}
