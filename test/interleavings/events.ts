import type { Act } from './act.ts'
import type { Guarantee } from './view.ts'
import { isDone, isIdle } from './reports.ts'
import { AWAY, HOME } from './server.ts'
import { handleOf } from './world.ts'

/** Guarantees about events. */
export const EVENTS: readonly Guarantee[] = [
  {
    name: 'an event tells of each login, logout and new id',
    *broken({ after }) {
      if (after.isCrash) return
      const { events } = after.played
      for (const report of after.reports) {
        const { act, actor, reply, cookie } = report
        if (!isDone(report) || reply === undefined) continue
        if (typeof reply.cookie === 'string' && typeof reply.meAfter?.userId === 'string') {
          const isTold = events.some(
            (event) => isAboutId(event.type) && 'handle' in event && event.handle === handleOf(reply.cookie ?? ''),
          )
          if (!isTold) yield `no event tells of the id of ${actor}`
        }
        const isVain = typeof reply.cookie !== 'string' || act.isMove === true || act.isHalfDone === true
        const type = typeOf(act)
        const isNamed = events.some(
          (event) => event.type === type && 'handle' in event && event.handle === handleOf(reply.cookie ?? ''),
        )
        if (type !== undefined && !isVain && !isNamed) yield `no event ${type} tells of ${actor}`
        const isLogout = /^(log out|destroy)/.test(act.name) && act.logsIn === undefined && reply.me?.userId
        const ends = ['logout', 'revoke']
        const isEnd = events.some(
          (event) => ends.includes(event.type) && 'handle' in event && event.handle === handleOf(cookie),
        )
        if (isLogout && act.ends === 'own' && !isEnd) yield `no event tells of the logout of ${actor}`
      }
    },
  },
  {
    name: 'an event tells of each proof, and of each that is none',
    *broken({ after }) {
      const { events, prepared } = after.played
      const isSure = !after.isCrash && after.deeds.every(({ fate }) => fate === 'done')
      for (const report of isSure ? after.reports : []) {
        const { act, actor, reply } = report
        const type = act.device === 'bind' ? 'bound' : 'refreshed'
        const isProven = reply?.grant !== undefined
        if (isProven && !events.some((event) => event.type === type)) yield `no event tells of the proof of ${actor}`
        const reason = act.device === 'other key' ? 'signature' : act.device === 'old proof' ? 'replayed' : undefined
        const isAlone = after.reports.every((one) => one === report || (isIdle(one) && one.act.device === undefined))
        const isTold = events.some((event) => event.type === 'proof-failed' && event.reason === reason)
        if (reason !== undefined && isAlone && prepared.lag === 0 && reply?.code === 'CHALLENGE' && !isTold) {
          yield `no event tells of what ${actor} sent`
        }
      }
    },
  },
  {
    name: 'an event names its session, its reason and the clients',
    *broken({ after }) {
      const { events, prepared } = after.played
      const { reports } = after
      const mayBe: Readonly<Record<string, boolean>> = {
        revoked: reports.some(({ act }) => (act.ends ?? act.isApart) !== undefined),
        evicted: prepared.options.maxSessions !== undefined,
        'auth-hash': prepared.checks !== undefined,
        'user-gone': prepared.checks !== undefined,
        replay: reports.some(({ act }) => act.isReplaced ?? act.isOutdated ?? act.isAged ?? act.device),
      }
      const [first] = events
      for (const event of events) {
        if (event.at !== first?.at && prepared.lag === 0) yield `${event.type} tells of another time`
        if (event.type === 'revoke' && mayBe[event.reason] !== true) yield `a session was ended as ${event.reason}`
        if (event.type === 'login' && event.device?.ip !== HOME) yield `a login came from ${event.device?.ip}`
        if (event.type === 'login' && event.userId === 'alice' && event.isNewDevice !== false) {
          yield 'a login of a known client is told of as one of a new client'
        }
        const isRole = event.type === 'act' || event.type === 'stop-acting'
        if (isRole && (event.userId !== 'bob' || event.actorId !== 'alice')) yield `${event.type} names ${event.userId}`
        if (event.type === 'expire' && event.reason !== 'idle') yield `a session expired by ${event.reason}`
        if ('client' in event && ![HOME, AWAY].includes(event.client.ip)) yield `${event.type} tells of no client`
        if (event.type !== 'replay' && event.type !== 'fork') continue
        const isByStranger = reports.every(({ act }) => act.isStranger)
        const isElsewhere = event.userId !== null && event.device?.ip !== HOME
        if (isElsewhere) yield `${event.type} tells of a login from ${event.device?.ip}`
        if (isByStranger && event.client.ip === HOME) yield `${event.type} tells of the client of the login`
        if (event.type === 'replay' && event.isEnded !== (prepared.options.onCopiedSession !== 'step-up')) {
          yield 'replay tells otherwise than what happened'
        }
      }
    },
  },
]

/** Returns the type of the event that tells of an act. */
function typeOf({ shows, logsIn }: Act): string | undefined {
  if (shows !== undefined) return shows === 'bob' ? 'act' : 'stop-acting'
  return logsIn === undefined ? undefined : 'login'
}

/** Tells whether events of a type tell of a new id. */
function isAboutId(type: string): boolean {
  return ['login', 'rotate', 'act', 'stop-acting', 'renew', 'refreshed', 'migrate'].includes(type)
}
