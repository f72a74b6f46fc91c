import type { MaxSessions } from '../../types/index.ts'
import type { Guarantee, View } from './view.ts'
import { isOf } from './view.ts'
import { handleOf, nameOf } from './world.ts'
import { isDone } from './reports.ts'

/** The sessions that the user of a scene with a limit has at its beginning. */
const SESSIONS_BEFORE = 2

/** Returns the number of sessions that alice may have. */
function limitIn({ limit }: MaxSessions): number {
  return typeof limit === 'function' ? limit({ id: 'alice' }) : limit
}

/** Guarantees about limits on the sessions of a user. */
export const LIMITS: readonly Guarantee[] = [
  {
    name: 'no user has more sessions than the limit allows',
    *broken(view) {
      const { maxSessions } = view.after.played.prepared.options
      // A session that moves in is not refused, because the user had it before.
      const isMoved = view.after.reports.some(({ act }) => act.isMove)
      if (typeof maxSessions !== 'object' || isMoved) return
      // A user may have had more than a limit that is new.
      const isEnforced = view.after.reports.some((report) => report.act.evicts === true && isDone(report))
      const highest = Math.max(limitIn(maxSessions), isEnforced ? 0 : SESSIONS_BEFORE)
      const open = view.issued.filter(({ value }) => view.found(value).userId === 'alice')
      const handles = new Set(open.map(({ value }) => handleOf(value)))
      if (handles.size > highest) yield `${handles.size} sessions are open`
    },
  },
  {
    name: 'a limit that ends sessions ends the least recently used ones, and no more than it has to',
    *broken(view) {
      const { reports, isCrash } = view.after
      const [login, ...more] = reports.filter(({ act }) => act.evicts === true)
      const isAlone = reports.every(
        ({ act }) => act.evicts === true || (act.ends ?? act.logsIn ?? act.changesId) === undefined,
      )
      if (login === undefined || more.length > 0 || !isAlone || !isDone(login) || isCrash) return
      const { maxSessions } = view.after.played.prepared.options
      const limit = typeof maxSessions === 'object' ? limitIn(maxSessions) : 0
      const open = view.issued
        .filter(({ value }) => view.found(value).userId === 'alice')
        .map(({ value }) => handleOf(value))
      if (new Set(open).size < limit) yield `${login.actor} left ${new Set(open).size} sessions`
      const names = new Set(open.map((handle) => nameOf(view.after, handle)))
      const isUsed = reports.some(
        ({ act, cookie }) => act.evicts !== true && handleOf(cookie) === handleOf(oldestOf(view)),
      )
      if (!isUsed && names.has('alice1')) yield `${login.actor} kept the session that was used longest ago`
    },
  },
  {
    name: 'of new sessions that exceed a limit at the same moment one stays',
    *broken(view) {
      const { reports, isCrash } = view.after
      // A login in a session that counts already may still end the other one; see the guide.
      const isPlain = reports.every(({ act }) => act.evicts ?? (act.ends ?? act.logsIn ?? act.changesId) === undefined)
      const logins = reports.filter((one) => one.act.logsIn === 'alice' && isDone(one))
      const given = logins.map(({ reply }) => reply?.cookie)
      if (!isPlain || isCrash || view.hasFault || !view.evicts || given.length === 0) return
      if (given.every((cookie) => view.found(cookie ?? '').userId === null)) yield 'none is there'
    },
  },
  {
    name: 'no place of a limit is lost, and everybody can log in again',
    async *broken(view) {
      const { maxSessions } = view.after.played.prepared.options
      if (typeof maxSessions !== 'object' || maxSessions.onLimit !== 'refuse') return
      // A session that the next check ends has its place until then.
      if (view.after.played.passwordAt !== Infinity) return
      const open = new Set<string>()
      for (const { value } of view.issued) {
        if (value !== '' && isOf(view.found(value), 'alice')) open.add(handleOf(value))
      }
      const free = limitIn(maxSessions) - open.size
      const code = await view.loginsLater(free)
      if (code !== undefined) yield `${free} places should be free, and a login met ${code}`
    },
  },
]

/** Returns a cookie of the session that was used longest ago. */
function oldestOf({ after: { played } }: View): string | undefined {
  return played.prepared.issued.find(({ value }) => played.prepared.handles.get(handleOf(value)) === 'alice1')?.value
}
