import { SecureSessionError } from '../errors.ts'
import { checkChange, checkHandle, checkLabel, checkOptions, checkUserId } from '../session/call-options.ts'
import type { Engine } from '../session/engine.ts'
import { allSessions, countSessions, revokeAll } from '../session/all-sessions.ts'
import { isHandle } from '../session/id.ts'
import { getSession, renameSession, updateSession } from '../session/one-session.ts'
import type { Sessions } from '../../types/index.ts'
import { sessionByCookie } from './open-session.ts'

/**
 * The members of `app.sessions` that are about one session. A handle may come from a form: only what can be one reaches
 * the store.
 */
export function singleSessions(engine: Engine): Pick<Sessions, 'get' | 'update' | 'rename' | 'open'> {
  return {
    get: async (handle) => {
      checkHandle('get', handle)
      return isHandle(handle) ? getSession(engine, handle) : undefined
    },
    update: async (handle, change) => {
      checkHandle('update', handle)
      checkChange(change)
      return isHandle(handle) && updateSession(engine, handle, change)
    },
    rename: async (handle, label, owner) => {
      checkOptions('rename', owner)
      checkUserId('rename', owner.userId)
      checkHandle('rename', handle)
      // Nothing would take the label away otherwise, without a word.
      if (label === undefined) throw new SecureSessionError('SESSION_LABEL_INVALID')
      checkLabel(label)
      return isHandle(handle) && renameSession(engine, handle, owner.userId, label)
    },
    open: sessionByCookie(engine),
  }
}

/** The members of `app.sessions` that are about all sessions. */
export function allSessionsOf(engine: Engine): Pick<Sessions, 'revokeAll' | 'all' | 'count'> {
  return {
    revokeAll: async (options = {}) => {
      checkOptions('revokeAll', options)
      return revokeAll(engine, options)
    },
    all: () => allSessions(engine),
    count: () => countSessions(engine),
  }
}
