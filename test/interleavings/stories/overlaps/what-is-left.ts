import { allSessions } from '../../../../lib/session/all-sessions.ts'
import { getSession } from '../../../../lib/session/one-session.ts'
import { isOpen } from '../../view.ts'
import type { Server } from '../../server.ts'
import { told } from '../compare.ts'
import { USERS } from '../story.ts'

/** Everything that anybody finds after two steps. */
export interface Left {
  /** The sessions, the lists of users, and what the cookies of both open, in words. */
  readonly state: string
  /** The instant of the last use of each session, and the deadline that it moved. */
  readonly uses: readonly string[]
}

/** The names of sessions and of cookies, which are the same in each order of the steps. */
export interface Names {
  readonly sessions: ReadonlyMap<string, string>
  readonly cookies: ReadonlyMap<string, string>
  readonly boundCookies: ReadonlyMap<string, string>
}

/** The name of a session that one of the steps began. */
export const BEGUN = 'of '

/** Returns data in the order of its names. Otherwise it would be in the order in which the steps wrote it. */
function inOrder(data: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(data).toSorted(([a], [b]) => (a < b ? -1 : 1)))
}

const NOTHING = 'nothing'

/** Resolves to what a cookie opens, in words. */
async function opensWith(server: Server, cookie: string, bound?: string): Promise<string> {
  const { status, me } = await server.request(() => undefined, { cookie, bound, isPassive: true })
  const { userId = null, actorId = null, pendingId = null, isFresh, data = {} } = me ?? {}
  const found = { userId, actorId, pendingId, isFresh, data: inOrder(data) }
  return status === 200 && !isOpen(found) ? NOTHING : `${JSON.stringify(found)} ${status}`
}

/** Looks at what is left. `open` starts a new process. */
export async function lookAtWhatIsLeft(open: () => Server, { sessions, cookies, boundCookies }: Names): Promise<Left> {
  const { engine } = open()
  const nameOf = ({ handle }: { readonly handle: string }): string => sessions.get(handle) ?? 'unnamed'
  const lines: string[] = []
  const uses: string[] = []
  for await (const { handle } of allSessions(engine)) {
    const is = await getSession(engine, handle)
    if (is === undefined) continue
    const name = nameOf(is)
    const { lastSeenAt, idleDeadline, label, ...rest } = told(is)
    const facts = { ...rest, isDeviceBound: is.isDeviceBound, data: inOrder(is.data) }
    uses.push([name, lastSeenAt, idleDeadline].join(' '))
    // A login that cannot go on with its session gives the label of that one to the new one.
    lines.push(`session ${name}: ${JSON.stringify(name.startsWith(BEGUN) ? facts : { ...facts, label })}`)
  }
  lines.sort()
  for (const user of USERS) {
    const list = await engine.users.list(user)
    lines.push(`sessions of ${user}: ${list.map(nameOf).toSorted().join() || 'none'}`)
  }
  for (const [name, cookie] of cookies) {
    const bare = await opensWith(open(), cookie)
    if (bare !== NOTHING) lines.push(`${name} opens: ${bare}`)
    for (const [which, bound] of boundCookies) {
      const found = await opensWith(open(), cookie, bound)
      if (found !== bare) lines.push(`${name} with the bound cookie ${which} opens: ${found}`)
    }
  }
  return { state: lines.map((line) => `     ${line}`).join('\n'), uses }
}
