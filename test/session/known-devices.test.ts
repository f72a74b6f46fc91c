import t from 'tap'
import type { Test } from 'tap'
import { memoryStore } from '../../lib/index.ts'
import { familyOf } from '../../lib/session/device.ts'
import { DEVICES, isNewDevice } from '../../lib/session/known-devices.ts'
import { engineOf } from '../../lib/testing/app-engine.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { IndexEntry, SessionRecord } from '../../types/index.ts'
import { coreOnly } from '../plugin/stores.ts'
import { world } from '../plugin/world.ts'
import type { World, WorldOptions } from '../plugin/world.ts'

const DAYS = 86_400_000
const FOX = 'Mozilla/5.0 (X11) Firefox/149.0'

/** Returns the User-Agent of one of many kinds. A family has no numbers. */
function kindNamed(number: number): string {
  return String.fromCharCode(0x4e00 + number)
}

interface Devices extends World {
  /** Tells whether a login of Ann's with this User-Agent comes from a new kind of client. */
  isNew: (userAgent: string, changes?: Partial<SessionRecord>) => Promise<boolean | null>
  /** Returns the kinds that are remembered. */
  kinds: (user?: string) => Promise<readonly IndexEntry[]>
}

async function devices(t: Test, store?: WorldOptions['store']): Promise<Devices> {
  const it = await world(t, { ...(store !== undefined && { store }) })
  const engine = await engineOf(it.app)
  return {
    ...it,
    isNew: (userAgent, changes) =>
      isNewDevice(engine, recordAt(it.clock(), { userId: 'ann', device: { userAgent, ip: '192.0.2.1' }, ...changes })),
    kinds: (user = 'ann') => it.store.listIndex(`${DEVICES}${user}`),
  }
}

t.test('a kind of client is new for a user once, whatever its version and address', async (t) => {
  const { isNew, kinds, clock, store } = await devices(t)
  t.equal(await isNew(FOX), true)
  t.strictSame(await kinds(), [{ handle: familyOf(FOX), expiresAt: clock() + 180 * DAYS }])
  t.equal(await isNew(FOX.replace('149', '150')), false)
  t.equal(await isNew(FOX, { device: { userAgent: FOX, ip: '198.51.100.1' } }), false)
  t.equal(await isNew('curl/8.0'), true)
  t.equal(await isNew(FOX, { userId: 'bob' }), true, 'another user has clients of their own')
  t.equal((await kinds()).length, 2)
  t.strictSame(await store.listIndex('ann'), [], 'a kind is never taken for a session of the user')
})

t.test('clients without a User-Agent are one kind', async (t) => {
  const { isNew, kinds } = await devices(t)
  t.equal(await isNew(''), true)
  t.equal(await isNew(''), false)
  t.match(await kinds(), [{ handle: 'none' }])
  t.not(familyOf(FOX).length, 'none'.length, 'no other kind has this name')
})

t.test('a kind is remembered for 180 days after the last login of the second half', async (t) => {
  const { isNew, kinds, clock, asked } = await devices(t)
  const began = clock()
  await isNew(FOX)
  asked()
  clock.set(began + 90 * DAYS - 1)
  t.equal(await isNew(FOX), false)
  t.strictSame(asked(), ['listIndex'], 'a login of the first half writes nothing')
  t.match(await kinds(), [{ expiresAt: began + 180 * DAYS }])
  clock.set(began + 90 * DAYS)
  t.equal(await isNew(FOX), false)
  t.match(await kinds(), [{ expiresAt: began + 270 * DAYS }])
  clock.set(began + 270 * DAYS - 1)
  t.equal(await isNew(FOX), false)
  clock.advance(180 * DAYS)
  t.equal(await isNew(FOX), true, 'and at that instant it is forgotten')
})

t.test('entries whose time is over do not count, although a store with a slower clock still lists them', async (t) => {
  const { isNew, clock } = await devices(t, () => memoryStore({ clock: () => 0 }))
  for (let number = 0; number < 50; number += 1) await isNew(kindNamed(number))
  clock.advance(180 * DAYS - 1)
  t.equal(await isNew(kindNamed(50)), true)
  t.equal(await isNew(kindNamed(50)), true, 'the last of the 50 is still there')
  clock.advance(1)
  t.equal(await isNew(kindNamed(0)), true)
  t.equal(await isNew(kindNamed(0)), false)
})

t.test('50 kinds are remembered, and those that are over make room', async (t) => {
  const { isNew, kinds, clock } = await devices(t)
  for (let number = 0; number < 50; number += 1) t.equal(await isNew(kindNamed(number)), true)
  t.equal(await isNew(kindNamed(50)), true)
  t.equal(await isNew(kindNamed(50)), true, 'the kind beyond the bound stays new')
  t.equal((await kinds()).length, 50)
  clock.advance(180 * DAYS - 1)
  t.equal(await isNew(kindNamed(0)), false, 'to remember a kind for longer takes no room')
  t.equal((await kinds()).find(({ handle }) => handle === familyOf(kindNamed(0)))?.expiresAt, clock() + 180 * DAYS)
  clock.advance(1)
  t.equal(await isNew(kindNamed(50)), true)
  t.equal(await isNew(kindNamed(50)), false)
})

t.test('nothing is known of a record without a user or a client, and on a store without an index', async (t) => {
  const { isNew, asked } = await devices(t)
  t.equal(await isNew(FOX, { userId: null }), null)
  t.equal(await isNew(FOX, { device: null }), null)
  t.strictSame(asked(), [])
  const core = await devices(t, coreOnly)
  t.equal(await core.isNew(FOX), null)
  t.strictSame(core.asked(), [])
})

t.test('a store that does not answer is no reason to refuse a login', async (t) => {
  for (const broken of ['listIndex', 'addToIndex'] as const) {
    const { isNew } = await devices(t, (store) => {
      const index = {
        listIndex: store.listIndex.bind(store),
        addToIndex: store.addToIndex.bind(store),
        keepInIndex: store.keepInIndex.bind(store),
        removeFromIndex: store.removeFromIndex.bind(store),
      }
      const failing = async (): Promise<never> => Promise.reject(new Error('down'))
      return { ...coreOnly(store), ...index, [broken]: failing }
    })
    t.equal(await isNew(FOX), null, broken)
  }
})
