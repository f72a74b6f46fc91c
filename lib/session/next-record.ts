import type { SessionRecord, SessionUser } from '../../types/index.ts'
import { parseData, rebase } from './json-data.ts'
import type { MintedSecret } from './id.ts'
import { isSameHash } from './id.ts'
import type { Lifetimes } from './lifetime.ts'
import { GRACE, isRenewalDue, isTouchDue, seenAt } from './lifetime.ts'
import type { Identity } from './record.ts'
import { authenticated, promoted, rotated, withSuccessor } from './record.ts'
import { matchSecret } from './verdict.ts'

/** A privilege change that waits for the response. */
export interface Rotation {
  readonly reason: 'login' | 'confirm' | 'regenerate' | 'auth-hash'
  /** Who is logged in from now on; `undefined` leaves the user as they are. */
  readonly identity?: Identity
  readonly authHash?: string
  /** A key that outlives the rotation only as this request left it, whatever another one has written meanwhile. */
  readonly drops?: string
  /** Of a login: its user, and the sessions of theirs that stood before it, for the limit on them. */
  readonly login?: { readonly user: SessionUser; readonly earlier: ReadonlySet<string> }
}

/** What one request did to its data, as JSON: what it had read, and what it left. */
export interface Edit {
  readonly from: string
  readonly to: string
  /** Whether the content was begun anew, so that nothing another request wrote to the old one may come back. */
  readonly isWhole: boolean
}

/** Everything one request wants of its record, to be applied to the latest version of it, as often as it takes. */
export interface Work {
  readonly edit: Edit
  readonly rotation: Rotation | undefined
  /** Hash of the secret that this request came with. */
  readonly presented: string
  /** Whether the user's credentials were compared in this request. */
  readonly isChecked: boolean
  /** Whether the app asked for a touch by name. */
  readonly isTouched: boolean
  /** Whether a response follows that can carry a renewed id. */
  readonly isAnswering: boolean
  readonly now: number
}

/** How a record changes: not at all, in its idle deadline only, or as a whole. */
export interface NextRecord {
  readonly kind: 'same' | 'touch' | 'update'
  readonly record: SessionRecord
  /** The secret that the response has to carry. */
  readonly minted?: MintedSecret
}

/** Whether a record needs a write although the app changed nothing: a touch, a renewal, a successor seen for the first time. */
export function isUpkeepDue(
  record: SessionRecord,
  presented: string,
  settings: Lifetimes & { clock: () => number },
): boolean {
  const now = settings.clock()
  if (isTouchDue(record, now, settings) || isRenewalDue(record, now, settings)) return true
  return record.successors.some((one) => isSameHash(one.secretHash, presented))
}

/** Applies one request's work to a record. Pure but for the secret that `mint` makes when one is called for. */
export function nextRecord(
  record: SessionRecord,
  work: Work,
  lifetimes: Lifetimes,
  mint: (epoch: number) => MintedSecret,
): NextRecord {
  const { now, rotation } = work
  const data = without(rotation?.drops, edited(record.data, work.edit), work.edit.to)
  const touched = { ...record, ...seenAt(now, record, lifetimes) }
  const version = record.version + 1
  if (rotation !== undefined) {
    const minted = mint(record.epoch + 1)
    return {
      kind: 'update',
      record: { ...rotate(touched, rotation, minted.secretHash, now, lifetimes), data, version },
      minted,
    }
  }
  const match = matchSecret(record, work.presented, now)
  let next = match === 'successor' ? promoted(touched, work.presented, now, GRACE) : touched
  let minted: MintedSecret | undefined
  if (match === 'current' && work.isAnswering && isRenewalDue(record, now, lifetimes)) {
    minted = mint(record.epoch)
    next = withSuccessor(next, minted.secretHash, now)
  }
  if (work.isChecked) next = { ...next, authCheckedAt: now }
  if (next !== touched || data !== record.data) {
    return { kind: 'update', record: { ...next, data, version }, ...(minted && { minted }) }
  }
  return work.isTouched || isTouchDue(record, now, lifetimes)
    ? { kind: 'touch', record: touched }
    : { kind: 'same', record }
}

function rotate(
  record: SessionRecord,
  rotation: Rotation,
  secretHash: string,
  now: number,
  lifetimes: Lifetimes,
): SessionRecord {
  const fresh = rotated(record, secretHash, now)
  if (rotation.identity !== undefined) return authenticated(fresh, rotation.identity, now, lifetimes)
  return rotation.authHash === undefined ? fresh : { ...fresh, authHash: rotation.authHash, authCheckedAt: now }
}

/** Data without a key that the request itself did not leave in it. */
function without(key: string | undefined, json: string, own: string): string {
  if (key === undefined || !json.includes(key) || Object.hasOwn(parseData(own), key)) return json
  const { [key]: _dropped, ...rest } = parseData(json)
  return JSON.stringify(rest)
}

/** The data of a record after an edit that was made on this version of it, or on an earlier one. */
export function edited(json: string, { from, to, isWhole }: Edit): string {
  return isWhole ? to : rebase(json, from, to)
}
