import { weaknessesOf } from '../guard/read/secret-strength.ts'
import type { OldSecret } from './migration.ts'

/** The least length of a secret that signs whole sessions. A person who finds the secret can be any user. */
export const MIN_SEALING_BYTES = 32

/** The least length of a secret that signs random ids. A person who finds the secret still has to guess an id. */
export const MIN_SIGNING_BYTES = 16

/** Says why the weakest of these secrets is too weak for what it lets in; `undefined` for strong ones. */
export function weaknessOf(secrets: readonly OldSecret[], fewestBytes: number): string | undefined {
  for (const given of secrets) {
    const secret = typeof given === 'string' ? given : Buffer.from(given).toString('latin1')
    if (Buffer.byteLength(given) < fewestBytes) return `it is shorter than ${fewestBytes} bytes`
    const weaknesses = weaknessesOf(secret)
    if (weaknesses.includes('placeholder')) return 'it is a placeholder'
    if (weaknesses.includes('low-entropy') && fewestBytes >= MIN_SEALING_BYTES) {
      return 'it is easy to guess, however long it is'
    }
  }
  return undefined
}
