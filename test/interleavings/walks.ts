import { random } from '../support/every-order.ts'
import type { SessionRecord } from '../../types/index.ts'
import { IdTable } from './id-table.ts'
import { sessions, visit } from './renewed.ts'
import type { Guarantee, View, Visit } from './view.ts'
import { isOpen } from './view.ts'
import { nameOf } from './world.ts'

const MINUTE = 60_000

/** Walks along the table of ids for each session, shows in a walk, and pauses between them. */
const WALKS = 4
const SHOWS = 5
const PAUSES = [0, 1000, 29_999, 30_000, 31_000, 60_000, 61_000, 149_999, 150_000]

/** More renewals than a record remembers. */
const RENEWALS = 7

/** The guarantee that ids are judged as the guide says. */
export const WALKED: readonly Guarantee[] = [
  {
    name: '9: each show of an id does what the table of ids says',
    async *broken(view) {
      if (view.stepsUp || view.elapsed > 0) return
      for (const { record, newest, older, siblings, isInUse } of sessions(view)) {
        // A half login is over before its session.
        if (view.found(newest).pendingId !== null) continue
        const ids = [newest, ...[...older, ...siblings].map(({ cookie }) => cookie)]
        const known = ids.map((cookie) => ({ cookie }))
        const draw = random(Number.parseInt(Buffer.from(record.secretHash).toString('hex').slice(0, 8), 16))
        for (let walk = ids.length > 1 ? WALKS : 0; walk > 0; walk -= 1) {
          yield* walked(view, record, shows(known, SHOWS, draw))
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
]

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
