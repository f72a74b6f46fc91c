import { parseArgs } from 'node:util'
import type { Enumerating, RecordPage, SessionInfo } from '../../types/index.ts'
import { show } from '../guard/read/show-value.ts'
import { stringify } from '../guard/report/json.ts'
import { pageAsData, pageAsTable } from './all-sessions.ts'
import type { Io } from './io.ts'
import { CLEAN, UsageError } from './io.ts'
import type { OpenedStore } from './opened-store.ts'
import { NAMESPACE_HINT, refuseReservedUser, userSessions } from './opened-store.ts'
import { choiceOf } from './output.ts'
import { STORE_HELP, STORE_OPTIONS } from './store-url.ts'
import { refusePositionals, withStore } from './with-store.ts'

const FORMATS = ['pretty', 'json'] as const

const HELP = `Usage: fastify-session-guard sessions (--user <id> | --all | --count) --store <url> [options]

Lists the live sessions of a user, the most recently used first, or all sessions page by page. A handle is no secret: nobody
logs in with it.

  --user <id>        the sessions of one user
  --namespace <name> with --user: the namespace of the app, or the cookie name that the app has chosen
  --all              all sessions, those without a user included, in no particular order
  --limit <number>   with --all: about how many on a page, 1 to 1000 (default 50)
  --after <place>    with --all: the next page, as the page before names it
  --count            only how many sessions there are
  --format <format>  pretty or json (default pretty)
${STORE_HELP}

Exit codes: 0 done, 2 the store cannot be used, or wrong usage.`

const OPTIONS = {
  ...STORE_OPTIONS,
  user: { type: 'string' },
  namespace: { type: 'string' },
  all: { type: 'boolean' },
  count: { type: 'boolean' },
  limit: { type: 'string' },
  after: { type: 'string' },
  format: { type: 'string', default: 'pretty' },
} as const

type Asked = ReturnType<typeof parseArgs<{ options: typeof OPTIONS; allowPositionals: true }>>['values']

/** Lists the sessions of a user, or all of them. */
export async function sessions(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  refusePositionals(positionals)
  refuseMixtures(values)
  const { user = '', namespace, all = false, count = false, limit, after } = values
  const format = choiceOf('--format', values.format, FORMATS)
  const most = limitOf(limit)
  const write = (data: () => object, pretty: () => string): number => {
    io.out(format === 'json' ? stringify(data()) : pretty())
    return CLEAN
  }
  return withStore(values, io, async (store) => {
    if (count) {
      const total = await store.count()
      return write(
        () => ({ schemaVersion: 1, count: total }),
        () => total.toLocaleString('en'),
      )
    }
    if (all) {
      const page = await pageOf(store, after, most)
      return write(
        () => pageAsData(page),
        () => pageAsTable(page),
      )
    }
    const found = await sessionsOf(store, user, namespace, io)
    return write(
      () => ({ schemaVersion: 1, sessions: found }),
      () => render(user, found),
    )
  })
}

function refuseMixtures({ user = '', namespace, all = false, count = false, limit, after }: Asked): void {
  if ([user !== '', all, count].filter(Boolean).length !== 1) {
    throw new UsageError('sessions takes --user, --all or --count, one of the three.')
  }
  if (!all && (limit ?? after) !== undefined) throw new UsageError('--limit and --after go with --all.')
  if (user === '' && namespace !== undefined) throw new UsageError('--namespace goes with --user.')
  refuseReservedUser(user)
}

async function sessionsOf(
  store: OpenedStore['store'],
  user: string,
  namespace: string | undefined,
  io: Io,
): Promise<readonly SessionInfo[]> {
  const found = await userSessions(store, namespace ?? '').list(user)
  if (found.length === 0 && namespace === undefined) io.err(NAMESPACE_HINT)
  return found
}

function limitOf(text = '50'): number {
  const limit = Number(text)
  if (/^\d{1,4}$/.test(text) && limit >= 1 && limit <= 1000) return limit
  throw new UsageError('--limit is a whole number from 1 to 1000.')
}

/** Reads a page of all sessions. */
export async function pageOf(store: Enumerating, after: string | undefined, limit: number): Promise<RecordPage> {
  try {
    return await store.listAll({ after, limit })
  } catch (error) {
    throw error instanceof RangeError ? new UsageError('--after is what the page before has named.') : error
  }
}

function render(user: string, found: readonly SessionInfo[]): string {
  if (found.length === 0) return `${show(user)} has no sessions.`
  return found.map((one) => lines(one).join('\n')).join('\n\n')
}

/** Quotes the text that a client sent about itself, because the text may hold anything. */
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
