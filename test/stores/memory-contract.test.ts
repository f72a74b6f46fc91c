import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { storeContract } from '../../lib/testing/index.ts'
import type { ContractPart } from '../../lib/testing/index.ts'
import type { SessionRecord, SessionStore, Sweeping } from '../../types/index.ts'

t.comment('no record in memory can be damaged, and the clock of a store in memory is the one of its process')
const FOREIGN: readonly ContractPart[] = ['damage', 'clock']
for (const check of storeContract((clock) => ({ store: memoryStore({ clock }) }))) {
  if (!FOREIGN.includes(check.part)) t.test(check.name, () => check.run())
}

t.test('a store with one power fails the checks of the other powers, and no others', async (t) => {
  const open = (clock: () => number): { store: SessionStore & Sweeping } => {
    const real = memoryStore({ clock })
    return {
      store: {
        get: (handle) => real.get(handle),
        create: (record) => real.create(record),
        update: (record, version) => real.update(record, version),
        touch: (handle, version, seen) => real.touch(handle, version, seen),
        delete: (handle, version) => real.delete(handle, version),
        sweep: (now, limit) => real.sweep(now, limit),
      },
    }
  }
  for (const check of storeContract(open)) {
    const isKept = ['records', 'atomic', 'sweep'].includes(check.part)
    if (!isKept) await t.rejects(check.run(), { code: 'ERR_ASSERTION' }, check.name)
    else await check.run()
  }
})

t.test('a store that breaks a promise fails the check of it', async (t) => {
  /** Returns the checks of this name that fail. Others fail too, and those of announcements wait for long. */
  const failuresOf = async (name: RegExp, open: Parameters<typeof storeContract>[0]): Promise<string[]> => {
    const names: string[] = []
    for (const check of storeContract(open)) {
      if (!FOREIGN.includes(check.part) && name.test(check.name)) {
        await check.run().catch(() => names.push(check.name))
      }
    }
    return names
  }
  type Broken = Partial<ReturnType<typeof memoryStore>>
  const breaking =
    (breakIt: (store: ReturnType<typeof memoryStore>, clock: () => number) => Broken) => (clock: () => number) => {
      const store = memoryStore({ clock })
      return { store: Object.assign(store, breakIt(store, clock)) }
    }
  const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve))
  const faults: Record<string, [name: RegExp, open: Parameters<typeof storeContract>[0]]> = {
    'an update that looks first and writes later': [
      /updates at once/,
      breaking((store) => {
        const update = store.update.bind(store)
        return {
          update: async (record, version) => {
            const found = await store.get(record.handle)
            await nextTurn()
            return found?.version === version && update(record, (await store.get(record.handle))?.version ?? -1)
          },
        }
      }),
    ],
    'an update that creates': [
      /update of an absent record/,
      breaking((store) => {
        const update = store.update.bind(store)
        return { update: async (record, version) => (await update(record, version)) || store.create(record) }
      }),
    ],
    'a touch that moves back': [
      /never moves anything back/,
      breaking((store) => ({
        touch: async (handle, version, seen) => {
          const record = await store.get(handle)
          return record?.version === version && store.update({ ...record, ...seen }, version)
        },
      })),
    ],
    'a limit that is counted first': [
      /with a limit of three/,
      breaking((store) => {
        const add = store.addToIndex.bind(store)
        return {
          addToIndex: async (userId, handle, expiresAt, limit = Infinity) => {
            const others = (await store.listIndex(userId)).filter((entry) => entry.handle !== handle)
            await nextTurn()
            return others.length < limit && add(userId, handle, expiresAt)
          },
        }
      }),
    ],
    'an entry that is kept although it is gone': [
      /is gone cannot be kept/,
      breaking((store) => ({
        keepInIndex: (userId, handle, expiresAt) => store.addToIndex(userId, handle, expiresAt),
      })),
    ],
    'a record one millisecond too long': [
      /very instant of its deadline/,
      (clock) => ({ store: memoryStore({ clock: () => clock() - 1 }) }),
    ],
    'a delete that does not ask for the version': [
      /delete that expects another version/,
      breaking((store) => {
        const remove = store.delete.bind(store)
        return { delete: (handle) => remove(handle) }
      }),
    ],
    'a sweep of everything': [
      /sweep leaves alone/,
      breaking((store) => {
        const sweep = store.sweep.bind(store)
        return { sweep: (_now, limit) => sweep(Number.MAX_SAFE_INTEGER, limit) }
      }),
    ],
    'a cutoff that goes back': [
      /never goes back/,
      breaking(() => {
        let cutoff = 0
        return { raiseCutoff: async (instant) => (cutoff = instant), readCutoff: async () => cutoff }
      }),
    ],
    'a listing by place instead of by name': [
      /removed page by page/,
      breaking((store) => {
        const listAll = store.listAll.bind(store)
        return {
          listAll: async ({ after = '0', limit }) => {
            const { records } = await listAll({ limit: 1000 })
            const end = Number(after) + limit
            const page = records.slice(Number(after), end)
            return end < records.length ? { records: page, next: String(end) } : { records: page }
          },
        }
      }),
    ],
    'a listing without an end': [
      /whatever the size of a page/,
      breaking(() => ({ listAll: async () => ({ records: [], next: 'more' }) })),
    ],
    'a count of everything ever created': [
      /neither listed nor counted/,
      breaking((store) => {
        const create = store.create.bind(store)
        let count = 0
        return { create: (record) => create(record).finally(() => (count += 1)), count: async () => count }
      }),
    ],
    'an announcement of every write': [
      /are not announced/,
      breaking((store) => {
        const listeners: Parameters<typeof store.subscribe>[0][] = []
        const [update, subscribe] = [store.update.bind(store), store.subscribe.bind(store)]
        return {
          subscribe: (listener) => subscribe(listener).finally(() => listeners.push(listener)),
          update: async (record, version) => {
            for (const listener of listeners) listener({ handle: record.handle })
            return update(record, version)
          },
        }
      }),
    ],
    'a read of many that forgets the deadline': [
      /each as the last write left it/,
      breaking((store) => {
        const held: SessionRecord[] = []
        const create = store.create.bind(store)
        return {
          create: (record) => create(record).finally(() => held.push(record)),
          getMany: async (handles) => held.filter(({ handle }) => handles.includes(handle)),
        }
      }),
    ],
    'names that are cut off': [
      /hostile user id/,
      breaking((store) => {
        const add = store.addToIndex.bind(store)
        return { addToIndex: (userId, ...rest) => add(userId.slice(0, 255), ...rest) }
      }),
    ],
  }
  for (const [fault, [name, open]] of Object.entries(faults)) {
    const failed = await failuresOf(name, open)
    t.ok(failed.length > 0, `${fault}: ${failed.join('; ')}`)
  }
})
