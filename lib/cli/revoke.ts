import { parseArgs } from 'node:util'
import { MAX_SKEW } from '../storage/clocks.ts'
import { removeBefore } from '../storage/remove-before.ts'
import { show } from '../guard/read/show-value.ts'
import { endOfDate } from '../session/date.ts'
import { readName } from '../session/namespace.ts'
import type { Io } from './io.ts'
import { CLEAN, UsageError } from './io.ts'
import type { OpenedStore } from './opened-store.ts'
import { NAMESPACE_HINT, refuseReservedUser, userSessions } from './opened-store.ts'
import { progressOn } from './progress.ts'
import { STORE_HELP, STORE_OPTIONS } from './store-url.ts'
import { refusePositionals, withStore } from './with-store.ts'

const HELP = `Usage: fastify-session-guard revoke (--user <id> | --handle <handle> | --all) --store <url> [options]

Ends all sessions of a user, one session, or all sessions of everybody. A session that is ended is not let in again, on any server
of the app. With --all the command walks over the store, and each session ends when the command reaches it.

  --user <id>          whose sessions
  --namespace <name>   with --user: the namespace of the app, or the cookie name that the app has chosen
  --handle <handle>    which session, as the command sessions and the log name it
  --all                everybody's sessions, those without a user included
  --before <instant>   with --all: only sessions whose login was before it, as in 2026-05-01T12:00:00Z (default: now)
${STORE_HELP}

Exit codes: 0 done (also when there was nothing to end), 2 the store cannot be used, or wrong usage.`

const OPTIONS = {
  ...STORE_OPTIONS,
  user: { type: 'string' },
  namespace: { type: 'string' },
  handle: { type: 'string' },
  all: { type: 'boolean' },
  before: { type: 'string' },
} as const

/** Ends sessions from outside the app. */
export async function revoke(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  refusePositionals(positionals)
  const { user = '', namespace, handle = '', all = false, before } = values
  if ([user !== '', handle !== '', all].filter(Boolean).length !== 1) {
    throw new UsageError('revoke takes --user, --handle or --all, one of the three.')
  }
  if (!all && before !== undefined) throw new UsageError('--before goes with --all.')
  if (user === '' && namespace !== undefined) throw new UsageError('--namespace goes with --user.')
  refuseReservedUser(user)
  const asked = before === undefined ? undefined : instantOf(before)
  return withStore(values, io, async (store) => {
    if (all) {
      const progress = progressOn(io, (done) => `Ended ${counted(done)} so far …`)
      progress.end(`Ended ${counted(await endAll(store, asked, progress.show))}.`)
    } else if (user !== '') {
      const count = await userSessions(store, namespace ?? '').revokeUser(user, undefined, 'revoked')
      if (count === 0 && namespace === undefined) io.err(NAMESPACE_HINT)
      io.out(`Ended ${counted(count)} of ${show(user)}.`)
    } else {
      io.out((await endOne(store, handle)) ? 'Ended 1 session.' : 'There is no session with this handle.')
    }
    return CLEAN
  })
}

function counted(count: number): string {
  return count === 1 ? '1 session' : `${count} sessions`
}

/** An instant with its time zone, since a time without one means another moment on each machine. */
function instantOf(text: string): number {
  const instant = text.includes('T') ? endOfDate(text) : undefined
  if (instant !== undefined) return instant
  throw new UsageError('--before is an instant with its time zone, as in 2026-05-01T12:00:00Z.')
}

/**
 * The cutoff is written first. From then on the app lets none of these sessions in, even if the removal behind it
 * fails.
 */
async function endAll(
  store: OpenedStore['store'],
  asked: number | undefined,
  onPage: (total: number) => void,
): Promise<number> {
  const now = (await store.now?.()) ?? Date.now()
  if (asked !== undefined && asked > now) {
    throw new UsageError('--before lies in the future: nobody could log in until then.')
  }
  const instant = asked ?? now
  const latest = asked === undefined ? now + MAX_SKEW : undefined
  const which = { asked: instant, inForce: await store.raiseCutoff(instant), latest }
  const users = userSessions(store)
  return removeBefore(store, which, (record) => users.places.releaseAll(record), onPage)
}

async function endOne(store: OpenedStore['store'], handle: string): Promise<boolean> {
  const record = await store.get(handle)
  if (record === undefined) return false
  if (record.userId !== null) {
    const { namespace, userId } = readName(record.userId)
    return userSessions(store, namespace).revoke(handle, userId, 'revoked')
  }
  const users = userSessions(store)
  return (await users.places.end(handle, (held) => held.userId === null)) !== undefined
}
