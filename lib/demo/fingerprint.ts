import { hash } from 'node:crypto'

/** 32 bits: enough to see that two secrets differ, and far too few to find one of 128 random bits. */
const SHOWN_DIGITS = 8

/** The purpose is hashed too, so that no hash which the server stores begins with the same digits. */
const PURPOSE = 'fingerprint on a page of the bank\n'

/**
 * Returns a short name for the secret in a session cookie, such as `3f9a c210`.
 * The secret is the middle part of `<handle>.<secret>.<signature>`.
 */
export function fingerprintOf(cookieValue: string): string {
  const [, ...rest] = cookieValue.split('.', 2)
  const digits = hash('sha256', PURPOSE + rest.join(''))
  return `${digits.slice(0, SHOWN_DIGITS / 2)} ${digits.slice(SHOWN_DIGITS / 2, SHOWN_DIGITS)}`
}
