import {
  actAs,
  confirmLogin,
  login,
  regenerate,
  stopActing,
  updateAuthHash,
  updateUser,
} from '../../../lib/session/actions.ts'
import { formatDuration } from '../../../lib/session/duration.ts'
import type { RequestSession } from '../../../lib/session/request-session.ts'
import { changeOfKey } from '../../../lib/session/update-data.ts'
import type { LoginMethod, LoginOptions, SessionUser } from '../../../types/index.ts'
import type { Call, User } from './story.ts'

/** Options that a half login refuses, because they belong to the second step. */
const WRONG: Readonly<Record<string, LoginOptions>> = {
  none: {},
  remember: { remember: false },
  keep: { keep: [] },
  label: { label: 'desk' },
}

/** Makes one call of a handler. `called` are the names that the app knows its users by. */
export async function perform(session: RequestSession, call: Call, called: (user: User) => string): Promise<void> {
  const data = session.object
  const userOf = (id: User, name = called(id)): SessionUser => ({ id, name }) as SessionUser
  switch (call.name) {
    case 'write':
      if (data !== null) data[call.key] = call.value
      return
    case 'remove':
      if (data !== null) delete data[call.key]
      return
    case 'update':
      if (data !== null) await session.update(changeOfKey(call.key, (count = 0) => Number(count) + 1))
      return
    case 'log in': {
      const { user, remember, keep, methods, label, isByHeader, given: authHash } = call
      const transport = isByHeader ? 'header' : undefined
      return login(session, userOf(user), {
        remember,
        ...given({ keep, label, transport, authHash }),
        ...named(methods),
      })
    }
    case 'log in half':
      return login(session, userOf(call.user), {
        pending: true,
        ...named(call.methods),
        ...WRONG[call.wrong ?? 'none'],
      })
    case 'confirm':
      return confirmLogin(session, { ...given({ label: call.label }), ...named(call.methods) })
    case 'act':
      return actAs(session, userOf(call.user), { reason: 'a ticket', for: formatDuration(call.minutes * 60_000) })
    case 'update the user':
      return updateUser(session, userOf(call.user, call.called))
    case 'regenerate':
      return regenerate(session, call.keys)
    case 'log out': {
      const { where } = call
      return session.logout({ everywhere: where === 'everywhere', others: where === 'elsewhere' })
    }
    case 'update the fingerprint':
      return updateAuthHash(session, call.given)
    case 'stop acting':
      return stopActing(session)
    case 'touch':
      return session.touch()
    default:
      return session[call.name]()
  }
}

/** Returns the options that have a value. */
function given<Options extends object>(options: Options): { [Name in keyof Options]: NonNullable<Options[Name]> } {
  const known = Object.entries(options).filter(([, value]) => value !== undefined)
  return Object.fromEntries(known) as { [Name in keyof Options]: NonNullable<Options[Name]> }
}

function named(methods: readonly LoginMethod[]): { readonly methods?: readonly LoginMethod[] } {
  return methods.length === 0 ? {} : { methods }
}
