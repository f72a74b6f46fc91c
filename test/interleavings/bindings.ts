import { bindingIdOf, isBindingShown } from '../../lib/session/device-bound/binding.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { Guarantee } from './view.ts'
import { handleOf } from './world.ts'
import { from, hasOwnSession, isDone, isRestoring, mayEnd } from './reports.ts'

/** Guarantees about device-bound sessions. */
export const BINDINGS: readonly Guarantee[] = [
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
    name: 'a change of the id that is no login keeps a binding that counts',
    *broken({ after }) {
      for (const { actor, name, args, answer, before } of after.deeds) {
        const { act } = after.reports.find((report) => report.actor === actor) ?? {}
        if (name !== 'update' || answer !== true || before === undefined || before.deviceKey === null) continue
        if (act !== undefined && hasOwnSession(act)) continue
        const record = args[0] as SessionRecord
        const isLogin = act?.logsIn !== undefined || act?.isFailure === true || act?.name === 'log in half'
        if (isLogin || isRestoring(record, before) || !isBindingShown(before.deviceKey)) continue
        if (record.deviceKey === null) yield `${actor} took the binding away`
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
    name: 'the browser forgets no binding that counts',
    *broken(view) {
      const { reports, contents, played } = view.after
      for (const report of reports) {
        const { actor, act, reply, cookie } = report
        if (act.device !== 'refresh' || reply?.code !== 'ENDED' || view.others(report).some(mayEnd)) continue
        const { deviceKey = null } = contents.records.get(handleOf(cookie)) ?? {}
        const { bound } = played.prepared
        const isTheirs = deviceKey !== null && bindingIdOf(deviceKey) === bound?.grant.bindingId
        if (isTheirs) yield `${actor} is told to forget the binding of its session`
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
]

function isSameKey(one: string, other: string): boolean {
  return bindingIdOf(one) === bindingIdOf(other)
}
