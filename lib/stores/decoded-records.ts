import type { SessionRecord } from '../../types/index.ts'
import { Recent } from '../storage/recent.ts'

/** The number of records in each of two generations: about 15 MB of ordinary records. */
const REMEMBERED = 5000
const MAX_REMEMBERED_LENGTH = 2048

/**
 * Records beside the texts from which the records were read. Most requests only read, so a server gives the same text
 * many times between two writes. Parsing and examining this text costs more than the rest of a read.
 */
export class DecodedRecords {
  readonly #recent = new Recent<{ readonly text: string; readonly record: SessionRecord }>(REMEMBERED)

  /** Returns the record that `decode` makes of a text, from memory when the handle had the same text before. */
  find(handle: string, text: string, decode: (text: string) => SessionRecord | undefined): SessionRecord | undefined {
    const known = this.known(handle, text)
    if (known !== undefined) return known
    const record = decode(text)
    if (record === undefined || text.length > MAX_REMEMBERED_LENGTH) return record
    // Several requests get the same object.
    this.#recent.set(handle, { text, record: Object.freeze(record) })
    return record
  }

  /** Returns the record of a text that the handle had before, from memory. */
  known(handle: string, text: string): SessionRecord | undefined {
    const known = this.#recent.get(handle)
    return known?.text === text ? known.record : undefined
  }
}
