import type { SessionRecord } from '../../types/index.ts'

/** How many records are kept, and how long the text of one may be: a few megabytes at the most. */
const MOST = 1000
const LONGEST = 4096

/**
 * Records beside the texts they were read from. Most requests only read: between two writes a server gives the same text again
 * and again, and to parse and examine it costs more than all else about a read.
 */
export class DecodedRecords {
  readonly #kept = new Map<string, { readonly text: string; readonly record: SessionRecord }>()

  /** What `decode` makes of a text, or has made of the very same text under this handle. */
  find(handle: string, text: string, decode: (text: string) => SessionRecord | undefined): SessionRecord | undefined {
    const kept = this.#kept.get(handle)
    if (kept?.text === text) return kept.record
    this.#kept.delete(handle)
    const record = decode(text)
    if (record === undefined || text.length > LONGEST) return record
    for (const oldest of this.#kept.keys()) {
      if (this.#kept.size < MOST) break
      this.#kept.delete(oldest)
    }
    // Several requests get the same object.
    this.#kept.set(handle, { text, record: Object.freeze(record) })
    return record
  }
}
