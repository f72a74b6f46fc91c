import { SecureSessionError } from '../errors.ts'
import type { RequestContents } from './request-contents.ts'
import type { RequestState } from './request-state.ts'
import { isStaged } from './request-state.ts'

/**
 * Tells whether the app asked for anything to be written. Without that a write is upkeep: a touch, or what the id
 * taught the record.
 */
export function isWriteAsked(state: RequestState, { isChanged }: Pick<RequestContents, 'isChanged'>): boolean {
  return isStaged(state) || state.isTouched || isChanged
}

/** Tells whether an error says that the store did not answer. */
export function isStoreFailure(error: unknown): boolean {
  return error instanceof SecureSessionError && error.code === 'SESSION_STORE_UNAVAILABLE'
}
