import { parseArgs } from 'node:util'
import { show } from '../guard/read/show-value.ts'
import type { Io } from './io.ts'
import { CLEAN, UsageError } from './io.ts'
import type { OpenedStore } from './opened-store.ts'
import { userSessions } from './opened-store.ts'
import { STORE_HELP, STORE_OPTIONS } from './store-url.ts'
import { refusePositionals, withStore } from './with-store.ts'

const HELP = `Usage: fastify-session-guard revoke (--user <id> | --handle <handle>) --store <url> [options]

Ends all sessions of a user, or one session. It holds from the next request on, on every server of the app.

  --user <id>        whose sessions
  --handle <handle>  which session, as the command sessions and the log name it
${STORE_HELP}

Exit codes: 0 done (also when there was nothing to end), 2 the store cannot be used, or wrong usage.`

const OPTIONS = { ...STORE_OPTIONS, user: { type: 'string' }, handle: { type: 'string' } } as const

/** Ends sessions from outside the app. */
export async function revoke(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  refusePositionals(positionals)
  const { user = '', handle = '' } = values
  if ((user === '') === (handle === '')) throw new UsageError('revoke takes --user or --handle, one of the two.')
  return withStore(values, io, async (store) => {
    if (user !== '') {
      const count = await userSessions(store).revokeUser(user, undefined, 'revoked')
      io.out(`Ended ${count === 1 ? '1 session' : `${count} sessions`} of ${show(user)}.`)
    } else {
      io.out((await endOne(store, handle)) ? 'Ended 1 session.' : 'There is no session with this handle.')
    }
    return CLEAN
  })
}

async function endOne(store: OpenedStore['store'], handle: string): Promise<boolean> {
  const users = userSessions(store)
  const record = await store.get(handle)
  if (record === undefined) return false
  const { userId } = record
  if (userId !== null) return users.revoke(handle, userId, 'revoked')
  return (await users.end(handle, (held) => held.userId === null)) !== undefined
}
