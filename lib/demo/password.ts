import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'

/** A password as it is kept: never the password. */
export interface HashedPassword {
  readonly salt: Buffer
  readonly hash: Buffer
}

/** OWASP Password Storage Cheat Sheet, scrypt: 16 MiB in five passes. */
const COST = { N: 2 ** 14, r: 8, p: 5 }
const HASH_LENGTH = 32
const SALT_LENGTH = 16

/** Hashes with a salt of its own. */
export async function hashPassword(password: string): Promise<HashedPassword> {
  const salt = randomBytes(SALT_LENGTH)
  return { salt, hash: await derive(password, salt) }
}

/** Takes as long for a wrong password as for the right one. */
export async function verifyPassword(password: string, kept: HashedPassword): Promise<boolean> {
  return timingSafeEqual(await derive(password, kept.salt), kept.hash)
}

function derive(password: string, salt: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    scrypt(password.normalize('NFC'), salt, HASH_LENGTH, COST, (error, hash) => {
      if (error === null) resolve(hash)
      else reject(error)
    })
  })
}
