import { createHash } from 'node:crypto'
import type { SessionRecord } from '../../types/index.ts'
import { isRecord } from '../session/record.ts'

/** The values that a store may keep beside the text of a record, because a touch changes them. */
export type Moving = Pick<SessionRecord, 'lastSeenAt' | 'idleDeadline'>

/** A record as JSON on one line. */
export function encodeRecord(record: SessionRecord): string {
  return JSON.stringify(record)
}

/** The record behind a text, with what has moved since it was written; `undefined` when it is not the whole of one. */
export function decodeRecord(text: string, moved?: Moving): SessionRecord | undefined {
  try {
    const value: unknown = { ...JSON.parse(text), ...moved }
    return isRecord(value) ? value : undefined
  } catch {
    return undefined
  }
}

/** The texts that every server takes without quoting, and that are not too long for an index. */
const PLAIN = /^[\w.:@|+=~/-]{1,128}$/

/**
 * Returns a handle or a user id as a key that every server takes. A short and plain text is its own key; any other text
 * becomes `#` and its SHA-256. Two texts never have one key. An encoding to UTF-8 would mix up lone surrogates, and the
 * limit of a server would cut long texts.
 */
export function keyOf(name: string): string {
  return PLAIN.test(name) ? name : `#${createHash('sha256').update(name, 'utf16le').digest('base64url')}`
}
