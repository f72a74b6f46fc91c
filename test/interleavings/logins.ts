import { hashOf } from '../../lib/session/id.ts'
import type { SessionRecord } from '../../types/index.ts'
import { OWN_USER } from './kinds.ts'
import type { Report } from './world.ts'
import type { Aftermath, Guarantee, View } from './view.ts'
import { isOpen } from './view.ts'
import { handleOf, nameOf } from './world.ts'
import { isDone, isRestoring, mayEnd, userBefore, isGuest, from, shownIn } from './reports.ts'

/** Guarantees about logins and other changes of the id. */
export const LOGINS: readonly Guarantee[] = [
  {
    name: '3, 9: after a change of the id no older id opens the session',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, cookie, reply } = report
        if (act.changesId !== true || !isDone(report) || cookie === undefined || typeof reply?.cookie !== 'string') {
          continue
        }
        const [sent, given] = [view.found(cookie), handleOf(reply.cookie)]
        if (given === handleOf(cookie) && (sent.userId !== null || 'start' in sent.data)) {
          yield `${report.actor} changed the id, and the id before opens the session of ${sent.userId}`
        }
      }
    },
  },
  {
    name: '1: an id that was replaced opens nothing',
    *broken({ after }) {
      for (const { actor, act, reply } of after.reports) {
        if (act.isReplay === true && reply?.me !== undefined && reply.me.userId !== null) yield `${actor} got in`
      }
    },
  },
  {
    name: '9: an id that a renewal replaced opens nothing for another client, and ends the session',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, reply, actor, cookie } = report
        // An id that its owner has just come back with is served to others too, for 30 seconds.
        const isBack = view.others(report).some((one) => one.act.isReplaced === true && one.act.isStranger !== true)
        if (act.isStranger !== true || reply === undefined || isBack || view.stepsUp) continue
        if (reply.me !== undefined && isOpen(reply.me)) yield `${actor} got in`
        // After a change of the id the older ones are no alarm.
        if (view.others(report).some(({ act: { changesId } }) => changesId === true) || reply.status !== 200) continue
        for (const { value, by } of view.issued) {
          if (handleOf(value) === handleOf(cookie) && isOpen(view.found(value))) {
            yield `${actor} ended the session; a cookie ${from(by)} opens it`
          }
        }
      }
    },
  },
  {
    name: '9: where a copied session goes on, its login counts as recent no more',
    *broken(view) {
      if (!view.stepsUp || view.hasFault) return
      for (const report of view.after.reports) {
        const { act, reply, actor, cookie } = report
        const isChange = (one: Report): boolean =>
          mayEnd(one) || one.act.changesId === true || one.act.isReplaced === true
        if (act.isStranger !== true || !isDone(report) || view.others(report).some(isChange)) continue
        const wanted = isGuest(view.after, String(cookie)) ? null : 'alice'
        if (reply?.me?.userId !== wanted) yield `${actor} was ${reply?.me?.userId}`
        for (const { value, by } of [{ value: String(cookie), by: actor }, ...view.issued]) {
          const found = view.found(value)
          if (handleOf(value) === handleOf(cookie) && found.isFresh) yield `the login of a cookie ${from(by)} is recent`
        }
        if (reply?.me?.isFresh) yield `the login of ${actor} is recent`
      }
    },
  },
  {
    name: '3, 4: a login that was reported stands',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, reply, actor } = report
        if (act.changesId !== true && act.logsIn === undefined) continue
        const others = view.others(report)
        // Whoever logs in after `revokeAll` stays.
        const isSpared = isAfterCutoff(view.after, report)
        const isEnded = others.some((other) => mayEnd(other) && !isHarmless(other, isSpared, report))
        if (!isDone(report) || typeof reply?.cookie !== 'string' || isEnded) continue
        // A failed login gives its place back. Another login that took the same place meanwhile ends with it.
        if (others.some((other) => isGivingUp(other) && sharesSession(other, report))) {
          continue
        }
        // Logins at once that exceed the limit may end each other.
        if (
          view.evicts &&
          others.some(({ act: { logsIn, changesId } }) => logsIn !== undefined || changesId === true)
        ) {
          continue
        }
        if (view.others(report).some((other) => mayChangeId(other) && other.cookie === undefined)) continue
        const wanted = act.shows ?? act.logsIn ?? reply.me?.userId ?? null
        const found = view.found(reply.cookie)
        const isMeant = act.name === 'complete a half login' && reply.me?.userId === null
        // Another user may have logged in to the session that moved.
        const isOvertaken = act.isMove === true && found.userId === null && others.some((one) => one.act.isMove)
        if (isOvertaken) continue
        if (found.userId !== wanted && !isMeant && act.name !== 'log in half') {
          yield `the cookie of ${actor} opens the session of ${found.userId} (${found.status}), not of ${wanted}`
        }
      }
    },
  },
  {
    name: '5: a half login that was ended, or completed, is not completed once more',
    *broken(view) {
      for (const { act, actor, cookie, reply } of view.after.reports) {
        if (act.name !== 'complete a half login' || !isHalf(view.after, String(cookie))) continue
        if (typeof reply?.cookie !== 'string' || view.found(reply.cookie).userId === null) continue
        if (handleOf(reply.cookie) !== handleOf(cookie)) yield `${actor} began a session with the second step alone`
      }
    },
  },
  {
    name: '4: a login that failed leaves the session as it was, and nobody is locked out',
    *broken(view) {
      const { reports, played } = view.after
      for (const report of reports) {
        const { actor, cookie } = report
        const handle = played.prepared.handles.get(handleOf(cookie))
        const isChanged = reports.some(
          (one) => (mayEnd(one) && !isLeftBy(one, report)) || (mayChangeId(one) && sharesSession(one, report)),
        )
        // A full limit that refuses gives away the place of a session where another user is logging in.
        if (view.refuses && reports.some(({ act }) => act.name.startsWith('log in as another user'))) continue
        // A failed login gives its place back. Another login that took the same place meanwhile ends with it.
        const rivals = reports.filter((one) => one.act.changesId === true && sharesSession(one, report))
        if (rivals.length > 1) continue
        if ((report.act.isStranger ?? report.act.isOutdated ?? report.act.hasOldPassword) === true) continue
        if (cookie === undefined || report.act.isReplay === true || report.act.isBare === true || isChanged) continue
        if (view.after.isCrash && reports.some((one) => one.act.changesId && one.reply === undefined)) continue
        const found = view.found(cookie)
        const before = userBefore(view, report)
        if (found.userId !== before) {
          yield `the cookie that ${actor} sent opens ${found.userId} (${found.status}), not ${before}`
        }
        const isRemoved = reports.some(({ act }) => act.removes === 'start')
        const hasData = !isHalf(view.after, cookie) && played.scene.kind !== 'acting' && handle !== 'alice2'
        if (hasData && !('start' in found.data) && !isRemoved) {
          yield `${actor} lost the data`
        }
      }
    },
  },
  {
    name: '4: a failed response hands out no login',
    *broken(view) {
      for (const { act, actor, reply } of view.after.reports) {
        if (reply === undefined || reply.status < 500 || typeof reply.cookie !== 'string' || act.isImmediate) continue
        const found = view.found(reply.cookie)
        if (found.userId !== (reply.me?.userId ?? null) && found.userId !== null) {
          yield `${actor} was answered with ${reply.status}, and its cookie opens ${found.userId}`
        }
      }
    },
  },
  {
    name: '4: no session is left that no client can open',
    *broken({ after, issued }) {
      if (after.isCrash) return
      const known = new Set(issued.map(({ value }) => hashOf(value.slice(23, 66))))
      for (const { handle, userId, heldBack, secretHash, tip, parent } of after.contents.records.values()) {
        const isKnown = known.has(secretHash) || (tip !== null && known.has(tip.secretHash)) || parent !== ''
        const isMoved = after.reports.some(({ act }) => act.isMove)
        const isAnybodys = userId !== null && userId !== OWN_USER
        if (isAnybodys && heldBack === null && !isKnown && !isMoved) yield `${nameOf(after, handle)} of ${userId}`
      }
    },
  },
  {
    name: 'a change of the id keeps only what it is to keep',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor, reply } = report
        const { keeps } = act
        if (keeps === undefined || !isDone(report) || typeof reply?.cookie !== 'string') continue
        const { data } = view.found(reply.cookie)
        const kept = Object.keys(data).filter((key) => key !== 'outside' && key !== 'count' && !keeps.includes(key))
        if (kept.length > 0) yield `${actor} kept ${kept.join()}`
      }
    },
  },
  {
    name: '4: a change of the id that was reported brings a cookie',
    *broken({ after }) {
      for (const report of after.reports) {
        const { act, actor, reply } = report
        const isChange = act.changesId === true || act.logsIn !== undefined
        // A half login that is over is not completed, and nobody stops to act who does not.
        const isVain = act.isMove ?? act.isHalfDone ?? act.name.startsWith('stop')
        const isAnybody = act.logsIn !== undefined || typeof reply?.me?.userId === 'string'
        if (!isChange || !isAnybody || isVain || !isDone(report) || typeof reply?.cookie === 'string') continue
        yield `${actor} was answered with 200, and has no new id`
      }
    },
  },
  {
    name: 'the methods of a login are those that it named, after those of its half login or of the login it confirms',
    *broken(view) {
      const { after } = view
      for (const { actor, name, args, answer, before } of after.deeds) {
        const { act, cookie } = after.reports.find((report) => report.actor === actor) ?? {}
        const confirms = act?.name.startsWith('confirm the login') ? before?.userId : undefined
        const user = act?.logsIn ?? confirms
        if (typeof user !== 'string' || answer !== true || (name !== 'create' && name !== 'update')) continue
        const { epoch, userId, methods = [], acting } = args[0] as SessionRecord
        const isLogin = userId === user && (acting ?? null) === null && epoch > (before?.epoch ?? 0)
        if (!isLogin || (before !== undefined && isRestoring(args[0] as SessionRecord, before))) continue
        const isFirst =
          before?.pending?.userId === userId || (typeof confirms === 'string' && before?.isForked === false)
        const first = isFirst ? (before?.pending ?? before)?.methods : undefined
        const used = new Set([...(first ?? []).map((method): string => method.name), ...(act?.methods ?? [])])
        const wanted = [...used].toSorted().join()
        const names = (methods ?? []).map((method) => method.name).toSorted()
        // Whoever shows an id beside a newer one confirms no ways to log in but their own.
        const isBeside = typeof confirms === 'string' && before !== undefined && view.isReplaced(cookie, before)
        if (isBeside && names.join() === (act?.methods ?? []).toSorted().join()) continue
        if (names.join() !== wanted) yield `${actor} logged in by ${names.join() || 'nothing'}`
      }
    },
  },
  {
    name: '3: a token that somebody planted is refused after the login',
    *broken(view) {
      for (const { value, by } of view.issued) {
        const { userId, data } = view.found(value)
        if (userId !== null && '_csrf' in data) yield `a cookie ${from(by)} has the token from before`
      }
    },
  },
  {
    name: 'a login that was reported counts as recent',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, reply, actor } = report
        const isLogin = act.logsIn !== undefined || act.name === 'confirm the login'
        if (!isLogin || act.isMove === true || !isDone(report) || typeof reply?.cookie !== 'string') continue
        const { userId, isFresh } = view.found(reply.cookie)
        if (userId !== null && !isFresh) yield `the login of ${actor} does not`
      }
    },
  },
  {
    name: 'a login offers the browser to bind the session, and a renewal does not',
    *broken({ after }) {
      for (const report of after.reports) {
        const { act, actor, reply } = report
        if (!isDone(report) || typeof reply?.cookie !== 'string' || reply.meAfter?.userId !== act.logsIn) continue
        // Only browsers with cookies bind sessions.
        if (after.played.scene.kind === 'header') continue
        const isRenewal = act.name === 'renew' || act.name === 'regenerate'
        if (act.logsIn !== undefined && act.isMove !== true && !reply.isOffered) yield `${actor} was offered nothing`
        if (isRenewal && reply.isOffered) yield `${actor} was offered to bind the session`
      }
    },
  },
  {
    name: 'whoever begins or stops to act as another user proves nothing',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, reply, actor } = report
        if (act.shows === undefined || !isDone(report) || typeof reply?.cookie !== 'string') continue
        const isNew = view.others(report).some((one) => one.act.logsIn !== undefined || one.act.changesId === true)
        if (!isNew && view.found(reply.cookie).isFresh) yield `what ${actor} did counts as recent`
      }
    },
  },
  {
    name: '4: what the app changes beside a change of the id stays',
    *broken(view) {
      for (const report of view.after.reports) {
        if (report.act.name !== 'rename' || !isDone(report) || isGuest(view.after, String(report.cookie))) continue
        if (view.others(report).some((one) => mayEnd(one) || (mayChangeId(one) && !keepsLabel(view, one)))) continue
        const record = view.after.contents.records.get(handleOf(report.cookie))
        if (record === undefined) continue
        const { label } = record.heldBack === null ? record : (JSON.parse(record.heldBack) as SessionRecord)
        if (label !== 'phone') yield `${report.actor} named ${nameOf(view.after, handleOf(report.cookie))} in vain`
      }
    },
  },
]

const mayChangeId = (report: Report): boolean =>
  report.act.changesId === true && report.startedAt !== Infinity && (report.reply === undefined || isKept(report))

/** Tells whether a change of the id stands: its response tells so, or a save came before it failed. */
const isKept = (report: Report): boolean =>
  isDone(report) || (report.act.isImmediate === true && typeof report.reply?.cookie === 'string')

/** Tells whether a change of the id leaves the label of the session as it is. */
const keepsLabel = ({ after }: View, { act: { name, logsIn } }: Report): boolean =>
  ['regenerate', 'confirm the login', 'log in', 'log in, keeping nothing'].includes(name) &&
  (logsIn ?? shownIn(after)) === shownIn(after)

function isHalf({ played }: Aftermath, cookie: string): boolean {
  return played.prepared.handles.get(handleOf(cookie)) === 'half'
}

/** Tells whether a login gives its place back. */
function isGivingUp(report: Report): boolean {
  return report.act.abandons === true || (report.act.changesId === true && !isDone(report))
}

function sharesSession(one: Report, other: Report): boolean {
  return one === other || handleOf(one.cookie) === handleOf(other.cookie)
}

/** Tells whether an act ends no login that was written before it got there. */
function isHarmless({ act: { name, isReplaced, waits, ends } }: Report, isSpared: boolean, { act }: Report): boolean {
  // Whoever proves who they are has logged in now.
  const isProof = act.logsIn !== undefined || act.name.includes('confirm')
  const isOlder = name === 'revoke all that are older' && isProof
  return isReplaced === true || waits !== undefined || isOlder || (isSpared && ends === 'everybody')
}

/** Tells whether an act of the app ends all sessions but that of a report. */
function isLeftBy(one: Report, report: Report): boolean {
  return one.act.isOutside === true && one.act.ends === 'others' && sharesSession(one, report)
}

/** Tells whether an act wrote a record that the cutoff of `revokeAll` does not reach. */
function isAfterCutoff({ deeds, contents: { cutoff } }: Aftermath, { actor }: Report): boolean {
  return deeds.some(
    ({ actor: by, answer, args: [record] }) =>
      by === actor && answer === true && cutoff > 0 && (record as Partial<SessionRecord>).sparedAt === cutoff,
  )
}
