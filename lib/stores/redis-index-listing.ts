import type { IndexEntry } from '../../types/index.ts'
import type { Redis } from './redis-client.ts'
import { SCRIPTS } from './redis-scripts.ts'

/** The number of entries that Redis lists in one go. It serves nobody else meanwhile. */
const MAX_AT_ONCE = 1_000

/** Returns the entries of an index. Many of them are listed in steps, between which Redis serves others. */
export async function listIndex(redis: Redis, key: string): Promise<readonly IndexEntry[]> {
  const { size, entries } = await listAtOnce(redis, key, MAX_AT_ONCE)
  if (entries.length === size) return entries
  const found = await listInSteps(redis, key)
  // The steps promise every entry only while one server has the key. A slot of a Cluster may have moved.
  return found.size >= size ? [...found.values()] : (await listAtOnce(redis, key, Number.MAX_SAFE_INTEGER)).entries
}

async function listAtOnce(
  redis: Redis,
  key: string,
  most: number,
): Promise<{ readonly size: number; readonly entries: readonly IndexEntry[] }> {
  const [size, ...parts] = textOf(await redis.run(SCRIPTS.list, key, most))
  return { size: Number(size), entries: entriesOf(parts) }
}

async function listInSteps(redis: Redis, key: string): Promise<ReadonlyMap<string, IndexEntry>> {
  const found = new Map<string, IndexEntry>()
  let cursor = '0'
  do {
    const [next = '0', ...parts] = textOf(await redis.run(SCRIPTS.scan, key, cursor, MAX_AT_ONCE))
    for (const entry of entriesOf(parts)) found.set(entry.handle, entry)
    cursor = next
  } while (cursor !== '0')
  return found
}

function textOf(answer: unknown): string[] {
  return String(answer).split(' ')
}

/** Returns the entries out of handles and instants in turn. */
function entriesOf(parts: readonly string[]): readonly IndexEntry[] {
  return Array.from({ length: parts.length / 2 }, (_, at) => ({
    handle: String(parts[2 * at]),
    expiresAt: Number(parts[2 * at + 1]),
  }))
}
