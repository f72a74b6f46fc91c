import { EventEmitter, once } from 'node:events'
import { setTimeout as wait } from 'node:timers/promises'
import type { Announcement, Announcing, SessionRecord, SessionStore } from '../../types/index.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'

/** A listener of a store, and everything that it has heard. */
interface Hearing {
  readonly heard: Announcement[]
  /** Waits until so many announcements have come. */
  atLeast(count: number): Promise<void>
  end(): Promise<void>
}

/** Subscribes to a store. The subscription ends with the test. */
export async function hear(t: { teardown(end: () => unknown): void }, store: Announcing): Promise<Hearing> {
  const heard: Announcement[] = []
  const emitter = new EventEmitter()
  const end = await store.subscribe((what) => {
    heard.push(what)
    emitter.emit('heard')
  })
  t.teardown(end)
  return {
    heard,
    end,
    async atLeast(count) {
      while (heard.length < count) await once(emitter, 'heard')
    },
  }
}

/** Ends sessions until one of them is heard: a lost connection takes its time to come back. */
export async function heardAgain({ heard }: Hearing, store: SessionStore): Promise<void> {
  const before = heard.length
  while (heard.length === before) {
    await ended(store).catch(() => undefined)
    await wait(20)
  }
}

/** Returns a session that was there and is not any more. */
export async function ended(store: SessionStore): Promise<SessionRecord> {
  const record = recordAt(Date.now())
  await store.create(record)
  await store.delete(record.handle)
  return record
}
