import type { SessionRecord } from '../../types/index.ts'
import { decodeRecord } from './codec.ts'
import type { PostgresQuery, PostgresResult } from './postgres-pool.ts'
import type { Statement } from './postgres-sql.ts'

/** The whole records of a result. */
export function recordsIn({ rows }: PostgresResult): SessionRecord[] {
  return rows.flatMap((row) => decodeHeld(String(row['held'])) ?? [])
}

/** `<lastSeenAt> <idleDeadline> ` and the record. */
export function decodeHeld(held: string): SessionRecord | undefined {
  const [first, second] = [held.indexOf(' '), held.indexOf(' ', held.indexOf(' ') + 1)]
  const moved = { lastSeenAt: Number(held.slice(0, first)), idleDeadline: Number(held.slice(first, second)) }
  return decodeRecord(held.slice(second), moved)
}

/** A statement with its values. */
export function asked({ name, text }: Statement, ...values: unknown[]): PostgresQuery {
  return { name, text, values }
}
