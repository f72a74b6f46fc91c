import type { Act } from './act.ts'
import { isDone } from './reports.ts'
import { sessions, strangerAt, visit } from './renewed.ts'
import { RECENT } from './server.ts'
import type { Guarantee } from './view.ts'
import { isOf, isOpen } from './view.ts'
import type { Report } from './world.ts'
import { handleOf, nameOf, SINCE_CHECK } from './world.ts'

/** The times that SECURITY.md names, in milliseconds. The engine has constants of its own. */
const WINDOW_OF_STRANGERS = 30_000
const TWO_SHOWS = 61_000
const MINUTE = 60_000
const BOUND_FOR = 20 * MINUTE

/** The guarantees about time, which clients see who come after a run. */
export const LATER: readonly Guarantee[] = [
  {
    name: '8: a session opens until its deadline, and not at it',
    async *broken(view) {
      const now = view.after.played.prepared.now + view.elapsed
      for (const { record, newest, older } of sessions(view)) {
        const left = record.idleDeadline - now
        // A half login ends sooner than its session.
        const { userId, data } = view.found(newest)
        const isWhole = userId !== null || Object.keys(data).length > 0
        const [before] = await view.visit([{ cookie: newest, after: left - 1 }])
        if (isWhole && (before === undefined || !isOpen(before))) {
          yield `${nameOf(view.after, record.handle)} ended too early`
        }
        const next = view.after.reports.some(({ act }) => act.isShort) ? 8 * MINUTE : 25 * MINUTE
        const often = await view.visit([visit(newest, left / 2), visit(newest, next)])
        if (isWhole && !often.every(isOpen)) yield `${nameOf(view.after, record.handle)} ended although it was used`
        for (const cookie of [newest, ...older.map((one) => one.cookie)]) {
          const [found] = await view.visit([{ cookie, after: left }])
          if (found !== undefined && isOpen(found)) yield `${nameOf(view.after, record.handle)} opens at its deadline`
        }
      }
    },
  },
  {
    name: '8: a session that is always in use ends at its absolute deadline',
    async *broken(view) {
      const { memo } = view.after.played.prepared
      const now = view.after.played.prepared.now + view.elapsed
      if (memo.has('absolute')) return
      memo.set('absolute', true)
      for (const { record, newest } of sessions(view)) {
        // Nobody has used it since the clock was set back.
        if (record.createdAt > now) continue
        if (view.found(newest).userId === null || record.remember) continue
        const { reports } = view.after
        const isShort = reports.some(
          ({ act, reply }) => act.isShort === true && (act.isHurried === true || reply?.cookie === newest),
        )
        // Who confirms a short login has the time of that login.
        if (!isShort && reports.some(({ act }) => act.isShort)) continue
        const [life, pause] = isShort ? [60 * MINUTE, 8 * MINUTE] : [720 * MINUTE, 25 * MINUTE]
        const left = Math.max(record.authenticatedAt ?? 0, record.createdAt) + life - now
        const first = (record.idleDeadline - now) / 2
        const count = Math.floor((left - first) / pause)
        const uses = Array.from({ length: count }, () => visit(newest, pause))
        const last = visit(newest, left - first - count * pause)
        const found = await view.visit([visit(newest, first), ...uses, last])
        const opened = found.filter(isOpen).length
        const name = nameOf(view.after, record.handle)
        if (opened !== count + 1) yield `${name} opened ${opened} times of ${count + 1}`
      }
    },
  },
  {
    name: '9: a new id opens the session for every client',
    async *broken(view) {
      const { reports } = view.after
      if (reports.some(({ act }) => act.isReplaced)) return
      for (const { actor, reply } of reports) {
        if (reply?.status !== 200 || typeof reply.cookie !== 'string' || !isOpen(view.found(reply.cookie))) continue
        const { handle, epoch } = view.idOf(reply.cookie) ?? {}
        const record = view.after.contents.records.get(String(handle))
        if (record?.epoch !== epoch || record?.heldBack !== null || record.deviceKey !== null) continue
        const found = await view.visit([strangerAt(reply.cookie, 0), strangerAt(reply.cookie, TWO_SHOWS)])
        if (!found.every(isOpen)) yield `the cookie of ${actor} ends the session of a client that looks otherwise`
      }
    },
  },
  {
    name: 'the cookie of another library leads to its new session for 30 seconds, and nowhere after a login or an end',
    async *broken(view) {
      const { reports, contents } = view.after
      const moves = reports.filter(({ act }) => act.isMove)
      if (moves.length === 0 || !moves.every((one) => isDone(one) && typeof one.reply?.cookie === 'string')) return
      const isStill = ({ act, reply }: Report): boolean => {
        const { handle = '', epoch } = view.idOf(reply?.cookie ?? '') ?? {}
        return !act.name.includes('log in') && contents.records.get(handle)?.epoch === epoch
      }
      const { userId } = await view.moveLater(0)
      if (userId !== null && !moves.some(isStill)) yield `it still opens a session of ${userId}`
      const isOpenFor = (one: Report): boolean => isStill(one) && view.found(one.reply?.cookie ?? '').userId === 'alice'
      if (userId === null && moves.some(isOpenFor)) yield 'it opens nothing, although its session goes on'
      // A record that the other app writes again lets nobody in for ten minutes.
      const isLasting = ['in a cookie', 'kept'].includes(view.after.played.prepared.oldSession ?? '')
      for (const after of [WINDOW_OF_STRANGERS, ...(isLasting ? [11 * MINUTE, 25 * MINUTE] : [])]) {
        const late = await view.moveLater(after)
        if (late.userId !== null) yield `it opens a session of ${late.userId} after ${after / 1000} seconds`
      }
    },
  },
  {
    name: 'whoever acts as another user does so for 30 minutes at most',
    async *broken(view) {
      const now = view.after.played.prepared.now + view.elapsed
      // A check may end the session before.
      if (view.after.played.prepared.checks !== undefined) return
      for (const { value } of view.issued) {
        const { acting, handle, heldBack } = view.after.contents.records.get(handleOf(value)) ?? {}
        if (!acting || acting.since > now || heldBack !== null || view.found(value).actorId === null) continue
        const left = acting.since + 30 * MINUTE - now
        const [half, before, at] = await view.visit([
          visit(value, left / 2),
          visit(value, left / 2 - 1),
          visit(value, 1),
        ])
        const name = nameOf(view.after, handle ?? '')
        if (half?.actorId === null || before?.actorId === null) yield `${name} ended too early`
        if (at !== undefined && isOpen(at)) yield `${name} goes on`
      }
    },
  },
  {
    name: '16: a bound cookie opens its session until it is over',
    async *broken(view) {
      // An id that is old enough for a renewal has not enough time left.
      if (view.after.reports.some(({ act }) => act.isAged)) return
      for (const { act, reply, cookie } of view.after.reports) {
        const newest = reply?.cookie ?? cookie
        if (act.device !== 'refresh' || reply?.grant === undefined || newest === undefined) continue
        const { deviceKey, heldBack } = view.after.contents.records.get(handleOf(newest)) ?? {}
        // A record that a process left locked lives for a minute.
        if (typeof deviceKey !== 'string' || heldBack !== null || view.found(newest).userId === null) continue
        const [before] = await view.visit([visit(newest, BOUND_FOR - 1000)])
        const [at] = await view.visit([visit(newest, BOUND_FOR)])
        if (before?.userId === null) yield `${nameOf(view.after, handleOf(newest))} closed too early`
        if (at?.userId !== null) yield `${nameOf(view.after, handleOf(newest))} is open without a new proof`
      }
    },
  },
  {
    name: 'a login counts as recent, and its methods as used, for as long as a route allows',
    async *broken(view) {
      const now = view.after.played.prepared.now + view.elapsed
      for (const { record, newest } of sessions(view)) {
        const { authenticatedAt, isForked } = record
        if (authenticatedAt === null || isForked || view.found(newest).userId === null) continue
        const left = authenticatedAt + RECENT - now
        const name = nameOf(view.after, record.handle)
        if (left <= 1) continue
        const [before] = await view.visit([visit(newest, left - 1)])
        const [at] = await view.visit([visit(newest, left)])
        if (before === undefined || at === undefined || !isOpen(before) || !isOpen(at)) continue
        if (!before.isRecent) yield `the login of ${name} was recent for too short a time`
        if (at.isRecent) yield `the login of ${name} is recent for too long a time`
        const used = (record.methods ?? []).filter((one) => one.name === 'pwd' || one.name === 'otp')
        for (const { name: method, at: usedAt } of used) {
          if (usedAt === authenticatedAt && before.missing.includes(method)) yield `${name} lacks ${method}`
          if (usedAt <= authenticatedAt && !at.missing.includes(method)) yield `${name} has ${method} too long`
        }
      }
    },
  },
  {
    name: 'a half login waits for ten minutes',
    async *broken(view) {
      const now = view.after.played.prepared.now + view.elapsed
      for (const { record, newest } of sessions(view)) {
        const since = record.rotatedAt - now
        if (view.found(newest).pendingId === null) continue
        const [early] = await view.visit([{ cookie: newest, after: since + 599_999 }])
        const [late] = await view.visit([{ cookie: newest, after: since + 600_000 }])
        if (early?.pendingId === null) yield `${nameOf(view.after, record.handle)} forgot the half login`
        if (late?.pendingId !== null) yield `${nameOf(view.after, record.handle)} waits on`
      }
    },
  },
  {
    name: '11: a changed password ends every session within the interval of the checks',
    async *broken(view) {
      const { reports, played } = view.after
      if (played.prepared.checks !== 'later' || played.passwords === 0) return
      const left = 10 * MINUTE - SINCE_CHECK - view.elapsed
      for (const { value, by } of view.issued) {
        // Who logs in proves the new password.
        const isProven = ({ logsIn, name }: Act): boolean => logsIn !== undefined || name === 'update the fingerprint'
        if (reports.some(({ actor, act }) => actor === by && isProven(act))) continue
        const [found] = await view.visit([{ cookie: value, after: left }])
        if (found !== undefined && isOf(found, 'alice')) yield `the cookie ${value.slice(0, 4)} opens the session`
      }
    },
  },
]
