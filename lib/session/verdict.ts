import type { RivalId, SessionRecord } from '../../types/index.ts'
import type { PresentedId } from './id.ts'
import { isSameHash, parentOf } from './id.ts'
import type { Evidence, ProofVerdict } from './device-bound/judge-proof.ts'
import { judgeByProof } from './device-bound/judge-proof.ts'

/**
 * The time after the first show of a renewed id in which its predecessor may still arrive, in milliseconds. A request
 * may stall that long on a phone, or wait in the browser with the cookie it was queued with.
 */
export const LATE = 150_000

/** The same for a client that does not look like the one that logged in: only requests in flight are served. */
export const GRACE = 30_000

/**
 * The time between the first show of an id and the show that confirms it. Browsers write their cookies to disk within
 * 30 seconds.
 */
export const CONFIRMATION = 60_000

/**
 * The age up to which a sibling of a renewed id is served although its client does not look like the one that logged
 * in.
 */
export const MAX_SIBLING_AGE = 300_000

/** The time that after its last use the id in use counts as used, when a much older id comes back. */
export const RECENT_USE = 600_000

/** The number of rivals that a record remembers. */
export const MAX_RIVALS = 4

/** The fields of a record that say which of its ids are in use. */
type IdState = Pick<
  SessionRecord,
  | ('secretHash' | 'rotatedAt' | 'generation' | 'parent' | 'shownAt' | 'isTied' | 'tip' | 'rivals' | 'headAt')
  | 'isForked'
  | 'deviceKey'
>

/** The facts about a presented id that decide on it. */
export interface Presentation {
  readonly id: Pick<PresentedId, 'secretHash' | 'epoch' | 'generation' | 'issuedAt' | 'parent'>
  /**
   * Tells whether the client looks like the one that made the session. A leaked cookie value alone does not bring that
   * along.
   */
  isTied(): boolean
  /** Tells whether the record has to learn of the first show of its id, because a limit on sessions depends on it. */
  readonly isShowNoted: boolean
  /** Returns the evidence for the device of a bound session. */
  evidenceFor(record: SessionRecord): Evidence
}

/** The reason why an id shows that its session's cookie was copied. */
export type CopySign = 'second-holder' | 'replaced' | 'sibling' | 'older'

/**
 * The judgement on an id that names a live record:
 * - `enter`: the id opens the session. `change` is what the record has to learn from it. A `fork` says that a replaced
 *   id came back, so that the login no longer counts as recent. An `isRenewable` id may be renewed by age;
 * - `end`: two clients hold ids of this session, so the session has to end;
 * - `refuse`: the id is too old to open anything, and its client looks like the owner's, so the session goes on without
 *   it;
 * - `superseded`: a login or logout replaced the id moments ago, and a parallel response carries the new one;
 * - `unknown`: the id opens nothing, as one from before a login;
 * - `unproven`: the session is bound to a device, and the request came without the proof of the device.
 */
export type Verdict =
  | {
      readonly kind: 'enter'
      readonly change: Partial<IdState> | undefined
      readonly isFork: boolean
      readonly isRenewable: boolean
    }
  | { readonly kind: 'end'; readonly sign: CopySign }
  | { readonly kind: 'refuse' | 'superseded' | 'unknown' }
  | ProofVerdict

/** Lets an id in; the record has nothing to learn. */
export const SERVE: Verdict = Object.freeze({ kind: 'enter', change: undefined, isFork: false, isRenewable: false })
const SERVE_HEAD: Verdict = Object.freeze({ kind: 'enter', change: undefined, isFork: false, isRenewable: true })

/** The relation of a presented id to the ids that a record knows. */
type Relation = 'rival' | 'confirmed' | 'tip' | 'child' | 'newer' | 'predecessor' | 'sibling' | 'older'

/** Judges an id that names a live record. The table in this room's README has a row for each case. */
export function judge(record: SessionRecord, presentation: Presentation, now: number): Verdict {
  if (record.deviceKey !== null && presentation.id.epoch === record.epoch) {
    const evidence = presentation.evidenceFor(record)
    if (evidence !== 'unbound') return judgeByProof(record, evidence, now)
  }
  return isPlain(record, presentation) ? SERVE_HEAD : judgeClosely(record, presentation, now)
}

/** Tells whether the id is the only one in use, as nearly always. */
function isPlain(
  { epoch, secretHash, tip, rivals, shownAt }: SessionRecord,
  { id, isShowNoted }: Presentation,
): boolean {
  const isAlone = tip === null && rivals.length === 0 && !(isShowNoted && shownAt === 0)
  return isSameHash(secretHash, id.secretHash) && epoch === id.epoch && isAlone
}

function judgeClosely(record: SessionRecord, presentation: Presentation, now: number): Verdict {
  const { id } = presentation
  if (id.epoch !== record.epoch) {
    return { kind: id.epoch < record.epoch && now - record.rotatedAt < GRACE ? 'superseded' : 'unknown' }
  }
  const isTied = presentation.isTied()
  switch (relationOf(record, id)) {
    case 'rival':
      return judgeRival(record, id, now, isTied)
    case 'confirmed':
      return judgeConfirmed(record, presentation, now, isTied)
    case 'tip':
      return judgeTip(record, now)
    case 'child':
      if (record.tip === null) return enter({ tip: renewedOf(id, now, isTied), ...seen(record, now) })
      if (!isTied && now - id.issuedAt > MAX_SIBLING_AGE) return end('sibling')
      return enter({ rivals: withNewRival(record, id, now, isTied) })
    case 'newer':
      // A failover set the record back. The signature proves that this id was issued after the record's.
      return enter({ ...confirmed(id, now, isTied), tip: null, ...seen(record, now) })
    case 'predecessor':
      if (now < record.shownAt + windowOf(isTied)) return SERVE
      return isTied ? fork(record, id, now) : end('replaced')
    case 'sibling':
      return isTied ? enter({ rivals: withNewRival(record, id, now, isTied) }) : end('sibling')
    case 'older':
      if (!isTied || now < Math.max(record.headAt, record.lastSeenAt) + RECENT_USE) return end('older')
      return { kind: 'refuse' }
  }
}

/** Returns how long two ids are served side by side. */
function windowOf(isTied: boolean): number {
  return isTied ? LATE : GRACE
}

function relationOf(record: SessionRecord, id: Presentation['id']): Relation {
  const { secretHash, tip, rivals, generation } = record
  const base = parentOf(secretHash)
  const isChild = id.parent === base
  if (rivals.length > 0 && findRival(record, id) !== undefined) return 'rival'
  if (isSameHash(secretHash, id.secretHash)) return 'confirmed'
  if (tip !== null && isSameHash(tip.secretHash, id.secretHash)) return 'tip'
  if (isChild) return 'child'
  if (id.generation > generation) return 'newer'
  if (parentOf(id.secretHash) === record.parent) return 'predecessor'
  return id.generation === generation && id.parent === record.parent ? 'sibling' : 'older'
}

/**
 * Returns the rival that an id is, or that it is a renewal of. The id before the confirmed one is never judged by its
 * parent, which may be a rival of long ago.
 */
function findRival({ secretHash, parent, rivals }: SessionRecord, id: Presentation['id']): RivalId | undefined {
  const itself = rivals.find((rival) => isSameHash(rival.secretHash, id.secretHash))
  if (itself !== undefined) return itself
  const isOfHead = id.parent === parentOf(secretHash) || id.parent === parent || parentOf(id.secretHash) === parent
  return isOfHead ? undefined : rivals.find((rival) => parentOf(rival.secretHash) === id.parent)
}

/**
 * Decides between two ids that were seen side by side. Both are served until the window closes, because requests
 * overtake each other. The id that is shown first after that is the one in use. If the other is shown after it, two
 * clients hold the session.
 */
function judgeRival(record: SessionRecord, id: Presentation['id'], now: number, isClientTied: boolean): Verdict {
  // `relationOf` has found the rival.
  const { since, isTied } = findRival(record, id) as RivalId
  const closesAt = since + windowOf(isTied && isClientTied)
  if (now < closesAt) return SERVE
  if (record.headAt >= closesAt) return end('second-holder')
  const { secretHash, tip } = record
  const rest = record.rivals.filter((rival) => rival.secretHash !== id.secretHash)
  const loser = (hash: string): RivalId => ({ secretHash: hash, since, isTied })
  if (isSameHash(secretHash, id.secretHash)) {
    const rivals = tip === null ? rest : withRival(rest, loser(tip.secretHash))
    return enter({ tip: null, rivals, headAt: now }, { isRenewable: true })
  }
  const rivals = withRival(rest, loser((tip ?? record).secretHash))
  if (id.parent === parentOf(secretHash)) {
    return enter({ tip: renewedOf(id, now, isClientTied), rivals, headAt: now })
  }
  const all = withRival(rivals, loser(secretHash))
  return enter({ ...confirmed(id, now, isClientTied), tip: null, rivals: all, headAt: now }, { isRenewable: true })
}

function judgeConfirmed(
  record: SessionRecord,
  { id, isShowNoted }: Presentation,
  now: number,
  isTied: boolean,
): Verdict {
  const { tip, shownAt } = record
  if (tip === null) {
    const head = seen(record, now)
    return enter(isShowNoted && shownAt === 0 ? { ...head, shownAt: now } : head, { isRenewable: true })
  }
  if (isTied) return fork(record, id, now)
  return now < tip.shownAt + GRACE ? SERVE : end('replaced')
}

function judgeTip(record: SessionRecord, now: number): Verdict {
  const { tip, secretHash, generation } = record
  const change = seen(record, now)
  if (tip === null || now < tip.shownAt + CONFIRMATION) return enter(change)
  const line = { secretHash: tip.secretHash, rotatedAt: tip.issuedAt, shownAt: tip.shownAt, isTied: tip.isTied }
  const next = { ...line, generation: generation + 1, parent: parentOf(secretHash), tip: null }
  return enter({ ...next, ...change }, { isRenewable: true })
}

function enter(change: Partial<IdState> | undefined, { isFork = false, isRenewable = false } = {}): Verdict {
  return { kind: 'enter', change, isFork, isRenewable }
}

function end(sign: CopySign): Verdict {
  return { kind: 'end', sign }
}

/** Serves a replaced id beside the one that went around it. */
function fork(record: SessionRecord, id: Presentation['id'], now: number): Verdict {
  return enter({ rivals: withNewRival(record, id, now, true), isForked: true }, { isFork: true })
}

/** Notes that the id in use was shown, if that decides about a rival: for its own client, or for any other. */
function seen({ rivals, headAt }: SessionRecord, now: number): Partial<IdState> | undefined {
  const decides = rivals.some(({ since, isTied }) =>
    [windowOf(isTied), GRACE].some((window) => headAt < since + window && now >= since + window),
  )
  return decides ? { headAt: now } : undefined
}

function renewedOf({ secretHash, issuedAt }: Presentation['id'], now: number, isTied: boolean): SessionRecord['tip'] {
  return { secretHash, issuedAt, shownAt: now, isTied }
}

function confirmed(id: Presentation['id'], now: number, isTied: boolean): Partial<IdState> {
  const { secretHash, issuedAt, generation, parent } = id
  return { secretHash, rotatedAt: issuedAt, generation, parent, shownAt: now, isTied }
}

/**
 * Two ids of which one comes without the look of the login are hardly one client's, so the short window is enough for
 * them.
 */
function withNewRival(record: SessionRecord, { secretHash }: Presentation['id'], now: number, isTied: boolean) {
  return withRival(record.rivals, { secretHash, since: now, isTied: isTied && (record.tip ?? record).isTied })
}

function withRival(rivals: readonly RivalId[], rival: RivalId): readonly RivalId[] {
  return [...rivals.filter(({ secretHash }) => secretHash !== rival.secretHash), rival].slice(-MAX_RIVALS)
}
