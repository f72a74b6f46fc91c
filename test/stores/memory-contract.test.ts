import t from 'tap'
import { memoryStore } from '../../lib/stores/memory.ts'
import { storeContract } from '../../lib/testing/index.ts'
import type { SessionStore, Sweeping } from '../../types/index.ts'

t.comment('a record in memory cannot be damaged: the checks of damage are for stores that keep text')
for (const check of storeContract((clock) => ({ store: memoryStore({ clock }) }))) {
  if (check.part !== 'damage') t.test(check.name, () => check.run())
}

t.test('a store without an index passes all checks but those of the index', async (t) => {
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
    const isMissing = check.part === 'index' || check.part === 'damage'
    if (isMissing) await t.rejects(check.run(), { code: 'ERR_ASSERTION' }, check.name)
    else await check.run()
  }
})

t.test('a store that breaks a promise fails the check of it', async (t) => {
  const failures = async (open: Parameters<typeof storeContract>[0]): Promise<string[]> => {
    const names: string[] = []
    for (const check of storeContract(open)) {
      if (check.part === 'damage') continue
      await check.run().catch(() => names.push(check.name))
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
    'names that are cut off': [
      /hostile user id/,
      breaking((store) => {
        const add = store.addToIndex.bind(store)
        return { addToIndex: (userId, ...rest) => add(userId.slice(0, 255), ...rest) }
      }),
    ],
  }
  for (const [fault, [name, open]] of Object.entries(faults)) {
    const failed = await failures(open)
    t.ok(
      failed.some((one) => name.test(one)),
      `${fault}: ${failed.join('; ')}`,
    )
  }
})
