import { AnsweringStore } from './session/answering-store.ts'
import type { SessionRecord } from '../types/index.ts'

/** A store that tells what this process does to its records. */
export class ObservedStore extends AnsweringStore {
  /** Hears of a record that was replaced, or that went: then there is none. A touch is not told. */
  onChange: ((handle: string, record: SessionRecord | undefined) => void) | undefined

  override async update(record: SessionRecord, version: number): Promise<boolean> {
    const isDone = await super.update(record, version)
    if (isDone) this.onChange?.(record.handle, record)
    return isDone
  }

  override async delete(handle: string, version?: number): Promise<boolean> {
    const isDone = await super.delete(handle, version)
    if (isDone) this.onChange?.(handle, undefined)
    return isDone
  }
}
