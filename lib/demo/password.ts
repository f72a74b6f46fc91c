import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { ScryptOptions } from 'node:crypto'
import { promisify } from 'node:util'

/** The stored form of a password, from which the password cannot be read. */
export interface HashedPassword {
  readonly salt: Buffer
  readonly hash: Buffer
}

/** OWASP Password Storage Cheat Sheet, scrypt: 16 MiB in five passes. */
const COST = { N: 2 ** 14, r: 8, p: 5 }
const scryptAsync: (password: string, salt: Buffer, length: number, cost: ScryptOptions) => Promise<Buffer> =
  promisify(scrypt)
const HASH_LENGTH = 32
const SALT_LENGTH = 16

/** Hashes a password with a new salt. */
export async function hashPassword(password: string): Promise<HashedPassword> {
  const salt = randomBytes(SALT_LENGTH)
  return { salt, hash: await derive(password, salt) }
}

/** Compares a password with a hash. A wrong password takes as long as the right one. */
export async function verifyPassword(password: string, kept: HashedPassword): Promise<boolean> {
  return timingSafeEqual(await derive(password, kept.salt), kept.hash)
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return scryptAsync(password.normalize('NFC'), salt, HASH_LENGTH, COST)
}
