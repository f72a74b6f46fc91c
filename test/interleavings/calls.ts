import type { SessionInfo, SessionRecord } from '../../types/index.ts'
import type { Deed } from './stepped-store.ts'
import type { AllSessions } from './other-acts.ts'
import type { Report } from './world.ts'
import type { Guarantee } from './view.ts'
import { handleOf, nameOf } from './world.ts'
import { HOME } from './server.ts'
import { isDone, isIdle, mayEnd } from './reports.ts'

/** Guarantees about what the calls of an app do, and what they tell. */
export const CALLS: readonly Guarantee[] = [
  {
    name: 'a request sees what it did',
    *broken(view) {
      for (const report of view.after.reports) {
        const { act, actor, reply } = report
        const { meAfter } = reply ?? {}
        if (meAfter === undefined || !isDone(report)) continue
        const { userId, isFresh, data, name } = meAfter
        const wanted = act.shows ?? act.logsIn
        const isVain = act.isMove ?? act.isHalfDone ?? act.name.startsWith('stop')
        if (wanted !== undefined && !isVain && userId !== wanted) yield `${actor} was ${userId} after it was ${wanted}`
        const isLogin = act.logsIn !== undefined && userId !== null && !isVain
        if (isLogin && !isFresh) yield `the login of ${actor} was not recent`
        if (act.shows !== undefined && isFresh) yield `what ${actor} did was a recent login`
        const isLogout = /^(log out|destroy)/.test(act.name) && act.ends === 'own' && act.logsIn === undefined
        if (isLogout && userId !== null) yield `${actor} was ${userId} after the end`
        if (act.logsIn !== undefined && '_csrf' in data) yield `${actor} had the token from before the login`
        if (act.names !== undefined && name !== act.names) yield `${actor} saw the name ${name}`
        const isDropped = view.after.played.events.some(({ type }) => type === 'dropped-write')
        // Such a request may learn that the session is over.
        const isOther = (act.logsIn ?? act.changesId ?? act.ends ?? act.shows ?? act.names) !== undefined
        if (isOther || isDropped || /reload|after the response/.test(act.name)) continue
        const { me } = report.reply ?? {}
        if (me === undefined) continue
        if (me.userId !== userId) yield `${actor} was ${me.userId} before it did anything, and ${userId} afterwards`
        if (act.writes !== undefined && !(act.writes in data)) yield `${actor} does not see what it wrote`
      }
    },
  },
  {
    name: 'the user of a session is the one that the last call gave',
    *broken(view) {
      const isGiver = ({ act: { name, logsIn, renames } }: Report): boolean =>
        logsIn !== undefined || renames !== undefined || /user|log in/.test(name)
      for (const report of view.after.reports) {
        const { act, actor, reply } = report
        if (act.names === undefined || !isDone(report) || typeof reply?.cookie !== 'string') continue
        if (view.after.played.prepared.checks !== undefined || view.others(report).some(isGiver)) continue
        const { userId, name } = view.found(reply.cookie)
        if (userId !== null && name !== act.names) yield `the session of ${actor} shows the name ${name}`
      }
    },
  },
  {
    name: 'a request that reads the session again sees what the store has',
    *broken({ after }) {
      for (const { actor, act, reply } of after.reports) {
        if (after.played.scene.kind === 'cached' || act.name !== 'reload') continue
        if (reply?.status !== 200 || reply.me === undefined || reply.meAfter === undefined) continue
        const reads = after.deeds.filter((deed) => deed.actor === actor && deed.name === 'get' && deed.fate === 'done')
        const record = reads[1]?.answer as SessionRecord | undefined
        if (reply.me.userId === null && Object.keys(reply.me.data).length === 0) continue
        if (reads.length < 2) yield `${actor} asked nobody`
        else if (reply.meAfter.userId !== null && record?.data !== JSON.stringify(reply.meAfter.data)) {
          yield `${actor} saw ${JSON.stringify(reply.meAfter.data)}, and the store had ${record?.data}`
        }
      }
    },
  },
  {
    name: 'what a call was to do is done when it is answered',
    *broken({ after }) {
      for (const report of after.reports) {
        const { act, actor, endedAt } = report
        // The records that a cutoff ends are removed behind it.
        const isHeld = after.deeds.some(({ fate }) => fate !== 'done')
        if (after.isCrash || isHeld || !isDone(report) || act.name.startsWith('revoke all')) continue
        const late = after.deeds.slice(endedAt).find((deed) => deed.actor === actor && !isRead(deed.name))
        if (late !== undefined) yield `${actor} went on with ${late.name}`
      }
    },
  },
  {
    name: 'a call of the app reaches the session that it names',
    *broken(view) {
      const { isCrash, played } = view.after
      for (const report of view.after.reports) {
        const { act, actor, isVain, reply } = report
        const isNamed = ['rename', 'update from outside', 'count from outside', 'revoke the session'].includes(act.name)
        const isAlices = played.scene.kind !== 'guest' && played.passwordAt === Infinity
        const isMoved = ({ act: { waits } }: Report): boolean => waits !== undefined
        if (!isNamed || !isAlices || isCrash || reply?.status !== 200) continue
        if (!view.others(report).every((one) => isIdle(one) && !isMoved(one))) continue
        if (isVain) yield `${actor} reached nothing`
      }
    },
  },
  {
    name: 'a call for another user changes nothing',
    *broken({ after }) {
      for (const { actor, act, isVain } of after.reports) {
        if (act.isForOther !== true) continue
        for (const deed of after.deeds) {
          const { before, name, answer } = deed
          if (deed.actor !== actor || answer !== true || !['update', 'delete'].includes(name)) continue
          const isTheirs = before?.userId === 'bob' || before?.pending?.userId === 'bob'
          // Whoever finds a record that a failed login has locked gives the session back.
          if (before === undefined || isTheirs || before.heldBack !== null) continue
          const told = isVain ? ', and told of nothing' : ''
          yield `${actor} changed ${nameOf(after, before.handle)} of ${before.userId} by ${name}${told}`
        }
      }
    },
  },
  {
    name: '9: a response that can carry no new id makes none, and what is no use moves no deadline',
    *broken({ after }) {
      for (const { actor, act, reply } of after.reports) {
        if (act.carriesNothing !== true) continue
        if (typeof reply?.cookie === 'string') yield `${actor} got a new id`
        const isUse = act.name !== 'read without using'
        const isMoved = ({ actor: by, name, args, before, answer }: Deed): boolean =>
          by === actor &&
          answer === true &&
          (name === 'touch' || (name === 'update' && (args[0] as SessionRecord).lastSeenAt !== before?.lastSeenAt))
        if (!isUse && after.deeds.some(isMoved)) yield `${actor} moved the deadline`
      }
    },
  },
  {
    name: 'an id that is old enough is renewed',
    *broken(view) {
      const { reports, isCrash, contents } = view.after
      const aged = reports.filter(({ act }) => act.isAged === true && act.carriesNothing !== true)
      const isFirst = ({ act }: Report): boolean => act.shown === undefined && (act.device ?? 'refresh') === 'refresh'
      if (isCrash || view.hasFault || contents.cutoff > 0 || aged.length === 0 || !reports.every(isIdle)) return
      if (!aged.every((one) => isFirst(one) && isDone(one))) return
      if (!aged.some(({ reply }) => typeof reply?.cookie === 'string')) yield 'nobody got a new id'
    },
  },
  {
    name: 'the deadlines that an app is told of are those of the session',
    *broken(view) {
      const { isCrash, contents, deeds } = view.after
      for (const report of view.after.reports) {
        const { act, actor, reply, cookie } = report
        const { meAfter } = reply ?? {}
        const own = typeof reply?.cookie === 'string' ? reply.cookie : cookie
        const record = contents.records.get(handleOf(own))
        const isAlone = view
          .others(report)
          .every(
            (one) =>
              isIdle(one) && (one.act.waits ?? one.act.setBackBy ?? one.act.device) === undefined && !one.act.isOutside,
          )
        if (isCrash || deeds.some(({ fate }) => fate !== 'done') || !isDone(report) || !isAlone) continue
        if (act.setBackBy !== undefined || record?.heldBack !== null || meAfter === undefined) continue
        // Who has nothing is told of nothing.
        if (meAfter.endsAt === null && meAfter.userId === null) continue
        const { idle, absolute } = meAfter.endsAt ?? { idle: 0, absolute: 0 }
        // A write may move the deadline by less than a touch, which saves writes.
        const rest = record.idleDeadline - idle
        const isMoved = deeds.some((deed) => deed.actor !== actor && (deed.name === 'touch' || deed.name === 'update'))
        const isTold = rest >= 0 && (rest < 90_000 || isMoved) && absolute === record.absoluteDeadline
        const stored = `${record.idleDeadline} and ${record.absoluteDeadline}`
        if (!isTold) yield `${actor} was told of ${idle} and ${absolute}, not ${stored}`
      }
    },
  },
  {
    name: 'a look at all sessions shows each that nobody ends, as it is',
    *broken(view) {
      const { reports, played } = view.after
      for (const report of reports) {
        const { act, actor } = report
        if (act.name !== 'look at all sessions' || !isDone(report) || !view.others(report).every(isIdle)) continue
        if (view.others(report).some((one) => mayEnd(one) || one.act.isHalfDone)) continue
        const { all, one, own } = report.result as AllSessions
        const isGuest = played.scene.kind === 'guest'
        for (const facts of [...all, ...own]) {
          const name = played.prepared.handles.get(facts.handle) ?? 'one that nobody has'
          const wanted = name.startsWith('alice') ? 'alice' : null
          if (facts.userId !== wanted) yield `${actor} saw ${name} as one of ${facts.userId}`
          const isNamed = view.others(report).some((other) => other.act.name === 'rename')
          if (name === 'alice1' && facts.label !== 'desk' && !isNamed) yield `${actor} saw the label ${facts.label}`
          if (wanted !== null && facts.device?.ip !== HOME) yield `${actor} saw ${facts.device?.ip}`
        }
        for (const [handle, name] of played.prepared.handles) {
          if (handle !== '' && !all.some((facts) => facts.handle === handle)) yield `${actor} did not see ${name}`
        }
        const named = isGuest ? undefined : own.find(({ current }) => current)
        if (
          !isGuest &&
          (named?.handle !== handleOf(report.cookie ?? played.prepared.cookies[0]) ||
            own.filter(({ current }) => current).length !== 1)
        ) {
          yield `${actor} saw another current session`
        }
        if (one?.handle !== handleOf(report.cookie ?? played.prepared.cookies[0])) yield `${actor} did not see the one`
        const isWhole = isGuest || one?.data['start'] === 'alice' || reports.some((other) => other.act.removes)
        if (!isWhole && played.prepared.handles.get(String(one?.handle)) === 'alice1') yield `${actor} saw other data`
      }
    },
  },
  {
    name: 'a list has each session of its user that nobody ends, and those of nobody else',
    *broken(view) {
      const { reports, played } = view.after
      for (const report of reports) {
        if (report.act.name !== 'list the sessions' || !isDone(report)) continue
        const handles = (report.result as readonly SessionInfo[]).map(({ handle }) => handle)
        const seen = new Set(handles.map((handle) => played.prepared.handles.get(handle)))
        const mayHave = view.others(report).some(({ act }) => act.isHalfDone)
        if ((seen.has('guest') || seen.has('half')) && !mayHave) yield `${report.actor} saw a session of nobody`
        if (view.others(report).some((one) => mayEnd(one) || one.act.changesId === true)) continue
        const isLimited = played.prepared.options.maxSessions !== undefined
        const own = played.scene.kind === 'devices' ? ['alice1', 'alice2'] : ['alice1']
        for (const name of isLimited ? [] : own) if (!seen.has(name)) yield `${report.actor} did not see ${name}`
      }
    },
  },
]

/** Tells whether a step only reads. */
function isRead(name: string): boolean {
  return ['get', 'getMany', 'listIndex', 'listAll', 'recall', 'loadUser', 'load'].includes(name)
}
