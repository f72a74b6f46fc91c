import type { SessionStore } from '../../types/index.ts'

/** Returns a store with the five core methods and nothing else. */
export function coreOnly(store: SessionStore): SessionStore {
  return {
    get: (handle, reports) => store.get(handle, reports),
    create: (record) => store.create(record),
    update: (record, version) => store.update(record, version),
    touch: (handle, version, seen) => store.touch(handle, version, seen),
    delete: (handle, version) => store.delete(handle, version),
  }
}
