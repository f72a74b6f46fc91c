import { SecureSessionError } from '../../lib/errors.ts'

/** Returns the error with which a call was refused; `undefined` if the call was not refused. */
export function refusalOf(call: () => unknown): SecureSessionError | undefined {
  try {
    call()
    return undefined
  } catch (error) {
    if (error instanceof SecureSessionError) return error
    throw error
  }
}
