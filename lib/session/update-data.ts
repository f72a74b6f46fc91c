import { SecureSessionError } from '../errors.ts'
import type { SessionRecord } from '../../types/index.ts'
import { withFields } from './copy-record.ts'
import type { Engine } from './engine.ts'
import type { SessionData } from './json-data.ts'
import { parseData, rebase, refuseOversize, refuseReserved, serialize } from './json-data.ts'
import { readLiveRecord } from './live-record.ts'
import type { LiveSession } from './load-session.ts'
import { trust } from './record.ts'
import type { RequestData } from './request-data.ts'

/** A change of session data. The object is a draft, which the change alters. */
export type DataChange<Result> = (draft: SessionData) => Result | Promise<Result>

/** The session of a request as an update works on it. */
export interface UpdatedSession {
  readonly engine: Engine
  readonly data: RequestData
  /** Tells whether this data is still that of the session. */
  isCurrent(): boolean
  /** The record that the data is stored in; `undefined` if the data waits for the response instead. */
  live(): LiveSession | undefined
  /** Notes what is in the store by now. */
  useRecord(live: LiveSession, record: SessionRecord): void
  /** Forgets a record that is gone, or somebody else's. */
  lose(reason: 'gone' | 'epoch'): void
  /** Runs store operations one at a time. */
  run(work: () => Promise<void>): Promise<void>
}

/** The data that a change starts from. */
interface Start {
  /** The session, and its record as it is in the store; `undefined` if the data waits for the response. */
  readonly stored: { readonly live: LiveSession; readonly record: SessionRecord } | undefined
  /** The data of this request, as JSON. */
  readonly seen: string
  /** The stored data, with the changes that this request made to it. */
  readonly before: string
}

/** The number of attempts at a change while other writes come between. */
const ATTEMPTS = 100

/**
 * Reads the data, changes it and writes it, if nobody else wrote meanwhile. Otherwise the change is made again, on the
 * newer data.
 * @throws `SESSION_SUPERSEDED`, `SESSION_ENDED`, `SESSION_RECORD_TOO_LARGE`, `SESSION_VALUE_UNSERIALIZABLE`,
 * `SESSION_KEY_RESERVED`, `SESSION_STORE_UNAVAILABLE`
 */
export async function updateData<Result>(session: UpdatedSession, change: DataChange<Result>): Promise<Result> {
  const { maxRecordSize } = session.engine.settings
  for (let attempt = 0; attempt < ATTEMPTS; attempt += 1) {
    const start = await read(session)
    const draft = parseData(start.before)
    const result = await change(draft)
    for (const key of Object.keys(draft)) refuseReserved(key)
    const after = serialize(draft, maxRecordSize)
    refuseOversize(after, maxRecordSize)
    if (await write(session, start, after)) return result
  }
  throw new SecureSessionError('SESSION_SUPERSEDED')
}

/** Returns a change of one key. A change to `undefined` removes the key. */
export function changeOfKey<Result>(
  key: string,
  change: (value: unknown) => Result | Promise<Result>,
): DataChange<Result> {
  return async (draft) => {
    refuseReserved(key)
    const value = await change(draft[key])
    draft[key] = value
    return value
  }
}

async function read(session: UpdatedSession): Promise<Start> {
  let start: Start | undefined
  await session.run(async () => {
    if (!session.isCurrent()) throw new SecureSessionError('SESSION_ENDED')
    const stored = await latest(session)
    const { from, to: seen } = session.data.edit(session.engine.settings.maxRecordSize)
    const before = stored === undefined ? seen : rebase(stored.record.data, from, seen)
    start = { stored, seen, before }
  })
  return start as Start
}

/** Returns the record as it is in the store, if it is still this session's. */
async function latest(session: UpdatedSession): Promise<Start['stored']> {
  const live = session.live()
  if (live === undefined) return undefined
  const record = await readLiveRecord(session.engine, live.record.handle)
  if (record?.epoch === live.record.epoch) return { live, record }
  session.lose(record === undefined ? 'gone' : 'epoch')
  throw new SecureSessionError('SESSION_SUPERSEDED')
}

/** Writes the data; `false` if something else was written first. */
async function write(session: UpdatedSession, { stored, seen }: Start, after: string): Promise<boolean> {
  let isWritten = false
  await session.run(async () => {
    if (!session.isCurrent()) throw new SecureSessionError('SESSION_ENDED')
    const { data, engine } = session
    if (stored === undefined) {
      isWritten = data.edit(engine.settings.maxRecordSize).to === seen && session.live() === undefined
      if (isWritten) data.adopt(after, seen, seen, false)
      return
    }
    const { live, record } = stored
    const next = withFields(record, { data: after, version: record.version + 1 })
    isWritten = await engine.store.update(next, record.version)
    if (!isWritten) return
    trust(next)
    session.useRecord(live, next)
    // The request may have changed its data while the store wrote.
    data.adopt(after, seen, data.edit(engine.settings.maxRecordSize).to, true)
  })
  return isWritten
}
