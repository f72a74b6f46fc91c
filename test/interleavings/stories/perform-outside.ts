import { revokeAll } from '../../../lib/session/all-sessions.ts'
import type { Engine } from '../../../lib/session/engine.ts'
import { renameSession, updateSession } from '../../../lib/session/one-session.ts'
import { updateUserEverywhere } from '../../../lib/session/update-user.ts'
import type { SessionUser } from '../../../types/index.ts'
import type { Account } from './model/database.ts'
import type { OutsideStep, User } from './story.ts'

/** The app whose calls these are. */
export interface Outside {
  readonly engine: Engine
  readonly accounts: Record<User, Account>
  readonly now: number
  /** Returns the handle of a session by its number. */
  readonly handleOf: (place: number) => string
}

/** Makes a call of the app itself, or changes its database. Resolves to the answer. */
export async function performOutside(
  { engine, accounts, now, handleOf }: Outside,
  step: OutsideStep,
): Promise<unknown> {
  const except = 'except' in step && step.except !== undefined ? handleOf(step.except) : undefined
  switch (step.name) {
    case 'revoke':
      return engine.users.revoke(handleOf(step.session), step.user, 'revoked')
    case 'revoke the user':
      return engine.users.revokeUser(step.user, except, 'revoked')
    case 'revoke all': {
      const before = step.ago === undefined ? undefined : new Date(now - step.ago)
      const { ended } = await revokeAll(engine, { before, except })
      await ended
      return undefined
    }
    case 'update everywhere':
      return updateUserEverywhere(engine, step.user, { id: step.user, name: step.called } as SessionUser)
    case 'rename':
      return renameSession(engine, handleOf(step.session), step.user, step.label)
    case 'update from outside':
      return updateSession(engine, handleOf(step.session), (data) => {
        data[step.key] = Number(data[step.key] ?? 0) + 1
      })
    case 'restart the process':
      return undefined
    case 'change the password':
      accounts[step.user].password += 1
      return undefined
    case 'change the name':
      accounts[step.user].called = step.called
      return undefined
    default:
      accounts[step.user].isThere = step.name === 'restore the user'
      return undefined
  }
}
