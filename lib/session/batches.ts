/**
 * The number of records that one question to a store asks for. Decoding more at once would hold up the requests of
 * other users.
 */
const BATCH = 100

/**
 * The number of writes that one call of the app keeps under way. The number is below the size of a usual pool, so that
 * requests of other users find a free connection. A store on this thread has few writes to do before theirs.
 */
const AT_ONCE = 8

/** Runs work on one batch of items after the other. Other requests get their turn after each batch. */
export async function inBatches<Item>(
  items: readonly Item[],
  work: (batch: readonly Item[]) => Promise<unknown>,
): Promise<void> {
  for (let start = 0; start < items.length; start += BATCH) {
    await work(items.slice(start, start + BATCH))
    if (start + BATCH < items.length) await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * Runs work on each item, a few at a time. After a failure no further work begins, and the call ends when the work that
 * had begun is over.
 */
export async function onEach<Item>(items: readonly Item[], work: (item: Item) => Promise<unknown>): Promise<void> {
  const rest = [...items]
  const takeTurns = async (): Promise<void> => {
    try {
      for (let item = rest.shift(); item !== undefined; item = rest.shift()) await work(item)
    } finally {
      rest.length = 0
    }
  }
  const turns = await Promise.allSettled(Array.from({ length: Math.min(AT_ONCE, items.length) }, takeTurns))
  for (const turn of turns) if (turn.status === 'rejected') throw turn.reason
}
