import assert from 'node:assert/strict'
import type { Announcement, Announcing } from '../../../types/index.ts'
import type { Bench, Check } from './check.ts'
import { created, CROWD, IDLE, nextOf, recordAt } from './check.ts'

/**
 * The time that an announcement may take before the check gives up. A broken store fails late, a working one passes at
 * once.
 */
const PATIENCE = 10_000

/** Everything that a listener has heard, with a way to wait for more. */
class Hearing {
  readonly heard: Announcement[] = []
  #waiting: (() => void) | undefined
  #unsubscribe: (() => Promise<void>) | undefined

  static async begin({ store }: Bench): Promise<Hearing> {
    assert.ok(store.subscribe, 'the store announces')
    const hearing = new Hearing()
    hearing.#unsubscribe = await (store as Announcing).subscribe((what) => {
      hearing.heard.push(what)
      hearing.#waiting?.()
    })
    return hearing
  }

  get handles(): string[] {
    return this.heard.flatMap((what) => ('handle' in what ? [what.handle] : []))
  }

  get cutoffs(): number[] {
    return this.heard.flatMap((what) => ('cutoff' in what ? [what.cutoff] : []))
  }

  async until(isHeard: () => boolean, what: string): Promise<void> {
    const deadline = Date.now() + PATIENCE
    while (!isHeard()) {
      const left = deadline - Date.now()
      assert.ok(left > 0, `not heard: ${what}`)
      let timer: NodeJS.Timeout | undefined
      await new Promise<void>((resolve) => {
        this.#waiting = resolve
        timer = setTimeout(resolve, left)
      })
      clearTimeout(timer)
    }
  }

  async end(): Promise<void> {
    await this.#unsubscribe?.()
  }
}

/** Returns a check with one listener, which is gone after it. */
function check(name: string, body: (bench: Bench, hearing: Hearing) => Promise<void>): Check {
  return [
    name,
    async (bench) => {
      const hearing = await Hearing.begin(bench)
      try {
        await body(bench, hearing)
      } finally {
        await hearing.end()
      }
    },
  ]
}

/** Ends a session whose announcement comes after everything that was announced before. */
async function marked({ store, clock }: Bench, hearing: Hearing): Promise<void> {
  const marker = await created(store, recordAt(clock.now))
  await store.delete(marker.handle)
  await hearing.until(() => hearing.handles.includes(marker.handle), 'the end of the last session')
}

export const announcingChecks: readonly Check[] = [
  check('a removed record is announced, with or without an expected version', async (bench, hearing) => {
    const { store, clock } = bench
    const [one, two] = [await created(store, recordAt(clock.now)), await created(store, recordAt(clock.now))]
    await store.delete(one.handle)
    await store.delete(two.handle, two.version)
    for (const { handle } of [one, two]) await hearing.until(() => hearing.handles.includes(handle), 'a removed record')
  }),
  check('a record that changes its epoch is announced', async (bench, hearing) => {
    const { store, clock } = bench
    const record = await created(store, recordAt(clock.now))
    await store.update({ ...nextOf(record, {}), epoch: record.epoch + 1 }, record.version)
    await hearing.until(() => hearing.handles.includes(record.handle), 'a change of epoch')
  }),
  check(
    'data writes, touches, new records and writes that changed nothing are not announced',
    async (bench, hearing) => {
      const { store, clock } = bench
      const record = await created(store, recordAt(clock.now))
      const next = nextOf(record, { note: '"epoch":99' })
      assert.equal(await store.update(next, record.version), true)
      const again = nextOf(next, { note: '"epoch":7', epoch: 8 })
      assert.equal(await store.update(again, next.version), true)
      const seen = { lastSeenAt: clock.now, idleDeadline: clock.now + 2 * IDLE }
      assert.equal(await store.touch(record.handle, again.version, seen), true)
      assert.equal(await store.update({ ...again, epoch: 9 }, record.version), false)
      assert.equal(await store.delete(record.handle, record.version), false)
      await marked(bench, hearing)
      assert.equal(hearing.handles.includes(record.handle), false)
    },
  ),
  check('a raised cutoff is announced, one that was passed already is not', async (bench, hearing) => {
    const { store, clock } = bench
    if (store.raiseCutoff === undefined || store.readCutoff === undefined) return
    const first = Math.max(await store.readCutoff(), clock.now) + 1
    await store.raiseCutoff(first)
    await hearing.until(() => hearing.cutoffs.includes(first), 'the cutoff')
    await store.raiseCutoff(first - 1)
    await marked(bench, hearing)
    await store.raiseCutoff(first + 1)
    await hearing.until(() => hearing.cutoffs.includes(first + 1), 'the next cutoff')
    assert.deepEqual(hearing.cutoffs, [first, first + 1])
  }),
  check(`of ${CROWD} records removed at once each is announced`, async (bench, hearing) => {
    const { store, clock } = bench
    const records = await Promise.all(Array.from({ length: CROWD }, () => created(store, recordAt(clock.now))))
    await Promise.all(records.map(({ handle }) => store.delete(handle)))
    await hearing.until(() => records.every(({ handle }) => hearing.handles.includes(handle)), 'all of them')
  }),
  check('every listener hears, until it wants no more', async (bench, hearing) => {
    const other = await Hearing.begin(bench)
    try {
      await marked(bench, hearing)
      const [first = ''] = hearing.handles
      await other.until(() => other.handles.includes(first), 'the end of a session, by the second listener')
    } finally {
      await other.end()
    }
    const { length } = other.heard
    await marked(bench, hearing)
    assert.equal(other.heard.length, length)
  }),
]
