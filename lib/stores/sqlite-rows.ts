import type { SessionRecord } from '../../types/index.ts'
import { decodeRecord, keyOf } from './codec.ts'

/** A row of the table of records, without its key. */
export interface Row {
  readonly version: number | bigint
  readonly lastSeenAt: number
  readonly idleDeadline: number
  readonly record: string
}

/** A row with its key. */
export interface NamedRow extends Row {
  readonly handle: string
}

/** The record of a row; `undefined` when it cannot be read. */
export function recordOf({ lastSeenAt, idleDeadline, record: text, version }: Row): SessionRecord | undefined {
  const record = decodeRecord(text, { lastSeenAt, idleDeadline })
  return record?.version === Number(version) ? record : undefined
}

/** The records of many rows. Rows that cannot be read are passed over. */
export function recordsIn(rows: readonly NamedRow[]): SessionRecord[] {
  return rows.flatMap((row) => {
    const record = recordOf(row)
    return record !== undefined && keyOf(record.handle) === row.handle ? [record] : []
  })
}
