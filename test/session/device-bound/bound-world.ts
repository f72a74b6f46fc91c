import type { Test } from 'tap'
import { newBinding, writeBinding } from '../../../lib/session/device-bound/binding.ts'
import type { Binding } from '../../../lib/session/device-bound/binding.ts'
import type { DeviceProofs } from '../../../lib/session/device-bound/proofs.ts'
import type { Client } from '../../../lib/session/engine.ts'
import type { Lineage, PresentedId } from '../../../lib/session/id.ts'
import { newHandle } from '../../../lib/session/id.ts'
import type { SessionEvent, SessionRecord } from '../../../types/index.ts'
import { Device } from '../../support/device.ts'
import type { EngineWorld } from '../engine-world.ts'
import { engineWorld } from '../engine-world.ts'
import { ownedBy } from '../records.ts'

export const CLIENT: Client = { protocol: 'https', ip: '192.0.2.7', userAgent: 'a browser' }

/** The epoch of the sessions here. */
export const EPOCH = 2

/** An app that binds sessions to devices, and one device. */
export interface BoundWorld extends EngineWorld {
  readonly device: Device
  readonly key: Binding['key']
  readonly proofs: DeviceProofs
  /** Stores a session of ann whose id in use is the one that is returned. */
  readonly session: (changes?: Partial<SessionRecord>, lineage?: Lineage) => Promise<Session>
  /** Makes another id of a session. */
  readonly idOf: (handle: string, epoch: number, lineage?: Lineage) => PresentedId
  /** Returns the events since the last call, without their instants. */
  readonly told: () => object[]
}

interface Session {
  readonly record: SessionRecord
  readonly id: PresentedId
}

export async function boundWorld(t: Test): Promise<BoundWorld> {
  const it = await engineWorld(t, { session: { deviceBound: true } })
  const { engine, clock, events, put } = it
  const proofs = engine.device
  if (proofs === undefined) throw new Error('the app binds no session')
  const idOf: BoundWorld['idOf'] = (handle, epoch, lineage) => {
    const id = engine.ids.read(engine.ids.mint(handle, epoch, lineage).cookieValue)
    if (typeof id === 'string') throw new Error(id)
    return id
  }
  const device = new Device()
  return {
    ...it,
    device,
    key: keyOf(device),
    proofs,
    idOf,
    told: () => events.splice(0).map(({ at: _at, ...facts }: SessionEvent) => facts),
    async session(changes = {}, lineage = { generation: 3, issuedAt: clock(), parent: '' }) {
      const id = idOf(newHandle(), EPOCH, lineage)
      const { handle, secretHash, generation, issuedAt: rotatedAt, parent } = id
      const used = { handle, secretHash, epoch: EPOCH, generation, rotatedAt, parent, tip: null, rivals: [] }
      const fresh = { isForked: false, deviceKey: null, ...ownedBy('ann') }
      return { id, record: await put({ ...used, ...fresh, ...changes }) }
    },
  }
}

/** Returns the key of a device as a binding keeps it. */
export function keyOf(device: Device): Binding['key'] {
  const { x, y } = device.jwk as { x: string; y: string }
  return { x, y }
}

/** Returns a binding that the browser has shown, and its text. */
export function shownBinding(key: Binding['key']): { readonly binding: Binding; readonly deviceKey: string } {
  const binding = { ...newBinding(key), isShown: true }
  return { binding, deviceKey: writeBinding(binding) }
}
