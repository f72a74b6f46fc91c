import type { SessionRecord } from '../../types/index.ts'
import { decodeRecord } from './codec.ts'

/** `<version> <lastSeenAt> <idleDeadline> <write>`, then JSON. */
const VALUE = /^(\d+) (\S+) (\S+) \S+\n/

/** The record behind a value; `undefined` when it is not a whole one. */
export function decodeValue(value: string): SessionRecord | undefined {
  const head = VALUE.exec(value)
  if (head === null) return undefined
  const [line, version, lastSeenAt, idleDeadline] = head
  const moved = { lastSeenAt: Number(lastSeenAt), idleDeadline: Number(idleDeadline) }
  const record = decodeRecord(value.slice(line.length), moved)
  return record?.version === Number(version) ? record : undefined
}

/** A value as text, however the app's client gives it. */
export function textOf(value: string | Uint8Array): string {
  return typeof value === 'string' ? value : Buffer.from(value).toString()
}

/** A cutoff that cannot be read lets nobody in, because it may be any instant. */
export function cutoffOf(value: unknown): number {
  const cutoff = Number(value === '' ? Number.NaN : value)
  if (Number.isFinite(cutoff)) return cutoff
  throw new Error('the cutoff in the store is no number')
}

/**
 * Returns the remaining life in whole milliseconds, by the clock of this process, which need not agree with the
 * server's.
 */
export function lifeUntil(deadline: number, now: number): number {
  return Math.max(1, Math.ceil(deadline - now))
}

/** The scripts answer with 1 for `true`. */
export function isDone(answer: unknown): boolean {
  return Number(answer) === 1
}
