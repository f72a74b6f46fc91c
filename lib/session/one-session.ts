import { SecureSessionError } from '../errors.ts'
import type { SessionDetails } from '../../types/index.ts'
import { personOf } from './actor.ts'
import type { Engine } from './engine.ts'
import { parseData, refuseOversize, refuseReserved, serialize } from './json-data.ts'
import type { SessionData } from './json-data.ts'
import { readLiveRecord } from './live-record.ts'
import { detailsOf } from './session-info.ts'
import { updateRecord } from './update-record.ts'

/** A function that changes session data: in place, or by returning the new data. */
export type DataChange = (data: SessionData) => SessionData | void | Promise<SessionData | void>

/**
 * Returns one session's facts and data; `undefined` when no such session lives.
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function getSession(engine: Engine, handle: string): Promise<SessionDetails | undefined> {
  const record = await readLiveRecord(engine, handle)
  return record === undefined ? undefined : detailsOf(record)
}

/**
 * Changes the data of one session by compare-and-set. `change` runs again, on the latest data, when another write came
 * between.
 * @throws `SESSION_SUPERSEDED`, `SESSION_STORE_UNAVAILABLE`, `SESSION_VALUE_UNSERIALIZABLE`, `SESSION_RECORD_TOO_LARGE`
 */
export async function updateSession(engine: Engine, handle: string, change: DataChange): Promise<boolean> {
  return updateRecord(engine, handle, async (record) => ({ data: await changed(engine, record.data, change) }))
}

/** Gives a session another label, if this user is there in person. */
export async function renameSession(
  engine: Engine,
  handle: string,
  userId: string,
  label: string | null,
): Promise<boolean> {
  return updateRecord(engine, handle, (record) => (personOf(record) === userId ? { label } : undefined))
}

async function changed({ settings }: Engine, json: string, change: DataChange): Promise<string> {
  const data = parseData(json)
  const result = (await change(data)) ?? data
  if (typeof result !== 'object' || Array.isArray(result)) {
    throw new SecureSessionError('SESSION_OPTION_INVALID', {
      detail: 'the function of update returns an object, or nothing',
    })
  }
  for (const key of Object.keys(result)) refuseReserved(key)
  const next = serialize(result)
  refuseOversize(next, settings.maxRecordSize)
  return next
}
