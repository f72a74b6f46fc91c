import type { Answer } from './immediate.ts'
import { afterwards } from './immediate.ts'
import { AnsweringStore } from './timed-store.ts'
import type { SessionRecord } from '../../types/index.ts'

/** A store that tells what this process does to its records. */
export class ObservedStore extends AnsweringStore {
  /** Hears of a record that was replaced, or that went: then there is none. A touch is not told. */
  onChange: ((handle: string, record: SessionRecord | undefined) => void) | undefined

  override update(record: SessionRecord, version: number): Answer<boolean> {
    return afterwards(super.update(record, version), (isDone) => {
      if (isDone) this.onChange?.(record.handle, record)
      return isDone
    })
  }

  override delete(handle: string, version?: number): Answer<boolean> {
    return afterwards(super.delete(handle, version), (isDone) => {
      if (isDone) this.onChange?.(handle, undefined)
      return isDone
    })
  }
}
