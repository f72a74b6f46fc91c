import type { PresentedId } from '../../lib/session/id.ts'
import { parentOf } from '../../lib/session/id.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { View, Visit } from './view.ts'
import { isOpen } from './view.ts'

/** An id of the last login of a session, as some client holds it. */
export interface Line extends PresentedId {
  readonly cookie: string
}

/** A session, and the ids of its last login: the newest, and those before it. */
export interface Renewed {
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
export function* sessions(view: View): Generator<Renewed> {
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

/** Returns a visit of the client of the login. */
export function visit(cookie: string, after = 0): Visit {
  return { cookie, after }
}

/** Returns a visit of a client that looks otherwise. */
export function strangerAt(cookie: string, after: number): Visit {
  return { cookie, after, isStranger: true }
}
