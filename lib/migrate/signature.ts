import { createHmac, timingSafeEqual } from 'node:crypto'
import type { OldSecret } from './migration.ts'

/** Compares two texts in constant time. A text of another length is another text. */
export function isSame(actual: string, expected: string): boolean {
  const [left, right] = [Buffer.from(actual), Buffer.from(expected)]
  return left.length === right.length && timingSafeEqual(left, right)
}

/** Returns an HMAC in base64 without padding. */
export function hmacOf(algorithm: string, secret: OldSecret, text: string): string {
  return createHmac(algorithm, secret).update(text).digest('base64').replace(/=+$/, '')
}

/** Returns the text before the last dot, if the text after it is its HMAC under one of the secrets. */
export function unsign(signed: string, secrets: readonly OldSecret[], algorithm = 'sha256'): string | undefined {
  const dot = signed.lastIndexOf('.')
  if (dot < 1) return undefined
  const [value, signature] = [signed.slice(0, dot), signed.slice(dot + 1)]
  return secrets.some((secret) => isSame(signature, hmacOf(algorithm, secret, value))) ? value : undefined
}
