import { randomBytes, randomInt } from 'node:crypto'
import { memoryStore } from '../lib/index.ts'
import type { MemoryStore, SessionRecord } from '../lib/index.ts'
import { resolveOptions } from '../lib/options.ts'
import { deviceOf } from '../lib/session/device.ts'
import { newHandle, SessionIds } from '../lib/session/id.ts'
import { authenticated, newRecord, trust } from '../lib/session/record.ts'
import { guardedApp } from './peers/session-guard.ts'
import { listen } from './peers/peer.ts'
import { answerParent } from './server.ts'

/** The facts that a grown store reports about itself. */
export interface Grown {
  readonly port: number
  /** Heap per session: the records alone, and with the index of users that a login also writes. */
  readonly recordBytes: number
  readonly indexedBytes: number
  /** Cookies of sessions chosen at random. */
  readonly cookies: string[]
}

const USER_AGENT =
  'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36'

const COOKIE_LENGTH = 110

const WARMUP = 20_000

const [count = 0, sample = 0] = process.argv.slice(2).map(Number)
const secret = randomBytes(32).toString('base64url')
const ids = new SessionIds([secret], 'session')
const settings = resolveOptions({ secret }, 'test')

answerParent()
// The sessions that will be asked for are drawn first, so that only their cookies are kept.
const drawn = Array.from({ length: sample }, () => randomInt(count))
const wanted = new Map(drawn.map((number) => [number, ''.padEnd(COOKIE_LENGTH)]))
const users = Array.from({ length: count }, (_, number) => `user-${number}`)

// Compiled code and caches are on the heap before it is measured.
const scrap = memoryStore({ maxRecords: WARMUP })
for (let number = 0; number < WARMUP; number += 1) await index(scrap, await fill(scrap, number, `user-${number}`))

const store = memoryStore({ maxRecords: count })
const records: SessionRecord[] = []
const empty = heapUsed()
for (const [number, userId] of users.entries()) records.push(await fill(store, number, userId))
const withRecords = heapUsed()
for (const record of records) await index(store, record)
const withIndex = heapUsed()
records.length = 0
users.length = 0
process.send?.({
  port: await listen(await guardedApp(secret, store)),
  recordBytes: (withRecords - empty) / count,
  indexedBytes: (withIndex - empty) / count,
  cookies: drawn.map((number) => wanted.get(number) ?? ''),
} satisfies Grown)

/** Makes one session as a login leaves it. Every string is fresh, as those of a request are. */
async function fill(into: MemoryStore, number: number, userId: string): Promise<SessionRecord> {
  const now = Date.now()
  const handle = newHandle()
  const { cookieValue, secretHash } = ids.mint(handle, 1)
  const data = JSON.stringify({ theme: 'dark', cart: [number, number + 1], views: 3 })
  const identity = {
    userId,
    user: JSON.stringify({ id: userId, name: 'Ada Lovelace', email: `ada.${number}@example.com` }),
    authHash: null,
    authCheckedAt: now,
    remember: false,
    device: deviceOf({ userAgent: copyOf(USER_AGENT), ip: copyOf('203.0.113.17') }),
  }
  const record = authenticated(newRecord(handle, secretHash, data, now, settings), identity, now, settings)
  await into.create(record)
  trust(record)
  if (wanted.has(number)) wanted.set(number, copyOf(cookieValue))
  return record
}

/** Adds the entry that a login writes beside the record. */
async function index(into: MemoryStore, { userId, handle, absoluteDeadline }: SessionRecord): Promise<void> {
  await into.addToIndex(userId ?? '', handle, absoluteDeadline)
}

function copyOf(text: string): string {
  return Buffer.from(text, 'latin1').toString('latin1')
}

function heapUsed(): number {
  if (globalThis.gc === undefined) throw new Error('run with --expose-gc')
  globalThis.gc()
  globalThis.gc()
  return process.memoryUsage().heapUsed
}
