import assert from 'node:assert/strict'
import type { IndexEntry, UserIndex } from '../../../types/index.ts'
import type { Bench, Check } from './check.ts'
import { created, CROWD, freshName, HOSTILE_NAMES, IDLE, recordAt, wins } from './check.ts'

/** Returns the index entries of a user, sorted. */
async function entriesOf(index: UserIndex, userId: string): Promise<IndexEntry[]> {
  const entries = await index.listIndex(userId)
  return entries
    .map(({ handle, expiresAt }) => ({ handle, expiresAt }))
    .toSorted((a, b) => (a.handle < b.handle ? -1 : 1))
}

async function listed(index: UserIndex, userId: string, ...entries: IndexEntry[]): Promise<void> {
  const sorted = entries.toSorted((a, b) => (a.handle < b.handle ? -1 : 1))
  assert.deepEqual(await entriesOf(index, userId), sorted)
}

/** Returns the index of a store without the expired entries that the store may list. */
function withoutExpired(index: UserIndex, { clock }: Bench): UserIndex {
  return {
    addToIndex: (...args) => index.addToIndex(...args),
    keepInIndex: (...args) => index.keepInIndex(...args),
    removeFromIndex: (...args) => index.removeFromIndex(...args),
    listIndex: async (userId) => (await index.listIndex(userId)).filter(({ expiresAt }) => expiresAt > clock.now),
  }
}

/** Returns a check of the index, with a user and two handles that nobody else uses. */
function check(
  name: string,
  body: (index: UserIndex, bench: Bench, userId: string, one: string, two: string) => Promise<void>,
): Check {
  return [
    name,
    async (bench) => {
      const { store } = bench
      assert.ok(store.addToIndex && store.keepInIndex && store.removeFromIndex && store.listIndex, 'it has an index')
      await body(withoutExpired(store as UserIndex, bench), bench, freshName(), freshName(), freshName())
    },
  ]
}

const adding: readonly Check[] = [
  check('a user without entries has an empty list', (index, _, user) => listed(index, user)),
  check('an entry is listed for its user and for nobody else', async (index, { clock }, user, one, two) => {
    const expiresAt = clock.now + IDLE
    assert.equal(await index.addToIndex(user, one, expiresAt), true)
    assert.equal(await index.addToIndex(user, two, expiresAt + 1), true)
    await listed(index, user, { handle: one, expiresAt }, { handle: two, expiresAt: expiresAt + 1 })
    await listed(index, freshName())
    await listed(index, one)
  }),
  check('an entry added again moves its expiry, never back, and counts once', async (index, { clock }, user, one) => {
    for (const [asked, kept] of [
      [1, 1],
      [3, 3],
      [2, 3],
    ] as const) {
      assert.equal(await index.addToIndex(user, one, clock.now + asked * IDLE, 1), true)
      await listed(index, user, { handle: one, expiresAt: clock.now + kept * IDLE })
    }
  }),
  check('a limit counts the other entries', async (index, { clock }, user, one, two) => {
    const expiresAt = clock.now + IDLE
    assert.equal(await index.addToIndex(user, one, expiresAt, 0), false)
    assert.equal(await index.addToIndex(user, one, expiresAt, 1), true)
    assert.equal(await index.addToIndex(user, two, expiresAt, 1), false)
    await listed(index, user, { handle: one, expiresAt })
    assert.equal(await index.addToIndex(user, two, expiresAt, 2), true)
    assert.equal(await index.addToIndex(user, one, expiresAt + 1, 2), true, 'its own entry is no other')
    assert.equal(await index.addToIndex(user, one, expiresAt + 2, 1), false)
    await listed(index, user, { handle: one, expiresAt: expiresAt + 1 }, { handle: two, expiresAt })
    assert.equal(await index.addToIndex(freshName(), one, expiresAt, 1), true, "another user's entries do not count")
  }),
  check('a limit does not count what has expired', async (index, { clock }, user, one, two) => {
    await index.addToIndex(user, one, clock.now + IDLE)
    clock.advance(IDLE)
    assert.equal(await index.addToIndex(user, two, clock.now + IDLE, 1), true)
    await listed(index, user, { handle: two, expiresAt: clock.now + IDLE })
  }),
  check(
    `of ${CROWD} entries added at once with a limit of three exactly three are there`,
    async (index, bench, user) => {
      const expiresAt = bench.clock.now + IDLE
      const handles = Array.from({ length: CROWD }, freshName)
      const answers = await Promise.all(handles.map((handle) => index.addToIndex(user, handle, expiresAt, 3)))
      assert.equal(wins(answers), 3)
      const added = handles.filter((_, at) => answers[at] === true)
      await listed(index, user, ...added.map((handle) => ({ handle, expiresAt })))
    },
  ),
  check('without a limit a user has as many entries as come', async (index, { clock }, user) => {
    const entries = Array.from({ length: 4 * CROWD }, (_, at) => ({
      handle: freshName(),
      expiresAt: clock.now + IDLE + at,
    }))
    await Promise.all(entries.map(({ handle, expiresAt }) => index.addToIndex(user, handle, expiresAt)))
    await listed(index, user, ...entries)
  }),
]

const keeping: readonly Check[] = [
  check('an entry that is kept moves its expiry', async (index, { clock }, user, one) => {
    await index.addToIndex(user, one, clock.now + IDLE)
    for (const expiresAt of [clock.now + 3 * IDLE, clock.now + 2 * IDLE]) {
      assert.equal(await index.keepInIndex(user, one, expiresAt), true)
      await listed(index, user, { handle: one, expiresAt })
    }
    clock.advance(2 * IDLE - 1)
    await listed(index, user, { handle: one, expiresAt: clock.now + 1 })
  }),
  check('an entry that is gone cannot be kept, and does not come back', async (index, { clock }, user, one, two) => {
    const expiresAt = clock.now + IDLE
    assert.equal(await index.keepInIndex(user, one, expiresAt), false)
    await index.addToIndex(user, one, expiresAt)
    await index.addToIndex(user, two, expiresAt)
    await index.removeFromIndex(user, one)
    assert.equal(await index.keepInIndex(user, one, expiresAt), false)
    await listed(index, user, { handle: two, expiresAt })
    assert.equal(await index.keepInIndex(freshName(), two, expiresAt), false)
    clock.advance(IDLE)
    assert.equal(await index.keepInIndex(user, two, clock.now + IDLE), false)
    await listed(index, user)
  }),
  check('entries kept while they are removed do not come back', async (index, { clock }, user) => {
    const handles = Array.from({ length: CROWD }, freshName)
    for (const handle of handles) await index.addToIndex(user, handle, clock.now + IDLE)
    await Promise.all(
      handles.flatMap((handle, at) => {
        const keep = (): Promise<boolean> => index.keepInIndex(user, handle, clock.now + 2 * IDLE)
        const remove = (): Promise<void> => index.removeFromIndex(user, handle)
        return at % 2 === 0 ? [keep(), remove(), keep()] : [remove(), keep(), keep()]
      }),
    )
    await listed(index, user)
  }),
]

const leaving: readonly Check[] = [
  check('an entry leaves alone, and nothing leaves where there is none', async (index, { clock }, user, one, two) => {
    const expiresAt = clock.now + IDLE
    await index.removeFromIndex(user, one)
    await index.addToIndex(user, one, expiresAt)
    await index.addToIndex(user, two, expiresAt)
    await index.removeFromIndex(user, freshName())
    await index.removeFromIndex(freshName(), one)
    for (const handle of HOSTILE_NAMES) await index.removeFromIndex(user, handle)
    assert.equal(await index.removeFromIndex(user, one), undefined)
    await listed(index, user, { handle: two, expiresAt })
    await index.removeFromIndex(user, two)
    await listed(index, user)
  }),
  check('an entry vanishes at the very instant of its expiry', async (index, { clock }, user, one, two) => {
    await index.addToIndex(user, one, clock.now + IDLE)
    await index.addToIndex(user, two, clock.now + IDLE + 1)
    clock.advance(IDLE - 1)
    await listed(index, user, { handle: one, expiresAt: clock.now + 1 }, { handle: two, expiresAt: clock.now + 2 })
    clock.advance(1)
    await listed(index, user, { handle: two, expiresAt: clock.now + 1 })
    clock.advance(1)
    await listed(index, user)
  }),
  check('an entry needs no record, and a record no entry', async (index, { store, clock }, user, one) => {
    await index.addToIndex(user, one, clock.now + IDLE)
    await listed(index, user, { handle: one, expiresAt: clock.now + IDLE })
    const userId = freshName()
    await created(store, recordAt(clock.now, { userId, user: JSON.stringify({ id: userId }) }))
    await listed(index, userId)
  }),
  check('a hostile user id is a name like any other', async (index, { clock }, _user, one, two) => {
    const expiresAt = clock.now + IDLE
    for (const [at, user] of HOSTILE_NAMES.entries()) {
      assert.equal(await index.addToIndex(user, one, expiresAt + at, 1), true)
      assert.equal(await index.addToIndex(user, two, expiresAt, 1), false)
      assert.equal(await index.keepInIndex(user, one, expiresAt + at + 1), true)
    }
    for (const [at, user] of HOSTILE_NAMES.entries()) {
      await listed(index, user, { handle: one, expiresAt: expiresAt + at + 1 })
      await index.removeFromIndex(user, one)
      await listed(index, user)
    }
  }),
]

export const indexChecks: readonly Check[] = [...adding, ...keeping, ...leaving]
