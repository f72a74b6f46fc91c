import { memoryStore } from '../index.ts'
import type { SessionStore } from '../../types/index.ts'

/** Where the bank keeps its sessions: the one place to choose. */
export function chooseStore(): SessionStore {
  return memoryStore()
}
