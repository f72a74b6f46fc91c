import { besideOf, placesOf } from '../../lib/session/places.ts'
import { handleIn } from './stepped-store.ts'
import type { Report } from './world.ts'
import type { Found, Guarantee } from './view.ts'
import { isOf, isOpen } from './view.ts'
import { handleOf, nameOf } from './world.ts'
import { hasOwnSession, isDone, isGuest, mayEnd, shownIn, userBefore, from } from './reports.ts'

/** Guarantees about the ends of sessions, and about sessions that nobody ended. */
export const ENDINGS: readonly Guarantee[] = [
  {
    name: '5: a session that was logged out opens for no id, old or new',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, cookie, reply, actor } = report
        if (act.ends !== 'own' || act.isStranger === true || !isDone(report) || cookie === undefined) continue
        if (act.isOutside !== true && reply?.me === undefined) continue
        const { userId = null, actorId = null } = reply?.me ?? {}
        const isChanged = view.others(report).some((one) => one.act.changesId === true)
        const isGuests = (found: Found): boolean => !isChanged && found.userId === null && 'start' in found.data
        const isTheirs = (found: Found): boolean => {
          if (act.isOutside === true) return isOf(found, 'alice')
          return userId === null ? isGuests(found) : found.userId === userId && found.actorId === actorId
        }
        for (const { value, by } of view.issued) {
          if (handleOf(value) !== handleOf(cookie)) continue
          const found = view.found(value)
          if (isTheirs(found)) yield `${actor} ended the session; a cookie ${from(by)} opens it for ${found.userId}`
        }
      }
    },
  },
  {
    name: '5: a record that is gone is never written again',
    *broken({ after }) {
      const gone = new Set<string>()
      for (const { name, args, answer, actor } of after.deeds) {
        if (answer !== true || !['create', 'update', 'touch', 'delete'].includes(name)) continue
        const handle = handleIn(args)
        if (name === 'delete') gone.add(handle)
        else if (gone.has(handle)) yield `${actor} brought ${nameOf(after, handle)} back by ${name}`
      }
    },
  },
  {
    name: '6: a revocation ends every session, also one whose login had begun',
    *broken(view) {
      const { deeds, reports } = view.after
      for (const report of reports) {
        const { act, actor, cookie } = report
        if (!isDone(report) || act.ends === undefined || act.ends === 'own') continue
        if (act.isOutside !== true && userBefore(view, report) === null) continue
        if (act.isOutside !== true && report.reply?.me?.userId !== 'alice') continue
        const user = act.isAboutShown === true ? 'bob' : 'alice'
        const beginsAt = deeds.findIndex((one) => one.actor === actor && !['start', 'begin'].includes(one.name))
        for (const { value, by } of view.issued) {
          if (act.ends === 'others' && handleOf(value) === handleOf(cookie)) continue
          // A login in the session that is spared may move to a session of its own, if that one is ended for it.
          const giver = reports.find((one) => one.actor === by)
          const mayMove = act.ends === 'others' && (act.isOutside === true || reports.length > 2)
          if (mayMove && handleOf(giver?.cookie) === handleOf(cookie)) continue
          // Of two that run at once, each leaves the session that the other one spares.
          const isSparing = (one: Report): boolean => one.act.name === 'revoke all but the session'
          if (
            act.name.startsWith('revoke all') &&
            view.others(report).some((one) => isSparing(one) && isBeside(one, report))
          ) {
            continue
          }
          const entered = deeds.findIndex(
            ({ actor: one, name, args, answer }) =>
              one === by && name === 'addToIndex' && isPlaceOf(user, args[0]) && answer !== false,
          )
          const isSpared = act.name.startsWith('revoke all') && by !== undefined
          // The old session was there before, whenever it moves in. It has no credentials that could have changed.
          const isOld = giver?.act.isMove === true && !isSpared && act.checks === undefined
          const isLater =
            isSpared || (by !== undefined && (entered === -1 ? isCreator(reports, by) : entered > beginsAt))
          if ((isOld || !isLater) && isOf(view.found(value), user)) {
            yield `${actor} revoked; a cookie ${from(by)} opens a session`
          }
        }
      }
    },
  },
  {
    name: '6: a session of another library does not move in once its user, or everybody, was ended',
    *broken({ after }) {
      for (const move of after.reports) {
        if (move.act.isMove !== true || move.reply?.me?.userId !== 'alice') continue
        for (const report of after.reports) {
          const isRevoked = report.act.isOutside === true && /^revoke (all|the user$)/.test(report.act.name)
          if (!isRevoked || !isDone(report) || report.endedAt > move.startedAt) continue
          yield `${move.actor} moved in after ${report.actor}`
        }
      }
    },
  },
  {
    name: '6: a session of another library leads nowhere once its user, or everybody, was ended',
    async *broken(view) {
      const { reports } = view.after
      if (!reports.some(({ act }) => act.isMove === true)) return
      for (const report of reports) {
        if (!['revoke all', 'revoke the user'].includes(report.act.name) || !isDone(report)) continue
        const { userId } = await view.moveLater(0)
        if (userId === 'alice') yield `${report.actor} revoked; the old cookie opens a session of ${userId}`
      }
    },
  },
  {
    name: 'a session of another library moves in, and is there no more',
    *broken(view) {
      const { reports, played, isCrash } = view.after
      for (const report of reports) {
        const { act, actor, reply } = report
        const isAlone = view
          .others(report)
          .every((one) => !mayEnd(one) && one.act.isMove !== true && !one.act.name.startsWith('revoke all'))
        if (act.isMove !== true || isCrash || view.hasFault || !isAlone || played.isGone) continue
        if (played.passwordAt !== Infinity || act.name.includes('log in')) continue
        const wanted = act.logsIn ?? null
        if (reply?.me?.userId !== wanted || reply?.me?.data['old'] !== 'anonymous') {
          yield `${actor} came as ${reply?.me?.userId} with ${JSON.stringify(reply?.me?.data)}`
        }
        const mayStay = act.oldSession === 'in a cookie' || act.oldSession === 'kept'
        if (isDone(report) && played.isOldThere && !mayStay) yield `${actor} left the old session behind`
      }
    },
  },
  {
    name: '6: the records that a revocation of everybody ends are removed',
    *broken(view) {
      const { reports, contents, played, isCrash } = view.after
      const isAll = reports.some((report) => report.act.ends === 'everybody' && isDone(report))
      // A login that fails puts a record back that is let in no more.
      const isBack = reports.some(({ act }) => act.isFailure === true || act.abandons === true)
      if (!isAll || isBack || isCrash || view.hasFault) return
      for (const [handle, { userId, heldBack }] of contents.records) {
        const isClient = view.issued.some(({ value }) => handleOf(value) === handle && isOpen(view.found(value)))
        const isKnown = played.prepared.handles.has(handle)
        if (isKnown && heldBack === null && !isClient) yield `${nameOf(view.after, handle)} of ${userId} is there`
      }
    },
  },
  {
    name: '9: an event tells of a session that ended as a copied one',
    *broken({ after }) {
      const { events } = after.played
      for (const { actor, name, answer, args, fate } of after.isCrash ? [] : after.deeds) {
        const { act } = after.reports.find((report) => report.actor === actor) ?? {}
        if (act?.isStranger !== true || name !== 'delete' || answer !== true || fate !== 'done') continue
        const isTold = events.some((event) => event.type === 'replay' && event.handle === handleIn(args))
        if (!isTold) yield `${actor} ended ${nameOf(after, handleIn(args))} in silence`
      }
    },
  },
  {
    name: 'what waits for the end of a session is told of the end, and of no other',
    *broken(view) {
      const { reports, contents, deeds, played, isCrash } = view.after
      for (const report of reports) {
        const { act, actor, reply, cookie } = report
        const { signal, me, meAfter } = reply ?? {}
        const own = view.idOf(String(act.changesId === true ? reply?.cookie : cookie))
        const wasThere = act.changesId === true || (me !== undefined && isOpen(me))
        if (isCrash || signal === undefined || own === undefined || !wasThere || !isDone(report)) continue
        const record = contents.records.get(own.handle)
        const isOver = record?.epoch !== own.epoch || record.userId !== meAfter?.userId
        const isHeld = record !== undefined && record.heldBack !== null
        const isSure =
          deeds.every(({ fate }) => fate === 'done') && played.passwordAt === Infinity && view.elapsed === 0
        if (signal.aborted && view.others(report).every(isQuiet)) yield `${actor} was told of an end`
        if (!signal.aborted && isSure && isOver && !isHeld) yield `${actor} was told of no end`
        const { code } = (signal.reason ?? {}) as { readonly code?: string }
        if (signal.aborted && code !== 'SESSION_CLOSED') yield `${actor} was told of no reason`
      }
    },
  },
  {
    name: '6: revokeUser finds every session that can still enter',
    async *broken(view) {
      for (const [place, { userId, pendingId }] of (await view.afterRevocation()).entries()) {
        const user = userId ?? pendingId
        if (user !== null) yield `a cookie ${from(view.issued[place]?.by)} opens a session of ${user} after it`
      }
    },
  },
  {
    name: 'the list of the sessions of a user lacks none that lives',
    *broken(view) {
      const { after, elapsed } = view
      if (after.isCrash) return
      // The cutoff of `revokeAll` ends records that the store still holds.
      const opens = (handle: string): boolean =>
        view.issued.some(({ value }) => handleOf(value) === handle && isOpen(view.found(value)))
      for (const record of after.contents.records.values()) {
        const { handles, now } = after.played.prepared
        if (!handles.has(record.handle) && after.reports.some(({ act }) => hasOwnSession(act))) continue
        const isOver = record.idleDeadline <= now + elapsed
        if (record.heldBack !== null || isOver || (after.contents.cutoff > 0 && !opens(record.handle))) continue
        for (const { name } of placesOf(record)) {
          if (after.contents.index.get(name)?.has(record.handle) === true) continue
          yield `${nameOf(after, record.handle)} has no entry under ${name}`
        }
      }
    },
  },
  {
    name: 'a session that nobody ended stays',
    *broken(view) {
      const { reports, played } = view.after
      const isOver = ({ act }: Report): boolean => (act.ends ?? 'own') !== 'own' || act.evicts === true
      if (reports.some(isOver) || played.prepared.options.maxSessions !== undefined || view.elapsed > 0) return
      if (played.passwordAt !== Infinity) return
      for (const { value, by } of view.issued) {
        const name = played.prepared.handles.get(handleOf(value))
        if (by !== undefined || name === undefined || ['alice1', 'half'].includes(name) || value === '') continue
        if (reports.some(({ act, cookie }) => act.device === undefined && handleOf(cookie) === handleOf(value))) {
          continue
        }
        if (!isOpen(view.found(value))) yield `${name} is over`
      }
    },
  },
  {
    name: '9: a login with an id that is far behind ends the session',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor, cookie } = report
        if (act.isOutdated !== true || act.name.startsWith('show') || !isDone(report)) continue
        // After a change of the id the older ones are no alarm, also where the change is taken back.
        if (view.others(report).some((one) => one.act.changesId === true)) continue
        for (const { value, by } of view.issued) {
          if (handleOf(value) !== handleOf(cookie) || !isOpen(view.found(value))) continue
          yield `${actor} logged in; a cookie ${from(by)} opens the session before`
        }
      }
    },
  },
  {
    name: '16: an id that opens nothing ends nothing',
    *broken(view) {
      // A limit may end sessions.
      if (view.after.played.prepared.options.maxSessions !== undefined) return
      for (const report of view.after.reports) {
        const { act, actor, cookie } = report
        const isOut = act.isReplay ?? act.isBare ?? act.isOutdated ?? false
        if (!isOut || mayEnd(report) || isGuest(view.after, String(cookie))) continue
        if (view.others(report).some((one) => mayEnd(one) || one.act.changesId === true)) continue
        const isOpenStill = view.issued.some(
          ({ value, by }) =>
            handleOf(value) === handleOf(cookie) && by !== actor && view.found(value).userId === shownIn(view.after),
        )
        if (!isOpenStill) yield `${actor} ended ${nameOf(view.after, handleOf(cookie))}`
      }
    },
  },
  {
    name: 'who logs out elsewhere stays',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor, cookie, reply } = report
        if (act.ends !== 'others' || !isDone(report) || reply?.me?.userId !== 'alice') continue
        if (view.others(report).some((one) => mayEnd(one) || one.act.changesId === true)) continue
        if (view.found(cookie).userId !== 'alice') yield `${actor} is logged out`
      }
    },
  },
  {
    name: 'a use in time moves the deadline, and the session stays',
    *broken({ after }) {
      let now = after.played.prepared.now
      const late = new Set<string>()
      for (const { name, args, before, answer, actor } of after.deeds) {
        if (name === 'time') now += Number(args[0])
        // A use that reaches the store after the deadline is late, although its request began in time.
        if (before !== undefined && before.idleDeadline <= now) late.add(before.handle)
        const { act } = after.reports.find((report) => report.actor === actor) ?? {}
        if (name !== 'delete' || answer !== true || before === undefined || act?.waits === undefined) continue
        const isInTime = before.idleDeadline > now && !late.has(before.handle)
        if (isInTime) yield `${actor} removed ${nameOf(after, before.handle)}`
      }
    },
  },
]

/** Tells whether an act ends no session, and changes no id and no user. */
function isQuiet({ act }: Report): boolean {
  const { ends, evicts, changesId, logsIn, abandons, device, isMove, isStranger, waits, checks } = act
  return (
    (ends ?? evicts ?? changesId ?? logsIn ?? abandons ?? device ?? isMove ?? isStranger ?? waits ?? checks) ===
    undefined
  )
}

/** Tells whether an act was under way while another one was. */
function isBeside(one: Report, other: Report): boolean {
  return one.startedAt < other.endedAt && other.startedAt < one.endedAt
}

/** Tells whether a name of the index is one of a user: of their sessions, or of those beside. */
function isPlaceOf(user: string, name: unknown): boolean {
  return name === user || name === besideOf(user)
}

function isCreator(reports: readonly Report[], actor: string): boolean {
  return reports.some((report) => report.actor === actor && report.act.logsIn !== undefined)
}
