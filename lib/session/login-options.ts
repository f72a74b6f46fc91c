import { SecureSessionError } from '../errors.ts'
import type { LoginOptions } from '../../types/index.ts'

/**
 * What an app passes on from a request is not always what the types say.
 * @throws `SESSION_OPTION_INVALID`
 */
export function refuseWrongOptions({ remember, keep, authHash }: LoginOptions): void {
  refuseUnless(remember === undefined || typeof remember === 'boolean', 'remember is true or false')
  refuseUnless(
    keep === undefined || typeof keep === 'boolean' || isListOfTexts(keep),
    'keep is true, false or a list of keys',
  )
  refuseUnless(authHash === undefined || typeof authHash === 'string', 'authHash is a text')
}

function refuseUnless(isFine: boolean, detail: string): void {
  if (!isFine) throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}

function isListOfTexts(value: unknown): boolean {
  return Array.isArray(value) && value.every((item) => typeof item === 'string')
}
