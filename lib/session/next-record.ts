import type { PendingLogin, RotationReason, SessionRecord, SessionUser } from '../../types/index.ts'
import { isBindingShown, withBindingShown } from './device-bound/binding.ts'
import { withFields } from './copy-record.ts'
import type { Edit } from './json-data.ts'
import { edited, parseData } from './json-data.ts'
import type { Client } from './engine.ts'
import type { Checked } from './fresh-users.ts'
import type { Lineage, MintedSecret } from './id.ts'
import { parentOf } from './id.ts'
import type { Lifetimes } from '../options.ts'
import { isRenewalDue, isTouchDue, seenAt } from './lifetime.ts'
import { besideOf } from './places.ts'
import type { Identity } from './record.ts'
import { authenticated, rotated } from './record.ts'
import type { Role } from './role.ts'
import { withRole } from './role.ts'
import { isAhead, withoutFuture } from './clock-set-back.ts'
import type { Presentation, Verdict } from './verdict.ts'
import { judge } from './verdict.ts'

/** A privilege change that waits for the response. */
export interface Rotation {
  readonly reason: RotationReason
  /** The user that is logged in from now on; `undefined` keeps the present user. */
  readonly identity?: Identity
  /** The parts that the identity only carries over. The record may have newer ones by the time of the write. */
  readonly carries?: readonly ('user' | 'label')[] | undefined
  readonly authHash?: string
  /** The user who owes another proof from now on. Nobody is logged in. */
  readonly pending?: PendingLogin
  /** The user who is shown from now on, because somebody begins or stops to act as another user. */
  readonly role?: Role
  /** Tells whether the client gets the new id from the app, and brings it in a header. */
  readonly isByHeader?: boolean
  /** A key that outlives the rotation only as this request left it, whatever another one has written meanwhile. */
  readonly drops?: string | undefined
  /** The user of a login, and their sessions that existed before it. The limit on sessions needs them. */
  readonly login?: { readonly user: SessionUser; readonly earlier: ReadonlySet<string> }
}

/**
 * The response that can carry a renewed id:
 * - `none`: no response follows, and an id that reaches nobody would be of no use;
 * - `stream`: the headers may wait for the first byte, and meanwhile a login may set a newer cookie;
 * - `reply`: the headers leave at once.
 */
export type Carrier = 'none' | 'stream' | 'reply'

/**
 * Everything that one request wants of its record. It is applied to the latest version of the record, as often as it
 * takes.
 */
export interface Work {
  readonly edit: Edit
  readonly rotation: Rotation | undefined
  /** The id that this request came with; `undefined` once the request has written the record. */
  readonly presented: Presentation | undefined
  /** The user as `loadUser` found them in this request. */
  readonly checked: Checked | undefined
  /** A snapshot of the same user, as JSON, that the app put in place. */
  readonly user: string | undefined
  /** Tells whether the app asked for a touch by name. */
  readonly isTouched: boolean
  /** Tells whether the request is no use of the session. */
  readonly isPassive: boolean
  readonly carrier: Carrier
  readonly now: number
}

/**
 * Returns the name of the place in the index that a staged change took, so that a revocation finds it; `undefined` if
 * it took none.
 */
export function placeTaken(rotation: Rotation | undefined): string | undefined {
  if (rotation?.reason === 'login') return rotation.identity?.userId
  if (rotation?.pending !== undefined) return besideOf(rotation.pending.userId)
  return rotation?.role?.begin === undefined ? undefined : besideOf(rotation.role.userId)
}

/** The change of a record: none, its idle deadline only, or the whole record. */
export interface NextRecord {
  readonly kind: 'same' | 'touch' | 'update'
  readonly record: SessionRecord
  /** The secret that the response has to carry. */
  readonly minted: MintedSecret | undefined
}

/**
 * The number of renewal timeouts after which an id is renewed. A stream waits longer, because ordinary replies are
 * better carriers.
 */
const PATIENCE: Readonly<Record<Carrier, number>> = { none: Infinity, stream: 2, reply: 1 }

/** Tells whether a request has to write or to renew the id although the app changed nothing. */
export function isUpkeepDue(
  record: SessionRecord,
  verdict: Verdict,
  settings: Lifetimes & { clock(): number },
  client: Pick<Client, 'isPassive'>,
): boolean {
  const now = settings.clock()
  const hasEntered = verdict.kind === 'enter'
  if (hasEntered && verdict.change !== undefined) return true
  const isRenewed = hasEntered && verdict.isRenewable && isRenewalDue(record, now, settings.renewalTimeout)
  if (isAhead(record, now)) return true
  return (isRenewed || isTouchDue(record, now, settings)) && client.isPassive !== true
}

/**
 * Applies one request's work to a record. Pure, except for the secret that `mint` makes when the work calls for one.
 */
export function nextRecord(
  stored: SessionRecord,
  work: Work,
  lifetimes: Lifetimes,
  mint: (epoch: number, lineage?: Lineage) => MintedSecret,
): NextRecord {
  const { now, rotation, isPassive } = work
  const record = withoutFuture(stored, now, lifetimes)
  const data = without(rotation?.drops, edited(rotation?.role?.data ?? record.data, work.edit), work.edit.to)
  const known = withUser(record, work)
  // A passive request moves the deadline only back, after a clock was set back.
  const isUse = !isPassive || stored.lastSeenAt > now
  const { lastSeenAt, idleDeadline } = isUse ? seenAt(now, record, lifetimes) : record
  const version = record.version + 1
  if (rotation !== undefined) {
    const minted = mint(record.epoch + 1)
    const used = withFields(known, { lastSeenAt, idleDeadline })
    const deviceKey = bindingAfter(record, work)
    const next = rotate(used, rotation, { secretHash: minted.secretHash, deviceKey }, now, lifetimes)
    return { kind: 'update', record: withFields(next, { data, version }), minted }
  }
  // Judged anew on each attempt, because another request may have confirmed or renewed an id meanwhile.
  const verdict = work.presented && judge(record, work.presented, now)
  const change = verdict && learned(record, verdict)
  const next = change === undefined ? known : withFields(known, change)
  const minted = verdict && renewal(next, verdict, work, lifetimes, mint)
  const isUserNew = known.user !== record.user || known.acting?.user !== record.acting?.user || work.user !== undefined
  // A touch never moves an instant back.
  if (change !== undefined || isUserNew || data !== record.data || record !== stored) {
    return { kind: 'update', record: withFields(next, { lastSeenAt, idleDeadline, data, version }), minted }
  }
  return (work.isTouched || isTouchDue(record, now, lifetimes)) && !isPassive
    ? { kind: 'touch', record: withFields(record, { lastSeenAt, idleDeadline }), minted }
    : { kind: 'same', record, minted }
}

/**
 * Returns the record with a newer user. An answer of `loadUser` gives way to a snapshot that came into the record after
 * the question. A snapshot from the app never counts as a look at the credentials.
 */
function withUser(record: SessionRecord, { checked, user, now }: Work): SessionRecord {
  if (user !== undefined) return withFields(record, { user, userAt: now })
  if (checked === undefined) return record
  const { acting } = record
  return withFields(record, {
    ...newer(record, checked),
    ...(acting && { acting: { ...acting, ...newer(acting, checked.actor) } }),
  })
}

/** Returns the fields of a snapshot that an answer of `loadUser` replaces. */
function newer(
  { user, authCheckedAt }: Pick<SessionRecord, 'user' | 'authCheckedAt'>,
  checked: Omit<Checked, 'actor'> | undefined,
): { readonly user: string; readonly authCheckedAt: number } | undefined {
  if (checked?.from !== user) return undefined
  return { user: checked.user, authCheckedAt: Math.max(authCheckedAt, checked.at) }
}

/**
 * Returns what a record learns from the id. An id that was let in and shows a copy makes the login count as recent no
 * more.
 */
function learned(record: SessionRecord, verdict: Verdict): Partial<SessionRecord> | undefined {
  if (verdict.kind === 'enter') return verdict.change
  return verdict.kind === 'end' && !record.isForked ? { isForked: true } : undefined
}

/** Mints a renewal for this request alone. Two clients that are handed the same id could never be told apart. */
function renewal(
  record: SessionRecord,
  verdict: Verdict,
  { now, carrier }: Work,
  { renewalTimeout }: Lifetimes,
  mint: (epoch: number, lineage: Lineage) => MintedSecret,
): MintedSecret | undefined {
  if (verdict.kind !== 'enter' || !verdict.isRenewable) return undefined
  if (!isRenewalDue(record, now, renewalTimeout * PATIENCE[carrier])) return undefined
  return mint(record.epoch, {
    generation: record.generation + 1,
    issuedAt: now,
    parent: parentOf(record.secretHash),
  })
}

function rotate(
  record: SessionRecord,
  rotation: Rotation,
  { secretHash, deviceKey }: Pick<SessionRecord, 'secretHash' | 'deviceKey'>,
  now: number,
  lifetimes: Lifetimes,
): SessionRecord {
  const fresh = rotated(record, secretHash, now, deviceKey)
  if (rotation.identity !== undefined) {
    const { identity, carries = [] } = rotation
    const newest = Object.fromEntries(carries.map((field) => [field, record[field] ?? null]))
    return authenticated(fresh, { ...identity, ...newest, ...methodsBeside(record, rotation) }, now, lifetimes)
  }
  if (rotation.pending !== undefined) return withFields(fresh, { pending: rotation.pending })
  if (rotation.role !== undefined) return withRole(fresh, rotation.role, now, lifetimes)
  const { authHash } = rotation
  return authHash === undefined ? fresh : withFields(fresh, { authHash, authCheckedAt: now })
}

/**
 * Returns the methods of a confirmed login, if a replaced id came back since the request read the record. Then the
 * methods from before are left out, because somebody else may have used them.
 */
function methodsBeside({ isForked }: SessionRecord, { identity }: Rotation): Pick<Identity, 'methods'> | undefined {
  const { methods, usedNow } = identity ?? {}
  if (!isForked || methods === undefined || usedNow === undefined) return undefined
  return { methods: methods.filter(({ name }) => usedNow.includes(name)) }
}

/**
 * Returns the binding that outlives a change of id. A login ends it, because it was another login that was bound. A
 * fresh proof of the user ends a binding whose cookie never came back, so that the browser is offered another. A bound
 * cookie that came with this request has come back.
 */
function bindingAfter(record: SessionRecord, { rotation, presented }: Work): string | null {
  const { deviceKey } = record
  if (deviceKey === null || rotation?.reason === 'login' || rotation?.reason === 'pending') return null
  if (isBindingShown(deviceKey)) return deviceKey
  if (presented?.evidenceFor(record) === 'proven') return withBindingShown(deviceKey)
  return rotation?.reason === 'confirm' ? null : deviceKey
}

/** Returns the data without a key, unless the request itself left the key in its data. */
function without(key: string | undefined, json: string, own: string): string {
  if (key === undefined || !json.includes(key) || Object.hasOwn(parseData(own), key)) return json
  const { [key]: _dropped, ...rest } = parseData(json)
  return JSON.stringify(rest)
}
