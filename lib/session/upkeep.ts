import { SecureSessionError } from '../errors.ts'
import type { RequestData } from './request-data.ts'
import type { RequestState } from './request-state.ts'
import { isStaged } from './request-state.ts'

/**
 * Tells whether the app asked for anything to be written. Without that a write is upkeep: a touch, or what the id
 * taught the record.
 */
export function isWriteAsked(state: RequestState, data: RequestData | undefined): boolean {
  return isStaged(state) || state.isTouched || data?.isWhole === true || data?.isModified() === true
}

/** Tells whether an error says that the store did not answer. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof SecureSessionError && error.code === 'SESSION_STORE_UNAVAILABLE'
}
