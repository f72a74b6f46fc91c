import { SecureSessionError } from '../errors.ts'
import { causeOf } from '../storage/cause.ts'
import type { Migration, OldData, OldSession } from '../../types/index.ts'
import type { Client, Engine } from './engine.ts'
import { newHandle } from './id.ts'
import { closeMark, endOfMark, leaveMark, LONG_AGO, markOf, readMark } from './move-mark.ts'

/** A request that shows an old session. */
export interface Visit {
  readonly engine: Engine
  readonly migration: Migration
  readonly old: OldSession
  readonly client: Client
  /**
   * Tells whether the response can carry a cookie. The opening of a WebSocket cannot, so it does not use the session
   * up.
   */
  readonly isCarrier: boolean
}

/** Asks the old library. Its store may take as long to answer as the store of the app. */
export async function askOld<Value>({ engine, old }: Visit, ask: (old: OldSession) => Promise<Value>): Promise<Value> {
  try {
    return await engine.deadlines.run(() => ask(old))
  } catch (cause) {
    engine.events.emit({ type: 'store-failure', operation: 'migrate' })
    throw new SecureSessionError('SESSION_STORE_UNAVAILABLE', { cause: causeOf(cause) })
  }
}

/** Reads an old session that has not ended, with the end of its mark. */
export async function readOld(visit: Visit): Promise<(OldData & { readonly end: number }) | 'damaged' | undefined> {
  const { engine, migration } = visit
  const found = await askOld(visit, (old) => old.load())
  if (typeof found !== 'object') return found
  const now = engine.settings.clock()
  const end = endOfMark(migration, found.endsAt, now)
  return (found.endsAt ?? Infinity) <= now || end <= now ? undefined : { ...found, end }
}

/**
 * Uses an old session up without letting it in. With `isOver` its client has logged out, and no parallel request may
 * follow either.
 * @throws `SESSION_STORE_UNAVAILABLE`
 */
export async function useUp(visit: Visit, isOver: boolean): Promise<void> {
  const { engine, migration, old } = visit
  const handle = markOf(engine, migration, old)
  let mark = await readMark(engine, handle)
  if (mark === undefined) {
    const found = await readOld(visit)
    if (typeof found !== 'object') return
    mark = await leaveMark(engine, handle, { to: newHandle(), epoch: 0, closedAt: 0 }, found.end)
  }
  if (!migration.keepOld) await askOld(visit, (session) => session.remove())
  const isOpen = mark?.move.closedAt === 0
  if (mark !== undefined && (isOpen || isOver)) {
    await closeMark(engine, mark, !old.isInCookie && !migration.keepOld, isOver ? LONG_AGO : undefined)
  }
}
