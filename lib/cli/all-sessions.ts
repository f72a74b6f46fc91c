import type { RecordPage, SessionRecord } from '../../types/index.ts'
import { readName } from '../session/namespace.ts'
import { show } from '../guard/read/show-value.ts'

/** One page of all sessions for programs. Nobody is logged in where `userId` is null. */
export function pageAsData({ records, next }: RecordPage): object {
  return { schemaVersion: 1, sessions: records.map((record) => infoOf(record)), next: next ?? null }
}

function infoOf(record: SessionRecord): object {
  const { handle, userId: name, authenticatedAt, remember, device } = record
  return {
    handle,
    ...(name === null ? { namespace: '', userId: null } : readName(name)),
    createdAt: new Date(record.createdAt),
    authenticatedAt: authenticatedAt === null ? null : new Date(authenticatedAt),
    lastSeenAt: new Date(record.lastSeenAt),
    idleDeadline: new Date(record.idleDeadline),
    absoluteDeadline: new Date(record.absoluteDeadline),
    remember,
    device,
  }
}

const HEADINGS = ['HANDLE', 'LAST SEEN', 'ENDS UNLESS USED', 'USER', 'FROM'] as const

/** One page of all sessions as a table, with the command for the following page. */
export function pageAsTable({ records, next }: RecordPage): string {
  const rows = [HEADINGS, ...records.map((record) => cellsOf(record))]
  // Each row has a cell for each heading.
  const widths = HEADINGS.map((_, column) => Math.max(...rows.map((row) => (row[column] as string).length)))
  const lines = rows.map((row) =>
    row
      .map((cell, column) => cell.padEnd(widths[column] as number))
      .join('  ')
      .trimEnd(),
  )
  const table = records.length === 0 ? 'No sessions on this page.' : lines.join('\n')
  return next === undefined ? table : `${table}\n\nThere are more: --after ${next}`
}

/** Quotes a text that a client or an app chose, because the text may hold anything. */
function cellsOf({ handle, lastSeenAt, idleDeadline, userId, device }: SessionRecord): readonly string[] {
  const user = userId === null ? '-' : userOf(userId)
  return [handle, timeOf(lastSeenAt), timeOf(idleDeadline), user, device === null ? '-' : show(device.ip)]
}

function userOf(name: string): string {
  const { namespace, userId } = readName(name)
  return namespace === '' ? show(userId) : `${show(userId)} of ${namespace}`
}

function timeOf(instant: number): string {
  return new Date(instant).toISOString()
}
