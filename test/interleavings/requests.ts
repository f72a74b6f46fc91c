import type { SessionRecord } from '../../types/index.ts'
import { handleIn } from './stepped-store.ts'
import type { Report } from './world.ts'
import type { Aftermath, Guarantee } from './view.ts'
import { isOf } from './view.ts'
import { NEW_NAME, SHORT_LIFE } from './kinds.ts'
import { handleOf, nameOf, RENAMED } from './world.ts'
import { hasOwnSession, isDone, mayEnd, userBefore, from, isRestoring } from './reports.ts'

/** A day in milliseconds. */
const DAY = 86_400_000
/** The difference between two clocks that counts as none, in milliseconds. */
const CLOCKS_DIFFER = 150_000

/** Guarantees about what a request sees and writes. */
export const REQUESTS: readonly Guarantee[] = [
  {
    name: '7: a request writes only into the login that it saw',
    *broken({ after }) {
      const seen = new Map<string, number>()
      for (const { name, actor, args, answer, before, fate } of after.deeds) {
        const handle = handleIn(args)
        const key = `${actor} ${handle}`
        const found = name === 'get' && fate === 'done' ? (answer as SessionRecord | undefined) : undefined
        if (found !== undefined && found.heldBack === null && !seen.has(key)) seen.set(key, found.epoch)
        const { act } = after.reports.find((report) => report.actor === actor) ?? {}
        if (answer !== true || (name !== 'update' && name !== 'touch') || act?.isOutside === true) continue
        const { epoch = 0 } = before ?? {}
        const isOwn = seen.get(key) === undefined || seen.get(key) === epoch
        const isTakenBack = name === 'update' && isRestoring(args[0] as SessionRecord, before)
        if (name === 'update') seen.set(key, (args[0] as SessionRecord).epoch)
        if (!isOwn && !isTakenBack) {
          yield `${actor} saw epoch ${seen.get(key)} of ${nameOf(after, handle)} and wrote into ${epoch}`
        }
      }
    },
  },
  {
    name: '7: a request that reads the session again stays who it was',
    *broken({ after }) {
      for (const { actor, act, reply } of after.reports) {
        const { me, meAfter } = reply ?? {}
        if (act.name !== 'reload' || me === undefined || meAfter === undefined || meAfter.userId === null) continue
        if (meAfter.userId !== me.userId) yield `${actor} was ${me.userId} and became ${meAfter.userId}`
      }
    },
  },
  {
    name: '7, 10: nobody sees the data of another user',
    *broken(view) {
      for (const { value, by } of view.issued) {
        const { userId, data } = view.found(value)
        const keys = Object.keys(data).filter((key) => isForeign(data[key], userId))
        if (keys.length > 0) yield `a cookie ${from(by)} shows ${keys.join()} to ${userId}`
      }
      for (const { actor, reply } of view.after.reports) {
        const { userId = null, data = {} } = reply?.me ?? {}
        const keys = Object.keys(data).filter((key) => isForeign(data[key], userId))
        if (keys.length > 0) yield `${actor} saw ${keys.join()}, being ${userId}`
      }
    },
  },
  {
    name: 'a write that was reported is not lost',
    *broken({ after }) {
      for (const report of after.reports) {
        const { actor, act, reply } = report
        if (act.writes === undefined || !isDone(report)) continue
        const isThere = reply?.me !== undefined || act.isOutside === true
        const isDropped = after.played.events.some(({ type }) => type === 'dropped-write')
        const wasThere = reply?.me?.data[act.writes] !== undefined
        const isWritten = after.deeds.some(
          (one) =>
            one.actor === actor &&
            ((one.answer === true && isRecordWith(one.args[0], act.writes ?? '')) ||
              (one.name === 'get' && isRecordWith(one.answer, act.writes ?? ''))),
        )
        if (!isDropped && !isWritten && !wasThere && isThere) yield `${actor} wrote nothing, and nobody was told`
      }
      yield* losses(after)
    },
  },
  {
    name: 'of updates at once none is lost',
    *broken(view) {
      const counting = view.after.reports.filter((one) => one.act.counts === true && isDone(one))
      const isQuiet = ({ act }: Report): boolean =>
        (act.ends ?? act.changesId ?? act.logsIn ?? act.waits ?? act.evicts ?? act.abandons) === undefined
      if (counting.length === 0 || view.after.isCrash || view.hasFault || !view.after.reports.every(isQuiet)) return
      const { count } = view.found(counting[0]?.cookie).data
      if (count !== counting.length) yield `${counting.length} requests counted to ${String(count)}`
    },
  },
  {
    name: '4: what a request took back, or what failed with it, is in no session',
    *broken(view) {
      for (const { act, actor } of view.after.reports) {
        const { discards } = act
        if (discards === undefined) continue
        for (const { value, by } of view.issued) {
          if (discards in view.found(value).data) yield `a cookie ${from(by)} shows what ${actor} did not store`
        }
      }
    },
  },
  {
    name: 'a response leaves the cookie of a login alone that this process has answered',
    *broken({ after }) {
      for (const reader of after.reports) {
        // Whoever logs out clears the cookie that is there.
        const isLogout = /log out|destroy/.test(reader.act.name)
        if (reader.reply?.cookie !== null || reader.cookie === undefined || isLogout) continue
        for (const login of after.reports) {
          const isLogin = login.act.logsIn !== undefined || login.act.changesId === true
          const isNewer = isLogin && login.cookie === reader.cookie && login.endedAt <= reader.endedAt
          if (isNewer && typeof login.reply?.cookie === 'string' && reader !== login) {
            yield `${reader.actor} clears the cookie that ${login.actor} got`
          }
        }
      }
    },
  },
  {
    name: 'what a request removed does not come back',
    *broken({ after }) {
      for (const report of after.reports) {
        const { actor, act, reply, cookie } = report
        if (act.removes === undefined || !isDone(report) || reply?.me?.data[act.removes] === undefined) continue
        if (after.played.events.some(({ type }) => type === 'dropped-write')) continue
        const record = after.contents.records.get(handleOf(cookie))
        if (isRecordWith(record, act.removes)) yield `${actor} removed ${act.removes}, and it is there`
      }
    },
  },
  {
    name: '11: nobody is shown as they were, once they had to be asked for',
    *broken(view) {
      if (view.after.played.prepared.checks !== 'due') return
      // These give the session a user of their own.
      const isGiver = ({ act: { name } }: Report): boolean => /log in|login|update the user/.test(name)
      for (const report of view.after.reports) {
        const { me } = report.reply ?? {}
        if (me?.userId !== 'alice' || view.others(report).some(isGiver)) continue
        if (me.name !== RENAMED && me.name !== NEW_NAME) yield `${report.actor} was shown the name ${me.name}`
      }
    },
  },
  {
    name: 'a user who was replaced everywhere is new in each session',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor } = report
        // A database that has another name shows that one.
        const { checks } = view.after.played.prepared
        if ((checks === 'due' || checks === 'always') && act.checks !== 'due') continue
        const isLogin = (one: Report): boolean => one.act.logsIn !== undefined || one.act.name.startsWith('log in')
        if (act.renames === undefined || !isDone(report) || view.others(report).some(isLogin)) continue
        if (view.others(report).some((one) => one.act.name === 'update the user')) continue
        for (const { value, by } of view.issued) {
          const { userId, name } = view.found(value)
          if (userId === 'alice' && name !== act.renames) {
            yield `${actor} replaced alice; a cookie ${from(by)} shows the old`
          }
        }
      }
    },
  },
  {
    name: '8: a stored deadline is the true one',
    *broken(view) {
      const { after } = view
      if (after.reports.some(({ act }) => hasOwnSession(act))) return
      const now = after.played.prepared.now
      const hasShort = after.reports.some(({ act }) => act.isShort)
      for (const {
        handle,
        idleDeadline,
        absoluteDeadline,
        createdAt,
        authenticatedAt,
        lastSeenAt,
        remember,
        epoch,
        acting,
        heldBack,
      } of after.contents.records.values()) {
        const isMark = absoluteDeadline - now > 365 * DAY
        if (isMark) continue
        const isShort = after.reports.some(({ act, reply }) => {
          const id = act.isShort === true && typeof reply?.cookie === 'string' ? view.idOf(reply.cookie) : undefined
          return id?.handle === handle && id.epoch === epoch
        })
        const [idle, absolute] = isShort
          ? [SHORT_LIFE.idle, SHORT_LIFE.absolute]
          : remember
            ? [14 * DAY, 14 * DAY]
            : [1_800_000, 43_200_000]
        if (idleDeadline > Math.max(lastSeenAt, now) + idle) yield `${nameOf(after, handle)} may be idle too long`
        const begun = Math.max(authenticatedAt ?? 0, createdAt)
        if (absoluteDeadline > begun + absolute) yield `${nameOf(after, handle)} lives too long`
        // Somebody who acts as another user has less time, and a session that moves in has what was left.
        if (acting || heldBack !== null || after.reports.some(({ act }) => act.isMove)) continue
        const least = hasShort ? SHORT_LIFE : { idle, absolute }
        const earliest = Math.min(lastSeenAt + least.idle, absoluteDeadline)
        if (idleDeadline < earliest) yield `${nameOf(after, handle)} is idle too soon`
        if (absoluteDeadline < begun + least.absolute) yield `${nameOf(after, handle)} ends too soon`
      }
    },
  },
  {
    name: '8: where the clock was set back, the next request brings the deadlines down',
    *broken({ after }) {
      const { now } = after.played.prepared
      for (const report of after.reports) {
        const { act, actor, cookie } = report
        if (act.setBackBy === undefined || !isDone(report) || after.deeds.some(({ fate }) => fate !== 'done')) continue
        const record = after.contents.records.get(handleOf(cookie))
        if (record === undefined || after.isCrash) continue
        const { idleDeadline, absoluteDeadline, acting, rivals, tip, ...rest } = record
        const [most, life] = act.isHurried
          ? [SHORT_LIFE.idle, SHORT_LIFE.absolute]
          : [1_800_000, acting ? 1_800_000 : 43_200_000]
        if (idleDeadline > now + most) yield `${actor} left a session that is idle too long`
        if (absoluteDeadline > now + life) yield `${actor} left a session that lives too long`
        const actors = acting ? [acting.since, acting.authCheckedAt, acting.userAt] : []
        const begun = [rest.lastSeenAt, rest.createdAt, rest.authenticatedAt ?? 0]
        // The instants of ids stay where an honest clock can be as far ahead.
        const ofIds = [
          ...[rest.rotatedAt, rest.shownAt, rest.headAt, rest.authCheckedAt, rest.userAt ?? 0, tip?.shownAt ?? 0],
          ...rivals.map(({ since }) => since),
        ]
        const mayDiffer = act.setBackBy <= CLOCKS_DIFFER
        const ahead = [...begun, ...actors, ...(mayDiffer ? [] : ofIds)].filter((at) => at > now)
        if (ahead.length > 0) yield `${actor} left ${ahead.length} instants that have not come`
      }
    },
  },
  {
    name: '11: a failing store makes nobody anonymous; an answer is one of those that are told of',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor, reply } = report
        if (reply === undefined) continue
        const { status, code = 'none', me } = reply
        const isStore = view.hasFault && code === 'SESSION_STORE_UNAVAILABLE'
        const { maxSessions } = view.after.played.prepared.options
        const isFull = code === 'SESSION_LIMIT_REACHED' && maxSessions !== undefined
        // Nobody logs in as a user who is gone.
        const isGone = code === 'SESSION_AUTH_HASH_UNSET' && view.after.played.isGone
        const isTold =
          status === 200 ||
          isFull ||
          isGone ||
          (act.codes ?? []).includes(code) ||
          (act.isFailure === true && status >= 500)
        if (!isStore && !isTold) yield `${actor} was answered with ${status} (${code}): ${reply.text}`
        const isMoved = view.others(report).some((one) => one.act.changesId === true || mayEnd(one))
        const isIn = userBefore(view, report) !== null && act.waits === undefined
        if (me !== undefined && me.userId === null && isIn && !isMoved) {
          yield `${actor} was anonymous`
        }
      }
    },
  },
  {
    name: '11: credentials that changed let nobody in who asks afterwards',
    *broken({ after }) {
      if (after.played.prepared.checks === 'later') return
      for (const { actor, act, startedAt, reply } of after.reports) {
        if (act.changesId === true || act.logsIn !== undefined || reply?.me === undefined) continue
        if (startedAt > after.played.passwordAt + 1 && isOf(reply.me, 'alice')) yield `${actor} was alice`
      }
    },
  },
  {
    name: 'who is disturbed by nobody gets through',
    *broken(view) {
      if (view.hasFault) return
      const isQuiet = ({ act }: Report): boolean =>
        (act.ends ?? act.changesId ?? act.logsIn ?? act.device ?? act.isStranger ?? act.checks ?? act.waits) ===
        undefined
      for (const report of view.after.reports) {
        const { act, actor, reply } = report
        const isOut = act.isReplay ?? act.isBare ?? act.isOutdated ?? act.isFailure ?? false
        if (reply?.code !== 'SESSION_SUPERSEDED' || isOut || !view.others(report).every(isQuiet)) continue
        yield `${actor} was refused`
      }
    },
  },
  {
    name: 'no failure goes unobserved, for which Node would end the process',
    *broken({ after }) {
      for (const error of after.isCrash ? [] : after.played.unobserved) yield String(error)
    },
  },
  {
    name: '12: no secret is told',
    *broken({ after, issued }) {
      for (const { handle, user, acting } of after.contents.records.values()) {
        if (/"password"/.test(`${user} ${acting?.user}`)) yield `the credential of the user of ${nameOf(after, handle)}`
      }
      const told = JSON.stringify([after.played.events, after.reports.map(({ reply }) => reply?.text)])
      for (const { value, by } of issued) {
        if (value !== '' && told.includes(value.slice(23, 66))) yield `the secret of a cookie ${from(by)}`
      }
    },
  },
]

/** Tells whether a value names another user than the one who sees it. Numbers name nobody. */
const isForeign = (owner: unknown, userId: string | null): boolean =>
  typeof owner === 'string' && owner !== 'anonymous' && owner !== userId

function isRecordWith(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && (value as SessionRecord).data.includes(`"${key}"`)
}

/** Finds versions of a record that lose data of an earlier version without a reason. */
function* losses({ deeds, reports, played }: Aftermath): Generator<string> {
  for (const { name, args, answer, before, actor } of deeds) {
    if (name !== 'update' || answer !== true || before === undefined) continue
    const record = args[0] as SessionRecord
    const { act } = reports.find((report) => report.actor === actor) ?? {}
    // What an act does to a session of its own is its own affair.
    const isOwn = act !== undefined && hasOwnSession(act)
    const isFree =
      isOwn ||
      (act?.keeps ?? act?.abandons ?? act?.removes) !== undefined ||
      (act?.isFailure === true && act.isImmediate !== true)
    const isOther = before.userId !== null && before.userId !== record.userId
    if (isFree || isOther || isRestoring(record, before)) continue
    const lost = Object.keys(JSON.parse(before.data) as object).filter(
      (key) => key !== '_csrf' && !isRecordWith(record, key),
    )
    if (lost.length > 0) yield `${actor} lost ${lost.join()} of ${nameOf({ played }, record.handle)}`
  }
}
