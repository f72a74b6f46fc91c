import type { SessionRecord } from '../../../types/index.ts'
import { isBindingShown, withBindingShown } from './binding.ts'
import type { Lack } from './proofs.ts'
import type { PresentedId } from '../id.ts'
import { isSameHash } from '../id.ts'

/**
 * The evidence that a request gives for the device of its session. `proven`: the bound cookie is valid. `unbound`: the
 * session asks for no evidence. The other values name the fault of the bound cookie.
 */
export type Evidence = 'unbound' | 'proven' | Lack

/** The fields of a record that a proof decides on. */
type ProvenState = Pick<
  SessionRecord,
  'secretHash' | 'rotatedAt' | 'generation' | 'parent' | 'shownAt' | 'isTied' | 'tip' | 'rivals' | 'headAt'
>

/** The judgement on an id of a bound session; see `Verdict`. */
export type ProofVerdict =
  | {
      readonly kind: 'enter'
      readonly change: Partial<Pick<SessionRecord, 'deviceKey' | 'shownAt'>> | undefined
      readonly isFork: false
      readonly isRenewable: false
    }
  | { readonly kind: 'unproven'; readonly lack: Lack }

const SERVE: ProofVerdict = Object.freeze({ kind: 'enter', change: undefined, isFork: false, isRenewable: false })

/**
 * Judges an id of the present login of a bound session. The proof decides, and the age of the id does not. Every id of
 * this login opens the session with the bound cookie. No id opens the session without the bound cookie. The first bound
 * cookie that comes back makes the binding count, because it proves that the browser keeps the cookie.
 */
export function judgeByProof(record: SessionRecord, evidence: Exclude<Evidence, 'unbound'>, now: number): ProofVerdict {
  if (evidence !== 'proven') return { kind: 'unproven', lack: evidence }
  const { deviceKey, shownAt } = record
  if (deviceKey === null || isBindingShown(deviceKey)) return SERVE
  const change = { deviceKey: withBindingShown(deviceKey), shownAt: shownAt === 0 ? now : shownAt }
  return { kind: 'enter', change, isFork: false, isRenewable: false }
}

/**
 * Returns the change of a record whose id came with a proof of the key. This id becomes the id in use, and earlier
 * suspicions of copies are removed.
 */
export function learnedByProof(record: SessionRecord, id: PresentedId, now: number): ProvenState {
  const { secretHash, rotatedAt, generation, parent, shownAt } = record
  const confirmed = isSameHash(secretHash, id.secretHash)
    ? { secretHash, rotatedAt, generation, parent, shownAt: shownAt === 0 ? now : shownAt }
    : { secretHash: id.secretHash, rotatedAt: id.issuedAt, generation: id.generation, parent: id.parent, shownAt: now }
  return { ...confirmed, isTied: true, tip: null, rivals: [], headAt: now }
}
