import { parseArgs } from 'node:util'
import type { SessionInfo } from '../../types/index.ts'
import { show } from '../guard/read/show-value.ts'
import { stringify } from '../guard/report/json.ts'
import type { Io } from './io.ts'
import { CLEAN, UsageError } from './io.ts'
import { userSessions } from './opened-store.ts'
import { choiceOf } from './output.ts'
import { STORE_HELP, STORE_OPTIONS } from './store-url.ts'
import { refusePositionals, withStore } from './with-store.ts'

const FORMATS = ['pretty', 'json'] as const

const HELP = `Usage: fastify-session-guard sessions --user <id> --store <url> [options]

Lists the live sessions of a user, the most recently used first. A handle is no secret: nobody logs in with it.

  --user <id>        whose
  --format <format>  pretty or json (default pretty)
${STORE_HELP}

Exit codes: 0 done, 2 the store cannot be used, or wrong usage.`

const OPTIONS = { ...STORE_OPTIONS, user: { type: 'string' }, format: { type: 'string', default: 'pretty' } } as const

/** Lists the sessions of a user. */
export async function sessions(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  refusePositionals(positionals)
  const { user } = values
  if (user === undefined || user === '') throw new UsageError('--user says whose sessions.')
  const format = choiceOf('--format', values.format, FORMATS)
  return withStore(values, io, async (store) => {
    const found = await userSessions(store).list(user)
    io.out(format === 'json' ? stringify({ schemaVersion: 1, sessions: found }) : render(user, found))
    return CLEAN
  })
}

function render(user: string, found: readonly SessionInfo[]): string {
  if (found.length === 0) return `${show(user)} has no sessions.`
  return found.map((one) => lines(one).join('\n')).join('\n\n')
}

/** What a client said of itself is quoted: it may hold anything. */
function lines({ handle, createdAt, authenticatedAt, lastSeenAt, idleDeadline, ...one }: SessionInfo): string[] {
  return [
    handle,
    `  logged in   ${authenticatedAt.toISOString()}`,
    `  created     ${createdAt.toISOString()}`,
    `  last seen   ${lastSeenAt.toISOString()}`,
    `  ends        ${idleDeadline.toISOString()} unless used, ${one.absoluteDeadline.toISOString()} at the latest`,
    ...(one.remember ? ['  remembered  yes'] : []),
    ...(one.device === null ? [] : [`  from        ${show(one.device.ip)} ${show(one.device.userAgent)}`]),
  ]
}
