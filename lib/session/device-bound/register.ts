import type { SessionRecord } from '../../../types/index.ts'
import type { Binding } from './binding.ts'
import { newBinding, writeBinding } from './binding.ts'
import type { DeviceProofs } from './proofs.ts'
import { verifyRegistration } from './jws.ts'
import type { Client, Engine } from '../engine.ts'
import type { PresentedId } from '../id.ts'
import { presentationOf } from '../load-session.ts'
import { updateRecord } from '../update-record.ts'
import { judge } from '../verdict.ts'

/** A request of the protocol: the id of the ordinary session cookie, and what the browser signed. */
export interface DeviceRequest {
  readonly id: PresentedId
  /** The proof as it stands in the header; empty for none. */
  readonly jws: string
  readonly client: Client
}

/** The reward of a proof: the bound cookie, and the challenge for the next proof. */
export interface Grant {
  readonly bindingId: string
  readonly cookieValue: string
  readonly challenge: string
}

/**
 * Binds a session to the key of a registration, in one compare-and-set. `undefined`: the registration is refused. The
 * challenge has to be that of the login that the session has now, and not too old. A bound session stays as it is,
 * because a copy of the registration would open it otherwise.
 * @throws `SESSION_STORE_UNAVAILABLE`, `SESSION_SUPERSEDED`
 */
export async function registerDevice(
  engine: Engine,
  device: DeviceProofs,
  request: DeviceRequest,
): Promise<Grant | undefined> {
  const { handle, epoch } = request.id
  const { clock } = engine.settings
  const proof = await verifyRegistration(request.jws)
  if (proof === undefined || !device.isOffer(proof.challenge, handle, epoch, clock())) return undefined
  const binding = newBinding(proof.key)
  let userId: string | null = null
  const isBound = await updateRecord(engine, handle, (record) => {
    ;({ userId } = record)
    return isBindable(engine, record, request) ? { deviceKey: writeBinding(binding) } : undefined
  })
  if (!isBound || userId === null) return undefined
  engine.events.emit({ type: 'bound', handle, userId })
  return grantOf(device, handle, binding, clock())
}

/** Tells whether the id of a request opens a session in which somebody is logged in, and which is not bound yet. */
function isBindable(engine: Engine, record: SessionRecord, { id, client }: DeviceRequest): boolean {
  if (record.userId === null || record.deviceKey !== null) return false
  return judge(record, presentationOf(engine, record, id, client), engine.settings.clock()).kind === 'enter'
}

/** Makes the bound cookie and the next challenge. */
export function grantOf(device: DeviceProofs, handle: string, binding: Binding, now: number): Grant {
  const { id } = binding
  return {
    bindingId: id,
    cookieValue: device.mintCookie(handle, id, now),
    challenge: device.challenge(handle, binding, now),
  }
}
