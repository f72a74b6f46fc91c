import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import type { SessionRecord, SessionStore, StorePowers } from '../../../types/index.ts'
import { MAX_PROOFS, newBinding, writeBinding } from '../../session/device-bound/binding.ts'

/** Time that passes only when told to. */
export class TestClock {
  now: number = Date.now()
  readonly read = (): number => this.now

  advance(milliseconds: number): void {
    this.now += milliseconds
  }
}

/** The objects that a check works with. */
export interface Bench {
  readonly store: SessionStore & Partial<StorePowers>
  readonly clock: TestClock
  readonly damage: ((handle: string) => Promise<void>) | undefined
}

/** A promise in plain words, and what finds out whether it is kept. */
export type Check = readonly [name: string, body: (bench: Bench) => Promise<void>]

/** Milliseconds that the records of `recordAt` may lie idle. */
export const IDLE = 60_000

/** The number of parallel calls in checks that need calls to meet. */
export const CROWD = 50

/** Names that somebody who wants to find a hole would choose. Any two of them are different names. */
export const HOSTILE_NAMES: readonly string[] = [
  ['', ' ', 'a', 'A', 'a ', ' a', 'a\0b', '\0', '\n', 'a\r\nb', '*', '?', '[a-z]', 'a*', '%', '_', 'a_', '\\', '\\*'],
  ["'", '"', "' OR '1'='1", '"; DROP TABLE sessions; --', '`a`', '$1', ':a', '{a}', '{}', '}{', '../a', '/a', '#a'],
  ['__proto__', 'constructor', 'toString', 'null', 'undefined', '0', '-0', '1e3', '{"a":1}', '[]', '<a>', '&amp;'],
  ['\u00e9', 'e\u0301', '\ufb01', 'fi', '\ud83c\udf6a', '\ud83c', '\udf6a', '\ufffd', '\ufeffa', 'a\u200b', '\u0130'],
  ['x'.repeat(255), 'x'.repeat(256), 'x'.repeat(100_000), `${'x'.repeat(100_000)}y`, '\u20ac'.repeat(3000)],
].flat()

/** Returns a name of its own for each call, like those that handles are made of. */
export function freshName(): string {
  return randomBytes(16).toString('base64url')
}

/** Returns a record of somebody logged in, as it may look in the middle of its life. */
export function recordAt(now: number, changes: Partial<SessionRecord> = {}): SessionRecord {
  const userId = freshName()
  return {
    handle: freshName(),
    secretHash: randomBytes(32).toString('base64url'),
    version: 7,
    epoch: 2,
    userId,
    user: JSON.stringify({ id: userId, name: 'Zo\u00eb \u201cZ\u201d \ud83c\udf6a' }),
    authHash: randomBytes(32).toString('base64url'),
    authCheckedAt: now - 500,
    createdAt: now - 90_000,
    authenticatedAt: now - 80_000,
    lastSeenAt: now - 1_000,
    rotatedAt: now - 80_000,
    idleDeadline: now + IDLE,
    absoluteDeadline: now + 100 * IDLE,
    generation: 3,
    parent: randomBytes(6).toString('base64url'),
    shownAt: now - 70_000,
    isTied: true,
    tip: {
      secretHash: randomBytes(32).toString('base64url'),
      issuedAt: now - 2_000,
      shownAt: now - 1_500,
      isTied: true,
    },
    rivals: [{ secretHash: randomBytes(32).toString('base64url'), since: now - 1_200, isTied: false }],
    headAt: now - 1_000,
    isForked: true,
    heldBack: null,
    family: randomBytes(6).toString('base64url'),
    remember: true,
    device: { userAgent: `Mozilla/5.0 'a' "b" \\ \u0000`, ip: '2001:db8::1' },
    deviceKey: longestBinding(),
    data: JSON.stringify({ cart: [1, 2, { a: null }], text: '\u0000 \ud800 \n \u2028 \' " \\ %s $1 :a' }),
    ...changes,
  }
}

function text(bytes: number): string {
  return randomBytes(bytes).toString('base64url')
}

/** Returns a binding to a device that is as long as bindings become. */
function longestBinding(): string {
  const prints = Array.from({ length: MAX_PROOFS }, () => text(6))
  return writeBinding({ ...newBinding({ x: text(32), y: text(32) }), previousSeed: text(16), prints })
}

/** Returns the same record one write later. */
export function nextOf(record: SessionRecord, data: object): SessionRecord {
  return { ...record, version: record.version + 1, data: JSON.stringify(data) }
}

/** Stores a record that nothing stands in the way of. */
export async function created(store: SessionStore, record: SessionRecord): Promise<SessionRecord> {
  assert.equal(await store.create(record), true, 'a new record is stored')
  return record
}

/** Asserts what a handle leads to; `undefined` for nothing. */
export async function holds(store: SessionStore, handle: string, record: SessionRecord | undefined): Promise<void> {
  assert.deepEqual(await store.get(handle), record)
}

/** Returns the number of answers that are `true`. An answer that is no boolean breaks the contract. */
export function wins(answers: readonly unknown[]): number {
  for (const answer of answers) assert.equal(typeof answer, 'boolean')
  return answers.filter((answer) => answer === true).length
}
