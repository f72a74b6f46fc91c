import { randomBytes, randomInt } from 'node:crypto'
import { memoryStore } from '../lib/index.ts'
import type { MemoryStore } from '../lib/index.ts'
import { resolveOptions } from '../lib/options.ts'
import { newHandle, SessionIds } from '../lib/session/id.ts'
import { authenticated, newRecord } from '../lib/session/record.ts'
import { guardedApp } from './peers/session-guard.ts'
import { listen } from './peers/peer.ts'
import { answerParent } from './server.ts'

/** What a grown store says about itself. */
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

const [count = 0, sample = 0] = process.argv.slice(2).map(Number)
const secret = randomBytes(32).toString('base64url')
const ids = new SessionIds([secret])
const settings = resolveOptions({ secret }, 'test')

answerParent()
const store = memoryStore({ maxRecords: count })
// Which number a request will ask for is drawn before, so that only those cookies are kept.
const drawn = Array.from({ length: sample }, () => randomInt(count))
const wanted = new Map(drawn.map((number) => [number, ''.padEnd(110)]))
const empty = heapUsed()
const handles: string[] = []
for (let number = 0; number < count; number++) handles.push(await fill(store, number))
const withRecords = heapUsed()
for (const [number, handle] of handles.entries()) {
  await store.addToIndex(userIdOf(number), handle, Date.now() + settings.absoluteTimeout)
}
const withIndex = heapUsed()
process.send?.({
  port: await listen(await guardedApp(secret, store)),
  recordBytes: (withRecords - empty) / count,
  indexedBytes: (withIndex - empty) / count,
  cookies: drawn.map((number) => wanted.get(number) ?? ''),
} satisfies Grown)

/** One session as a login leaves it. Every string is fresh, as those of a request are. */
async function fill(into: MemoryStore, number: number): Promise<string> {
  const now = Date.now()
  const handle = newHandle()
  const { cookieValue, secretHash } = ids.mint(handle)
  const id = userIdOf(number)
  const record = authenticated(
    newRecord(
      handle,
      secretHash,
      JSON.stringify({ theme: 'dark', cart: [number, number + 1], views: 3 }),
      now,
      settings,
    ),
    {
      userId: id,
      user: JSON.stringify({ id, name: 'Ada Lovelace', email: `ada.${number}@example.com` }),
      authHash: null,
      remember: false,
      device: { userAgent: copyOf(USER_AGENT), ip: copyOf('203.0.113.17') },
    },
    now,
    settings,
  )
  await into.create(record)
  if (wanted.has(number)) wanted.set(number, cookieValue)
  return handle
}

function userIdOf(number: number): string {
  return `user-${number}`
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
