import { hashOf } from '../../lib/session/id.ts'
import { bindingIdOf, isBindingShown } from '../../lib/session/device-bound/binding.ts'
import { placesOf } from '../../lib/session/places.ts'
import type { SessionRecord } from '../../types/index.ts'
import { LATER } from './later.ts'
import { handleIn } from './stepped-store.ts'
import type { Aftermath, Guarantee } from './view.ts'
import { isOpen, View } from './view.ts'
import type { Report } from './world.ts'
import { WRITES } from './writes.ts'
import { aside, handleOf, nameOf, RENAMED } from './world.ts'

const isDone = ({ reply, isVain }: Report): boolean => reply?.status === 200 && !isVain
/** Tells whether an act may have ended or moved sessions, as far as anybody can know. */
const mayEnd = ({ act, reply, startedAt }: Report): boolean =>
  startedAt !== Infinity &&
  ((act.ends ?? act.waits) !== undefined || act.evicts === true) &&
  (reply?.status ?? 200) !== 401
const mayChangeId = (report: Report): boolean =>
  report.act.changesId === true && report.startedAt !== Infinity && (report.reply === undefined || isDone(report))
/** Tells whether a change of the id leaves the label of the session as it is. */
const keepsLabel = ({ act: { name, logsIn } }: Report): boolean =>
  ['regenerate', 'confirm the login', 'log in', 'log in, keeping nothing'].includes(name) && logsIn !== 'bob'
const userBefore = ({ after }: View, { act, cookie }: Report): string | null =>
  act.isReplay === true ||
  act.isStranger === true ||
  act.isBare === true ||
  cookie === undefined ||
  isGuest(after, cookie)
    ? null
    : 'alice'

function isGuest({ played: { prepared } }: Aftermath, cookie: string): boolean {
  return ['guest', 'half'].includes(prepared.handles.get(handleOf(cookie)) ?? '')
}

const GUARANTEES: readonly Guarantee[] = [
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
        if (act.isStranger !== true || reply === undefined || isBack) continue
        if (reply.me !== undefined && isOpen({ ...reply.me, status: 200 })) yield `${actor} got in`
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
    name: '3, 4: a login that was reported stands',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, reply, actor } = report
        if (act.changesId !== true && act.logsIn === undefined) continue
        const others = view.others(report)
        // Whoever logs in after `revokeAll` stays.
        const isSpared = isAfterCutoff(view.after, report)
        const isEnded = others.some((other) => mayEnd(other) && !isHarmless(other, isSpared))
        if (!isDone(report) || typeof reply?.cookie !== 'string' || isEnded) continue
        // A failed login gives its place back. Another login that took the same place meanwhile ends with it.
        if (others.some((other) => other.act.changesId === true && !isDone(other) && sharesSession(other, report))) {
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
        const wanted = act.logsIn ?? reply.me?.userId ?? null
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
    name: '4: a login that failed leaves the session as it was, and nobody is locked out',
    *broken(view) {
      const { reports } = view.after
      for (const report of reports) {
        const { actor, cookie } = report
        const isChanged = reports.some(
          (one) => (mayEnd(one) && !isLeftBy(one, report)) || (mayChangeId(one) && sharesSession(one, report)),
        )
        // A full limit that refuses gives away the place of a session where another user is logging in.
        if (view.refuses && reports.some(({ act }) => act.name.startsWith('log in as another user'))) continue
        // A failed login gives its place back. Another login that took the same place meanwhile ends with it.
        const rivals = reports.filter((one) => one.act.changesId === true && sharesSession(one, report))
        if (rivals.length > 1) continue
        if (report.act.isStranger === true) continue
        if (cookie === undefined || report.act.isReplay === true || report.act.isBare === true || isChanged) continue
        if (view.after.isCrash && reports.some((one) => one.act.changesId && one.reply === undefined)) continue
        const found = view.found(cookie)
        const before = userBefore(view, report)
        if (found.userId !== before) {
          yield `the cookie that ${actor} sent opens ${found.userId} (${found.status}), not ${before}`
        }
        const isRemoved = reports.some(({ act }) => act.removes === 'start')
        if (before === null && !('start' in found.data) && !isHalf(view.after, cookie) && !isRemoved) {
          yield `${actor} lost the data`
        }
      }
    },
  },
  {
    name: '4: a failed response hands out no login',
    *broken(view) {
      for (const { actor, reply } of view.after.reports) {
        if (reply === undefined || reply.status < 500 || typeof reply.cookie !== 'string') continue
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
        if (userId !== null && heldBack === null && !isKnown && !isMoved) yield `${nameOf(after, handle)} of ${userId}`
      }
    },
  },
  {
    name: '5: a session that was logged out opens for no id, old or new',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, cookie, reply, actor } = report
        if (act.ends !== 'own' || act.isStranger === true || !isDone(report) || cookie === undefined) continue
        const user = act.isOutside === true ? 'alice' : (reply?.me?.userId ?? null)
        if (user === null) continue
        for (const { value, by } of view.issued) {
          if (handleOf(value) !== handleOf(cookie)) continue
          if (view.found(value).userId === user) {
            yield `${actor} ended the session; a cookie ${from(by)} opens it for ${user}`
          }
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
        const beginsAt = deeds.findIndex((one) => one.actor === actor && !['start', 'begin'].includes(one.name))
        for (const { value, by } of view.issued) {
          if (act.ends === 'others' && handleOf(value) === handleOf(cookie)) continue
          // Of two that run at once, each leaves the session that the other one spares.
          const isSparing = (one: Report): boolean => one.act.name === 'revoke all but the session'
          if (act.name.startsWith('revoke all') && view.others(report).some(isSparing)) continue
          const entered = deeds.findIndex(
            (one) => one.actor === by && one.name === 'addToIndex' && one.args[0] === 'alice',
          )
          const isSpared = act.name.startsWith('revoke all') && by !== undefined
          const isLater =
            isSpared || (by !== undefined && (entered === -1 ? isCreator(reports, by) : entered > beginsAt))
          if (!isLater && view.found(value).userId === 'alice') {
            yield `${actor} revoked; a cookie ${from(by)} opens a session`
          }
        }
      }
    },
  },
  {
    name: '6: revokeUser finds every session that can still enter',
    async *broken(view) {
      for (const [place, { userId }] of (await view.afterRevocation()).entries()) {
        if (userId !== null) yield `a cookie ${from(view.issued[place]?.by)} opens a session of ${userId} after it`
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
        const isOver = record.idleDeadline <= after.played.prepared.now + elapsed
        if (record.heldBack !== null || isOver || (after.contents.cutoff > 0 && !opens(record.handle))) continue
        for (const { name } of placesOf(record)) {
          if (after.contents.index.get(name)?.has(record.handle) === true) continue
          yield `${nameOf(after, record.handle)} has no entry under ${name}`
        }
      }
    },
  },
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
        const isForeign = (owner: unknown): boolean => owner !== 'anonymous' && owner !== userId
        const keys = Object.keys(data).filter((key) => isForeign(data[key]))
        if (keys.length > 0) yield `a cookie ${from(by)} shows ${keys.join()} to ${userId}`
      }
      for (const { actor, reply } of view.after.reports) {
        const { userId = null, data = {} } = reply?.me ?? {}
        const keys = Object.keys(data).filter((key) => data[key] !== 'anonymous' && data[key] !== userId)
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
        const isWritten = after.deeds.some(
          (one) =>
            one.actor === actor &&
            ((one.answer === true && isRecordWith(one.args[0], act.writes ?? '')) ||
              (one.name === 'get' && isRecordWith(one.answer, act.writes ?? ''))),
        )
        if (!isDropped && !isWritten && isThere) yield `${actor} wrote nothing, and nobody was told`
      }
      yield* losses(after)
    },
  },
  {
    name: 'a session that nobody ended stays',
    *broken(view) {
      const { reports, played } = view.after
      const isOver = ({ act }: Report): boolean => (act.ends ?? 'own') !== 'own' || act.evicts === true
      if (reports.some(isOver) || played.prepared.options.maxSessions !== undefined || view.elapsed > 0) return
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
      for (const { name, args, before, answer, actor } of after.deeds) {
        if (name === 'time') now += Number(args[0])
        const { act } = after.reports.find((report) => report.actor === actor) ?? {}
        if (name !== 'delete' || answer !== true || before === undefined || act?.waits === undefined) continue
        if (before.idleDeadline > now) yield `${actor} removed ${nameOf({ played: after.played }, before.handle)}`
      }
    },
  },
  {
    name: 'a change of the id that keeps nothing keeps nothing',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor, reply } = report
        const isBare = act.name === 'log in, keeping nothing' || act.name === 'regenerate'
        if (!isBare || !isDone(report) || typeof reply?.cookie !== 'string') continue
        const kept = Object.keys(view.found(reply.cookie).data).filter((key) => key !== 'outside')
        if (kept.length > 0) yield `${actor} kept ${kept.join()}`
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
    name: '11: nobody is shown as they were, once they had to be asked for',
    *broken(view) {
      if (view.after.played.prepared.checks !== 'due') return
      // These give the session a user of their own.
      const isGiver = ({ act: { name } }: Report): boolean => /log in|login|update the user/.test(name)
      for (const report of view.after.reports) {
        const { me } = report.reply ?? {}
        if (me?.userId !== 'alice' || view.others(report).some(isGiver)) continue
        if (me.name !== RENAMED) yield `${report.actor} was shown the name ${me.name}`
      }
    },
  },
  {
    name: 'a user who was replaced everywhere is new in each session',
    *broken(view) {
      if (view.after.played.prepared.checks === 'due') return
      for (const report of view.after.reports) {
        const { act, actor } = report
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
    name: '4: what the app changes beside a change of the id stays',
    *broken(view) {
      for (const report of view.after.reports) {
        if (report.act.name !== 'rename' || !isDone(report) || isGuest(view.after, String(report.cookie))) continue
        if (view.others(report).some((one) => mayEnd(one) || (mayChangeId(one) && !keepsLabel(one)))) continue
        const record = view.after.contents.records.get(handleOf(report.cookie))
        if (record === undefined) continue
        const { label } = record.heldBack === null ? record : (JSON.parse(record.heldBack) as SessionRecord)
        if (label !== 'phone') yield `${report.actor} named ${nameOf(view.after, handleOf(report.cookie))} in vain`
      }
    },
  },
  {
    name: '8: a stored deadline is never later than the true one',
    *broken({ after }) {
      const now = after.played.prepared.now
      for (const {
        handle,
        idleDeadline,
        absoluteDeadline,
        createdAt,
        authenticatedAt,
        lastSeenAt,
      } of after.contents.records.values()) {
        const isMark = absoluteDeadline - now > 365 * 86_400_000
        if (isMark) continue
        if (idleDeadline > Math.max(lastSeenAt, now) + 1_800_000) yield `${nameOf(after, handle)} may be idle too long`
        const begun = Math.max(authenticatedAt ?? 0, createdAt)
        if (absoluteDeadline > begun + 43_200_000) yield `${nameOf(after, handle)} lives too long`
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
        const isTold =
          status === 200 || isFull || (act.codes ?? []).includes(code) || (act.isFailure === true && status >= 500)
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
        if (startedAt > after.played.passwordAt + 1 && reply.me.userId === 'alice') yield `${actor} was alice`
      }
    },
  },
  {
    name: 'a proof of another key, or one that has counted, brings nothing',
    *broken({ after }) {
      for (const { actor, act, reply } of after.reports) {
        const isThief = act.device === 'other key' || act.device === 'old proof'
        if (isThief && (reply?.grant !== undefined || typeof reply?.cookie === 'string')) yield `${actor} got a cookie`
      }
    },
  },
  {
    name: 'a proof that brought a cookie does not bring another',
    async *broken(view) {
      for (const report of view.after.reports) {
        if (report.act.device === undefined || report.reply?.grant === undefined) continue
        if (await view.refreshesAgain(report)) yield `what ${report.actor} sent brings a cookie twice`
      }
    },
  },
  {
    name: 'a bound cookie that was given out is one of a record that was written',
    *broken({ after }) {
      for (const { actor, act, reply } of after.reports) {
        if (act.device === undefined || reply?.grant === undefined) continue
        const isWritten = after.deeds.some(
          ({ actor: by, name, answer, args }) =>
            by === actor &&
            name === 'update' &&
            answer === true &&
            bindingIdOf((args[0] as SessionRecord).deviceKey ?? '') === reply.grant?.bindingId,
        )
        if (!isWritten) yield `${actor} got a bound cookie, and wrote nothing`
      }
    },
  },
  {
    name: 'a record that is bound for one login accepts a key and proofs of that login alone',
    *broken({ after }) {
      for (const { actor, name, args, answer, before } of after.deeds) {
        const { act } = after.reports.find((report) => report.actor === actor) ?? {}
        if (act?.device === undefined || name !== 'update' || answer !== true || before === undefined) continue
        if (isRestoring(args[0] as SessionRecord, before)) continue
        const { userId, epoch, deviceKey } = args[0] as SessionRecord
        const first = after.played.prepared.contents.records.get(before.handle)
        const isOther = userId !== 'alice' || epoch !== first?.epoch || deviceKey === null
        if (isOther) yield `${actor} wrote into epoch ${epoch} of ${userId}`
        const isBound = before.deviceKey !== null
        if (
          act.device === 'bind' ? isBound : deviceKey && before.deviceKey && !isSameKey(deviceKey, before.deviceKey)
        ) {
          yield `${actor} replaced the key of the session`
        }
      }
    },
  },
  {
    name: 'a login ends the binding of the login before, and no refresh brings it back',
    *broken(view) {
      const { records } = view.after.contents
      for (const report of view.after.reports) {
        const { actor, act, reply, cookie } = report
        const isLogin = act.logsIn !== undefined || act.name === 'log in half'
        if (!isLogin || !isDone(report) || typeof reply?.cookie !== 'string') continue
        if (handleOf(reply.cookie) !== handleOf(cookie)) continue
        const { deviceKey = null } = records.get(handleOf(cookie)) ?? {}
        const isNew = view.others(report).some((one) => one.act.device === 'bind')
        if (deviceKey !== null && !isNew) yield `${actor} logged in, and the session is bound as before`
      }
    },
  },
  {
    name: 'a bound session opens with the bound cookie alone',
    async *broken(view) {
      for (const { actor, act, reply } of view.after.reports) {
        const isIn = typeof reply?.me?.userId === 'string'
        if (act.isBare === true && isIn) yield `${actor} got in without the bound cookie`
      }
      for (const { handle, deviceKey, epoch } of view.after.contents.records.values()) {
        if (deviceKey === null || !isBindingShown(deviceKey)) continue
        for (const { value, by } of view.issued) {
          if (handleOf(value) !== handle) continue
          const user = await view.alone(value)
          if (user !== null) yield `a cookie ${from(by)} opens epoch ${epoch} of ${user} without the bound cookie`
        }
      }
    },
  },
  {
    name: 'a refresh ends no honest session, and brings cookies that open it',
    *broken(view) {
      for (const report of view.after.reports) {
        const { actor, act, reply, cookie } = report
        if (act.device !== 'refresh' || reply === undefined) continue
        if (view.after.played.events.some(({ type }) => type === 'replay')) yield 'a session ended as a copied one'
        const isChanged = view.others(report).some((one) => mayEnd(one) || one.act.changesId === true)
        if (isChanged || (view.hasFault && reply.status >= 500)) continue
        if (reply.grant === undefined) yield `${actor} was answered with ${reply.status} (${reply.code})`
        const found = view.found(reply.cookie ?? cookie)
        if (found.userId !== 'alice') yield `after the refresh of ${actor} its cookies open ${found.userId}`
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
      const told = JSON.stringify([after.played.events, after.reports.map(({ reply }) => reply?.text)])
      for (const { value, by } of issued) {
        if (value !== '' && told.includes(value.slice(23, 66))) yield `the secret of a cookie ${from(by)}`
      }
    },
  },
  {
    name: 'no user has more sessions than the limit allows',
    *broken(view) {
      const { maxSessions } = view.after.played.prepared.options
      // A session that moves in is not refused, because the user had it before.
      const isMoved = view.after.reports.some(({ act }) => act.isMove)
      if (typeof maxSessions !== 'object' || isMoved) return
      const open = view.issued.filter(({ value }) => view.found(value).userId === 'alice')
      const handles = new Set(open.map(({ value }) => handleOf(value)))
      if (handles.size > Number(maxSessions.limit)) yield `${handles.size} sessions are open`
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
      const open = view.issued
        .filter(({ value }) => view.found(value).userId === 'alice')
        .map(({ value }) => handleOf(value))
      if (new Set(open).size < 2) yield `${login.actor} left ${new Set(open).size} sessions`
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
      const open = new Set<string>()
      for (const { value } of view.issued) {
        if (value !== '' && view.found(value).userId === 'alice') open.add(handleOf(value))
      }
      const free = Number(maxSessions.limit) - open.size
      const code = await view.loginsLater(free)
      if (code !== undefined) yield `${free} places should be free, and a login met ${code}`
    },
  },
]

/** Returns a cookie of the session that was used longest ago. */
function oldestOf({ after: { played } }: View): string | undefined {
  return played.prepared.issued.find(({ value }) => played.prepared.handles.get(handleOf(value)) === 'alice1')?.value
}

function from(by: string | undefined): string {
  return by === undefined ? 'from before' : `of ${by}`
}

function isHalf({ played }: Aftermath, cookie: string): boolean {
  return played.prepared.handles.get(handleOf(cookie)) === 'half'
}

function sharesSession(one: Report, other: Report): boolean {
  return one === other || handleOf(one.cookie) === handleOf(other.cookie)
}

function isCreator(reports: readonly Report[], actor: string): boolean {
  return reports.some((report) => report.actor === actor && report.act.logsIn !== undefined)
}

function isSameKey(one: string, other: string): boolean {
  return bindingIdOf(one) === bindingIdOf(other)
}

function isRecordWith(value: unknown, key: string): boolean {
  return typeof value === 'object' && value !== null && (value as SessionRecord).data.includes(`"${key}"`)
}

/** Tells whether an act ends no login that was written before it got there. */
function isHarmless({ act: { isReplaced, waits, ends } }: Report, isSpared: boolean): boolean {
  return isReplaced === true || waits !== undefined || (isSpared && ends === 'everybody')
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

/** Tells whether a write puts a record back that a failed login had changed. */
function isRestoring({ epoch, heldBack }: SessionRecord, before: SessionRecord | undefined): boolean {
  return heldBack !== null || before?.heldBack !== null || epoch < before.epoch
}

/** Finds versions of a record that lose data of an earlier version without a reason. */
function* losses({ deeds, reports, played }: Aftermath): Generator<string> {
  for (const { name, args, answer, before, actor } of deeds) {
    if (name !== 'update' || answer !== true || before === undefined) continue
    const record = args[0] as SessionRecord
    const { act } = reports.find((report) => report.actor === actor) ?? {}
    const isFree =
      act?.name === 'regenerate' ||
      act?.name === 'log in, keeping nothing' ||
      act?.isFailure === true ||
      act?.removes !== undefined
    const isOther = before.userId !== null && before.userId !== record.userId
    if (isFree || isOther || record.heldBack !== null || before.heldBack !== null || record.epoch < before.epoch) {
      continue
    }
    const lost = Object.keys(JSON.parse(before.data) as object).filter(
      (key) => key !== '_csrf' && !isRecordWith(record, key),
    )
    if (lost.length > 0) yield `${actor} lost ${lost.join()} of ${nameOf({ played }, record.handle)}`
  }
}

/** Returns every guarantee that an aftermath breaks, and how. */
export async function judge(after: Aftermath): Promise<readonly string[]> {
  return aside(async () => {
    const view = new View(after)
    await view.look()
    const problems: string[] = []
    // Sessions that are about to expire are asked nothing later.
    const later = after.reports.some(({ act }) => act.waits !== undefined) ? [] : LATER
    for (const guarantee of [...GUARANTEES, ...WRITES, ...later]) {
      for await (const problem of guarantee.broken(view)) problems.push(`${guarantee.name}: ${problem}`)
    }
    return problems
  })
}
