import type { PresentedId } from '../../lib/session/id.ts'
import { parentOf } from '../../lib/session/id.ts'
import type { SessionRecord } from '../../types/index.ts'
import { random } from '../support/every-order.ts'
import type { Act } from './act.ts'
import { IdTable } from './id-table.ts'
import { isDone } from './reports.ts'
import { RECENT } from './server.ts'
import type { Guarantee, View, Visit } from './view.ts'
import { isOf, isOpen } from './view.ts'
import type { Report } from './world.ts'
import { handleOf, nameOf, SINCE_CHECK } from './world.ts'

/** The times that SECURITY.md names, in milliseconds. The engine has constants of its own. */
const WINDOW = 150_000
const WINDOW_OF_STRANGERS = 30_000
const TWO_SHOWS = 61_000
const MINUTE = 60_000
/** Walks along the table of ids for each session, shows in a walk, and pauses between them. */
const WALKS = 4
const SHOWS = 5
/** More renewals than a record remembers. */
const RENEWALS = 7
const PAUSES = [0, 1000, 29_999, 30_000, 31_000, 60_000, 61_000, 149_999, 150_000]

const BOUND_FOR = 20 * MINUTE

/** An id of the last login of a session, as some client holds it. */
interface Line extends PresentedId {
  readonly cookie: string
}

/** A session, and the ids of its last login: the newest, and those before it. */
interface Renewed {
  readonly record: SessionRecord
  readonly newest: string
  /** Tells whether the newest id is the one in use, or about to be. Otherwise it is a rival of that one. */
  readonly isInUse: boolean
  readonly older: readonly Line[]
  /** Other renewals of the id that the newest one is a renewal of. */
  readonly siblings: readonly Line[]
  /** The ids from before the login. */
  readonly dead: readonly string[]
}

/** Returns the sessions that somebody can enter by an id alone. */
function* sessions(view: View): Generator<Renewed> {
  const { contents, played } = view.after
  // A check that comes after the run may end the session before its deadline.
  if (played.prepared.checks === 'later' || played.prepared.checks === 'due') return
  const lines = [...new Set(view.issued.map(({ value }) => value))].flatMap((cookie): Line[] => {
    const id = view.idOf(cookie)
    return id === undefined ? [] : [{ ...id, cookie }]
  })
  for (const record of contents.records.values()) {
    if (record.heldBack !== null || record.deviceKey !== null || record.acting) continue
    const own = lines.filter(({ handle }) => handle === record.handle)
    const current = own.filter(({ epoch }) => epoch === record.epoch).toSorted((a, b) => a.generation - b.generation)
    const open = current.filter(({ cookie }) => isOpen(view.found(cookie)))
    const head = open.findLast((line) => isHead(record, line))
    const newest = head ?? open.at(-1)
    if (newest === undefined) continue
    const older = current.filter(({ generation }) => generation < newest.generation)
    const dead = own.filter(({ epoch }) => epoch < record.epoch).map(({ cookie }) => cookie)
    const isSibling = ({ cookie, parent }: Line): boolean =>
      cookie !== newest.cookie && parent !== '' && parent === newest.parent
    const siblings = current.filter(isSibling)
    yield { record, newest: newest.cookie, isInUse: head !== undefined, older, siblings, dead }
  }
}

function isHead({ secretHash, tip }: SessionRecord, id: Line): boolean {
  if (id.secretHash === tip?.secretHash) return true
  return tip === null && (id.secretHash === secretHash || id.parent === parentOf(secretHash))
}

/** Tells whether the store knows an id only as the one that was renewed, and nobody has shown the renewal. */
function isRenewedUnseen(
  { secretHash, tip, rivals }: SessionRecord,
  older: Line,
  { newest }: Renewed,
  view: View,
): boolean {
  const isNext = view.idOf(newest)?.generation === older.generation + 1
  return isNext && older.secretHash === secretHash && tip === null && rivals.length === 0
}

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
        const isShort = reports.some(({ act, reply }) => act.isShort === true && reply?.cookie === newest)
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
  {
    name: '9: each show of an id does what the table of ids says',
    async *broken(view) {
      if (view.stepsUp || view.elapsed > 0) return
      for (const { record, newest, older, siblings, isInUse } of sessions(view)) {
        // A half login is over before its session.
        if (view.found(newest).pendingId !== null) continue
        const ids = [newest, ...[...older, ...siblings].map(({ cookie }) => cookie)]
        const draw = random(Number.parseInt(Buffer.from(record.secretHash).toString('hex').slice(0, 8), 16))
        for (let walk = ids.length > 1 ? WALKS : 0; walk > 0; walk -= 1) {
          yield* walked(
            view,
            record,
            shows(
              ids.map((cookie) => ({ cookie })),
              SHOWS,
              draw,
            ),
          )
        }
        const { memo, now } = view.after.played.prepared
        if (!isInUse || memo.has('renewals') || record.idleDeadline - now < 17 * MINUTE) continue
        memo.set('renewals', true)
        // Requests at once are given an id each.
        const renewals = Array.from({ length: RENEWALS }, (_none, place) =>
          visit(newest, place === 0 ? 16 * MINUTE : 0),
        )
        const given = renewals.map((_one, givenBy) => ({ cookie: newest, givenBy }))
        const all = given.map((one): Visit => ({ ...one, after: 1000 }))
        yield* walked(view, record, [...renewals, ...all, ...shows(given, 2 * SHOWS, draw)])
      }
    },
  },
  {
    name: '9: an id that a renewal replaced opens nothing for another client after 30 seconds, and ends the session',
    broken: (view) => strangersIn(view, 'a replaced id', ({ older }) => older),
  },
  {
    name: '9: another renewal of the same id opens nothing for another client, and ends the session',
    broken: (view) => strangersIn(view, 'another renewal', ({ siblings }) => siblings),
  },
  {
    name: '9: a replaced id that is late opens the session, and ends nothing',
    async *broken(view) {
      for (const session of sessions(view)) {
        const { record, newest, older } = session
        for (const line of older.filter((one) => isRenewedUnseen(record, one, session, view))) {
          const { cookie } = line
          const name = nameOf(view.after, record.handle)
          const tied = [visit(newest), visit(newest, TWO_SHOWS), visit(cookie, WINDOW - TWO_SHOWS - 1), visit(newest)]
          for (const visits of [tied, [visit(newest), strangerAt(cookie, WINDOW_OF_STRANGERS - 1), visit(newest)]]) {
            const found = await view.visit(visits)
            if (!found.every(isOpen)) yield `${name} opened for ${found.map((one) => isOpen(one)).join()}`
          }
        }
      }
    },
  },
  {
    name: '9: two ids that are both in use end the session, and the login counts as recent no more',
    async *broken(view) {
      for (const { record, newest, older } of sessions(view)) {
        for (const { cookie } of older) {
          const shown = [visit(newest), visit(newest, TWO_SHOWS), visit(cookie, WINDOW - TWO_SHOWS)]
          const name = nameOf(view.after, record.handle)
          // Whichever comes first after the window is the one in use.
          for (const [one, other] of [
            [newest, cookie],
            [cookie, newest],
          ] as const) {
            const ends = [visit(one, WINDOW), visit(other), visit(one), visit(other)]
            const found = await view.visit([...shown, ...ends])
            if (found.slice(2).some(({ isFresh }) => isFresh)) yield `the login of ${name} counts as recent`
            if (view.stepsUp !== found.slice(-3).every(isOpen)) yield `two ids of ${name} are in use, or it ended`
            if (!view.stepsUp && found.slice(-3).some(isOpen)) yield `two ids of ${name} are in use`
          }
        }
      }
    },
  },
  {
    name: '3, 9: an id from before a login or a change of the id is no alarm',
    async *broken(view) {
      for (const { record, newest, dead } of sessions(view)) {
        for (const cookie of dead) {
          const found = await view.visit([strangerAt(cookie, 0), strangerAt(cookie, 31_000), visit(newest)])
          const [first, second, owner] = found
          const name = nameOf(view.after, record.handle)
          if ([first, second].some((one) => one !== undefined && isOpen(one))) yield `a dead id opens ${name}`
          if (owner !== undefined && !isOpen(owner)) yield `a dead id ended ${name}`
        }
      }
    },
  },
]

/** Lets a stranger come with some ids, once the newest one was shown twice and the window of strangers has closed. */
async function* strangersIn(
  view: View,
  what: string,
  idsOf: (session: Renewed) => readonly Line[],
): AsyncGenerator<string> {
  for (const session of sessions(view)) {
    const { record, newest, isInUse } = session
    for (const { cookie } of isInUse ? idsOf(session) : []) {
      const shown = [visit(newest), visit(newest, TWO_SHOWS)]
      const [, , stranger, owner] = await view.visit([...shown, strangerAt(cookie, 31_000), visit(newest)])
      const name = nameOf(view.after, record.handle)
      if (view.stepsUp) {
        for (const one of [stranger, owner]) {
          const isSteppedUp = one !== undefined && isOpen(one) && !one.isFresh
          if (!isSteppedUp) yield `a stranger showed ${what}, and ${name} did not step up`
        }
        continue
      }
      if (stranger !== undefined && isOpen(stranger)) yield `${what} opens ${name} for a stranger`
      if (owner !== undefined && isOpen(owner)) yield `a stranger showed ${what}, and ${name} goes on`
    }
  }
}

/** Draws shows of some ids. */
function shows(ids: readonly Pick<Visit, 'cookie' | 'givenBy'>[], count: number, draw: () => number): Visit[] {
  const pick = <Item>(items: readonly Item[]): Item => items[Math.floor(draw() * items.length)] as Item
  return Array.from({ length: count }, () => {
    const isStranger = draw() < 0.3
    return { ...pick(ids), after: pick(PAUSES), ...(isStranger && { isStranger }) }
  })
}

/** Shows ids one after the other, and compares what they open with the table. */
async function* walked(view: View, record: SessionRecord, visits: readonly Visit[]): AsyncGenerator<string> {
  const found = await view.visit(visits)
  const table = new IdTable(record)
  let now = view.after.played.prepared.now
  for (const [place, { cookie, after, isStranger = false, givenBy }] of visits.entries()) {
    now += after
    const given = givenBy === undefined ? undefined : found[givenBy]?.given
    const id = view.idOf(given ?? cookie)
    const seen = found[place]
    if (id === undefined || seen === undefined) return
    const answer = table.show(id, !isStranger, now)
    const name = nameOf(view.after, record.handle)
    const what = `show ${place + 1} of ${visits.map(textOf).join(', ')}`
    const isRecent = isOpen(seen) && table.isForked && seen.isFresh
    if (isOpen(seen) === (answer === 'open') && !isRecent) continue
    yield isRecent ? `${name}: its login is recent at ${what}` : `${name}: the table says ${answer} to ${what}`
    return
  }
}

/** Describes a show of an id. */
function textOf({ cookie, after, isStranger, givenBy }: Visit): string {
  const id = givenBy === undefined ? cookie.slice(23, 27) : `that show ${givenBy + 1} got`
  return `${id}${isStranger === true ? ' by a stranger' : ''} after ${after / 1000} s`
}

function visit(cookie: string, after = 0): Visit {
  return { cookie, after }
}

function strangerAt(cookie: string, after: number): Visit {
  return { cookie, after, isStranger: true }
}
