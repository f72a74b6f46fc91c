import { inTime } from '../storage/in-time.ts'
import { StoreUnusable } from '../stores/open/drivers.ts'
import { explainFailure, placeOf } from '../stores/open/words.ts'
import type { Io } from './io.ts'
import { UNUSABLE, UsageError } from './io.ts'
import type { OpenedStore } from './opened-store.ts'
import type { StoreFlags } from './store-url.ts'
import { openStore } from './store-url.ts'

/** The time that a connection may take to say goodbye, in milliseconds. */
const CLOSE_TIMEOUT = 1_000

/**
 * Opens the store that the flags name, works with it, closes it. An error on the way gives one line on standard error
 * and exit code 2.
 * @throws `UsageError` when the flags are wrong
 */
export async function withStore(
  flags: StoreFlags,
  io: Io,
  work: (store: OpenedStore['store']) => Promise<number>,
): Promise<number> {
  const url = flags.store
  if (url === undefined) throw new UsageError('--store says which store: redis://…, postgres://… or sqlite:PATH.')
  try {
    const opened = await openStore(url, flags, io.cwd)
    try {
      return await work(opened.store)
    } finally {
      await closed(opened)
    }
  } catch (error) {
    if (error instanceof UsageError) throw error
    io.err(
      error instanceof StoreUnusable
        ? error.message
        : `The store at ${placeOf(url)} cannot be used: ${explainFailure(error, url)}`,
    )
    return UNUSABLE
  }
}

/** A command that has done its work does not wait for a server that is gone. */
async function closed(opened: OpenedStore): Promise<void> {
  const closing = opened.close().catch(() => undefined)
  await inTime(closing, CLOSE_TIMEOUT, () => undefined)
}

/** Arguments without a name may be URLs, and are not repeated. */
export function refusePositionals(positionals: readonly string[]): void {
  if (positionals.length > 0) throw new UsageError('All arguments have names here; the store goes after --store.')
}
