import { hash as digest, randomBytes, timingSafeEqual } from 'node:crypto'
import { Signer } from '@fastify/cookie'

/** `<handle>.<secret>.<signature>`: 16, 32 and 32 bytes in base64url. */
const SHAPE = /^[\w-]{22}\.[\w-]{43}\.[\w-]{43}$/

const HANDLE_LENGTH = 22

const HANDLE_SHAPE = /^[\w-]{22}$/

/** Handle, dot, secret: what the signature covers. */
const SIGNED_LENGTH = 66

/** How many good signatures a generation remembers: some hundred bytes each. */
const REMEMBERED = 10_000

/** A fresh secret: what the browser gets, and what the record keeps of it. */
export interface MintedSecret {
  readonly cookieValue: string
  readonly secretHash: string
}

/** What a well-formed, correctly signed cookie names. The secret itself stays in here. */
export interface PresentedId {
  readonly handle: string
  readonly secretHash: string
}

/** Mints and checks session ids. The only place where a whole id exists. */
export class SessionIds {
  readonly #signer: Signer
  /** Hashes of cookie values whose signature was found good: an HMAC costs more than all else in a read. */
  #verified = new Set<string>()
  #verifiedBefore = new Set<string>()

  /** The first secret signs, all of them verify. */
  constructor(secrets: string[]) {
    this.#signer = new Signer(secrets)
  }

  /** A new secret for a handle, signed with the first key. */
  mint(handle: string): MintedSecret {
    const secret = randomBytes(32).toString('base64url')
    const signed = this.#signer.sign(`${handle}.${secret}`)
    // The Signer writes plain base64, whose + and / some clients percent-encode on the way back.
    const end = signed.lastIndexOf('.')
    const signature = signed.slice(end).replaceAll('+', '-').replaceAll('/', '_')
    return { cookieValue: signed.slice(0, end) + signature, secretHash: hashOf(secret) }
  }

  /** Reads a cookie value; says what is wrong with one that this app cannot have made. */
  read(cookieValue: string): PresentedId | 'malformed' | 'signature' {
    if (!SHAPE.test(cookieValue)) return 'malformed'
    if (!this.#isSigned(cookieValue)) return 'signature'
    return {
      handle: cookieValue.slice(0, HANDLE_LENGTH),
      secretHash: hashOf(cookieValue.slice(HANDLE_LENGTH + 1, SIGNED_LENGTH)),
    }
  }

  #isSigned(cookieValue: string): boolean {
    const hash = hashOf(cookieValue)
    if (this.#verified.has(hash) || this.#verifiedBefore.has(hash)) return true
    const signature = cookieValue.slice(SIGNED_LENGTH).replaceAll('-', '+').replaceAll('_', '/')
    const isValid = this.#signer.unsign(cookieValue.slice(0, SIGNED_LENGTH) + signature).valid
    if (isValid) this.#remember(hash)
    return isValid
  }

  /** Two generations bound the memory without a list to keep in order. */
  #remember(hash: string): void {
    if (this.#verified.size >= REMEMBERED) {
      this.#verifiedBefore = this.#verified
      this.#verified = new Set()
    }
    this.#verified.add(hash)
  }
}

/** Whether a text has the shape of a handle. */
export function isHandle(text: unknown): boolean {
  return typeof text === 'string' && HANDLE_SHAPE.test(text)
}

/** 16 random bytes: the public half of an id, and the store key. */
export function newHandle(): string {
  return randomBytes(16).toString('base64url')
}

/** SHA-256 in base64url. The secrets hashed here are random, so no salt or stretching is called for. */
export function hashOf(value: string): string {
  return digest('sha256', value, 'base64url')
}

/** Compares two hashes in constant time. */
export function isSameHash(a: string, b: string): boolean {
  const left = Buffer.from(a)
  const right = Buffer.from(b)
  return left.length === right.length && timingSafeEqual(left, right)
}
