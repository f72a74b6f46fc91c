import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { familyOf } from '../../lib/session/device.ts'
import type { Client, Engine } from '../../lib/session/engine.ts'
import type { Lineage, PresentedId } from '../../lib/session/id.ts'
import { newHandle } from '../../lib/session/id.ts'
import type { Loaded } from '../../lib/session/load-session.ts'
import { loadSession } from '../../lib/session/load-session.ts'
import { placesOf } from '../../lib/session/places.ts'
import { answerAtOnce } from '../../lib/storage/immediate.ts'
import { TimedStore } from '../../lib/storage/timed-store.ts'
import { IDLE, recordAt } from '../../lib/testing/contract/check.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import type { SecureSessionOptions, SessionEvent, SessionRecord } from '../../types/index.ts'
import { coreOnly } from '../plugin/stores.ts'
import type { Bench } from '../support/app.ts'
import { boot } from '../support/app.ts'

/** The client that the sessions of these tests belong to. */
export const OWNER: Client = { protocol: 'https', ip: '203.0.113.7', userAgent: 'Firefox/140.0' }

/** A session in the store of an app, with the id in use. */
export interface Stored {
  readonly record: SessionRecord
  readonly id: PresentedId
}

/** An app, of whose engine a test calls the parts. The store still has records after their end. */
export interface Desk {
  readonly bench: Bench
  readonly engine: Engine
  /** Records that the store may hand out without being asked, as a cache does. */
  readonly cached: Map<string, SessionRecord>
  /** Stores a session with its places in the index. */
  readonly put: (changes?: Partial<SessionRecord>) => Promise<Stored>
  /** Returns an id of a session that is not the one in use. */
  readonly idOf: (stored: Stored, epoch: number, lineage?: Lineage) => PresentedId
  readonly load: (id: PresentedId, client?: Client) => Promise<Loaded>
  /** Returns the events since the last call. */
  readonly events: () => SessionEvent[]
  /** Returns the names in the index under which a session is found. */
  readonly places: (record: SessionRecord) => Promise<string[]>
  /** The reasons of ends that open connections heard of. */
  readonly ends: unknown[]
  /** Returns the operations of the store since the last call. */
  readonly asked: () => string[]
}

/** Boots an app whose store lets a test decide what happens first. */
export async function desk(t: Test, session: SecureSessionOptions = {}): Promise<Desk> {
  const cached = new Map<string, SessionRecord>()
  const bench = await boot(t, () => memoryStore({ clock: () => 0 }), { session })
  const shared = await engineOf(bench.app)
  const ends: unknown[] = []
  const store = coreOnly(bench.gate.store)
  answerAtOnce(store, { recall: (handle) => cached.get(handle) })
  const engine = { ...shared, store: new TimedStore(store, 60_000, shared.events, shared.settings.namespace) }
  const { onChange } = shared.store
  for (const one of [shared.store, engine.store]) {
    one.onChange = (handle, record, why) => {
      if (record === undefined) ends.push(why)
      onChange?.(handle, record, why)
    }
  }
  const put: Desk['put'] = async (changes = {}) => {
    const handle = newHandle()
    const epoch = 2
    const { cookieValue, secretHash } = engine.ids.mint(handle, epoch, { generation: 5, issuedAt: 0, parent: '' })
    const plain = { tip: null, rivals: [], deviceKey: null, isForked: false, family: familyOf(OWNER.userAgent) }
    const record = recordAt(bench.clock(), { handle, secretHash, epoch, generation: 5, ...plain, ...changes })
    await engine.store.create(record)
    for (const { name, until } of placesOf(record)) await shared.store.addToIndex(name, record.handle, until)
    bench.gate.operations.length = 0
    return { record, id: engine.ids.read(cookieValue) as PresentedId }
  }
  return {
    bench,
    engine,
    cached,
    put,
    idOf: ({ record }, epoch, lineage) =>
      engine.ids.read(engine.ids.mint(record.handle, epoch, lineage).cookieValue) as PresentedId,
    load: async (id, client = OWNER) => loadSession(engine, id, client),
    events: () => bench.events.splice(0),
    ends,
    places: async (record) => {
      const names = placesOf(record).map(({ name }) => name)
      const found = await Promise.all(names.map(async (name) => shared.store.listIndex(name)))
      return names.filter((_name, nth) => found[nth]?.some(({ handle }) => handle === record.handle))
    },
    asked: () => bench.gate.operations.splice(0).map(({ name }) => name),
  }
}

/** Returns the fields of a session in which an admin acts as its user. */
export function acting(now: number): Partial<SessionRecord> {
  const person = { userId: 'admin', user: '{"id":"admin"}', authHash: null, methods: [], remember: false }
  const instants = { authCheckedAt: now, userAt: 0, since: now, absoluteDeadline: now + IDLE }
  return { acting: { ...person, ...instants, lifetimes: null, data: '{}', reason: 'a ticket' } }
}
