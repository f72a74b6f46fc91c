import { SecureSessionError } from '../errors.ts'
import type { SessionUser } from '../../types/index.ts'
import { refuseOversize, serializeValue } from './data.ts'
import { parseObject } from './record.ts'

/**
 * The JSON of a user as a record keeps it.
 * @throws `SESSION_USER_INVALID`, `SESSION_RECORD_TOO_LARGE`
 */
export function userSnapshot(user: SessionUser, maxSize: number): string {
  const isUser = typeof user === 'object' && user !== null && typeof user.id === 'string' && user.id !== ''
  if (!isUser) throw new SecureSessionError('SESSION_USER_INVALID')
  const json = jsonOf(user)
  // A `toJSON` may have made somebody else of it.
  if (parseObject(json)?.['id'] !== user.id) throw new SecureSessionError('SESSION_USER_INVALID')
  refuseOversize(json, maxSize)
  return json
}

function jsonOf(user: SessionUser): string {
  try {
    return serializeValue(user, 'user') ?? ''
  } catch (cause) {
    const { detail } = cause as SecureSessionError
    throw new SecureSessionError('SESSION_USER_INVALID', { cause, ...(detail !== undefined && { detail }) })
  }
}
