import type { SessionRecord } from '../../../types/index.ts'
import { bothUsers } from '../actor.ts'
import type { Binding, PublicKey } from './binding.ts'
import { afterProof, readBinding, writeBinding } from './binding.ts'
import type { CookieChange } from '../cookie-change.ts'
import type { Proof } from './jws.ts'
import { verifyProof } from './jws.ts'
import type { DeviceProofs } from './proofs.ts'
import type { Engine } from '../engine.ts'
import { parentOf } from '../id.ts'
import { isRenewalDue } from '../lifetime.ts'
import { learnedByProof } from './judge-proof.ts'
import type { DeviceRequest, Grant } from './register.ts'
import { grantOf } from './register.ts'
import { updateRecord } from '../update-record.ts'
import { GRACE } from '../verdict.ts'

/** A refresh, as the browser sends it. */
export interface RefreshRequest extends DeviceRequest {
  /** The session identifier that the browser names. */
  readonly bindingId: string
}

/**
 * The answer to a refresh:
 * - `ended`: the browser can forget the binding, because the session ended or is bound in another way;
 * - `later`: a parallel response carries a newer session cookie, so the browser has to come again;
 * - `challenge`: a proof is missing, or is no proof, or is one over a challenge that counts no more;
 * - `refreshed`: a new bound cookie, and perhaps a new session id.
 */
export type RefreshAnswer =
  | { readonly kind: 'ended' | 'later' }
  | { readonly kind: 'challenge'; readonly bindingId: string; readonly challenge: string }
  | { readonly kind: 'refreshed'; readonly grant: Grant; readonly cookie: CookieChange | undefined }

/** The reason why a proof counts for nothing. A stale challenge is no sign of theft. */
type Failure = 'stale' | 'signature' | 'replayed'

/** One step of a refresh on one version of the record. */
interface Step {
  readonly answer: RefreshAnswer
  readonly change?: Partial<SessionRecord>
  readonly record?: SessionRecord
  readonly failure?: Failure
}

const ENDED: Step = { answer: { kind: 'ended' } }
const LATER: Step = { answer: { kind: 'later' } }

/**
 * Answers a refresh with one read and, if the proof counts, one write. Only a proof changes the record, so that nobody
 * without the key can spoil a challenge. Session ids are renewed here, where the key has just been proved.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_SUPERSEDED`
 */
export async function refreshDevice(
  engine: Engine,
  device: DeviceProofs,
  request: RefreshRequest,
): Promise<RefreshAnswer> {
  const verify = onceFor(request.jws)
  let step = ENDED
  const isWritten = await updateRecord(engine, request.id.handle, async (record) => {
    step = await stepOn(engine, device, request, record, verify)
    return step.change
  })
  // A logout or a revocation came between the read and the write.
  if (step.change !== undefined && !isWritten) step = ENDED
  report(engine, device, request, step)
  return step.answer
}

/** Returns a function that verifies a proof against a key, once for all attempts of a compare-and-set. */
function onceFor(jws: string): (key: PublicKey) => Promise<Proof | undefined> {
  const known = new Map<string, Promise<Proof | undefined>>()
  return (key) => {
    const name = `${key.x}.${key.y}`
    const verified = known.get(name) ?? verifyProof(jws, key)
    known.set(name, verified)
    return verified
  }
}

async function stepOn(
  engine: Engine,
  device: DeviceProofs,
  request: RefreshRequest,
  record: SessionRecord,
  verify: (key: PublicKey) => Promise<Proof | undefined>,
): Promise<Step> {
  const { id, jws, bindingId } = request
  const now = engine.settings.clock()
  const { handle, epoch, rotatedAt, deviceKey } = record
  if (id.epoch !== epoch) return id.epoch < epoch && now - rotatedAt < GRACE ? LATER : ENDED
  const binding = deviceKey === null ? undefined : readBinding(deviceKey)
  if (binding === undefined || (bindingId !== '' && bindingId !== binding.id)) return ENDED
  const open = device.challenge(handle, binding, now)
  const asked: Step = { answer: { kind: 'challenge', bindingId: binding.id, challenge: open }, record }
  if (jws === '') return asked
  const proof = await verify(binding.key)
  if (proof === undefined) return { ...asked, failure: 'signature' }
  const challenge = device.matchChallenge(proof.challenge, handle, binding, now)
  if (challenge === undefined) return { ...asked, failure: 'stale' }
  const next = afterProof(binding, challenge, proof.print)
  return typeof next === 'string' ? { ...asked, failure: next } : refreshed(engine, device, request, record, next, now)
}

function refreshed(
  engine: Engine,
  device: DeviceProofs,
  { id, client }: RefreshRequest,
  record: SessionRecord,
  binding: Binding,
  now: number,
): Step {
  const { handle, epoch, remember, absoluteDeadline } = record
  const learned = learnedByProof(record, id, now)
  const change = { ...learned, deviceKey: writeBinding(binding) }
  const grant = grantOf(device, handle, binding, now)
  if (!isRenewalDue(learned, now, engine.settings.renewalTimeout)) {
    return { answer: { kind: 'refreshed', grant, cookie: undefined }, change, record }
  }
  const lineage = { generation: learned.generation + 1, issuedAt: now, parent: parentOf(learned.secretHash) }
  const { cookieValue } = engine.ids.mint(handle, epoch, lineage, client.connection)
  const expiresAt = remember ? absoluteDeadline : undefined
  const cookie: CookieChange = { kind: 'set', value: cookieValue, expiresAt, renewedAt: now, binds: undefined }
  return { answer: { kind: 'refreshed', grant, cookie }, change, record }
}

function report(engine: Engine, device: DeviceProofs, { client }: RefreshRequest, step: Step): void {
  const { events, settings } = engine
  const { answer, record, failure } = step
  if (record === undefined) return
  const { handle, userId } = record
  const both = bothUsers(record)
  if (answer.kind === 'refreshed') {
    events.emit({ type: 'refreshed', handle, userId, ...both })
    if (answer.cookie !== undefined) events.emit({ type: 'renew', handle, ...both })
  }
  if (failure === undefined || failure === 'stale' || !device.isNews(handle, failure, settings.clock())) return
  const { userAgent, ip } = client
  const facts = { reason: failure, device: record.device, client: { userAgent, ip } }
  events.emit({ type: 'proof-failed', handle, userId, ...both, ...facts })
}
