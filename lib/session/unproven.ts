import { SecureSessionError } from '../errors.ts'

/**
 * Refuses to write to a bound session without the proof of its device. A new record in its place would take the session
 * away from an honest browser that is only late.
 * @throws `SESSION_PROOF_REQUIRED`
 */
export function refuseUnproven({ state }: { readonly state: string }): void {
  if (state === 'unproven') throw new SecureSessionError('SESSION_PROOF_REQUIRED')
}
