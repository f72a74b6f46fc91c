import type { Clocked, Cutoff, Enumerating, SessionStore, Sweeping, UserIndex } from '../../../types/index.ts'
import { StoreUnusable } from './drivers.ts'

/** A store with its connection. */
export interface OpenedStore {
  readonly store: SessionStore & UserIndex & Enumerating & Cutoff & Partial<Sweeping & Clocked>
  close(): Promise<void>
}

/** The way in which a store is opened. */
export interface OpenSettings {
  /** Folders of projects that may have the driver, the first one before the others. */
  readonly from: readonly [string, ...string[]]
  /** An app creates what is missing and connects again after a loss. A command does neither. */
  readonly isApp: boolean
  readonly table?: string | undefined
  readonly prefix?: string | undefined
}

/** A URL that names no store. */
export class StoreUrlError extends StoreUnusable {}

/** A table's name that no server takes. */
export class StoreTableError extends StoreUnusable {}

/** The time that a connection may take, in milliseconds. */
export const CONNECT_TIMEOUT = 5_000

/** Makes a store; a complaint of its own is about the name of the table, since nothing else comes from outside. */
export function withTable<Store>(open: () => Store): Store {
  try {
    return open()
  } catch (error) {
    throw error instanceof TypeError ? new StoreTableError(error.message) : error
  }
}
