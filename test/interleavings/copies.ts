import type { SessionRecord } from '../../types/index.ts'
import type { Line, Renewed } from './renewed.ts'
import { sessions, strangerAt, visit } from './renewed.ts'
import type { Guarantee, View } from './view.ts'
import { isOpen } from './view.ts'
import { nameOf } from './world.ts'

/** The times that SECURITY.md names, in milliseconds. The engine has constants of its own. */
const WINDOW = 150_000
const WINDOW_OF_STRANGERS = 30_000
const TWO_SHOWS = 61_000

/** The guarantees about copied ids, which clients see who come after a run. */
export const COPIES: readonly Guarantee[] = [
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
            const open = found.slice(-3).filter(isOpen)
            if (view.stepsUp && open.length < 3) yield `${name} ended, although it was to step up`
            if (!view.stepsUp && open.length > 0) yield `two ids of ${name} are in use`
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
