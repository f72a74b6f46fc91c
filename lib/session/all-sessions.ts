import { SecureSessionError } from '../errors.ts'
import type { CutoffGate } from '../storage/cutoff-gate.ts'
import type { AskedStore } from '../storage/immediate.ts'
import type { Ended } from '../storage/remove-before.ts'
import { removeBefore } from '../storage/remove-before.ts'
import type { RecordPage, RevokedAll, SessionFacts, SessionRecord } from '../../types/index.ts'
import { MAX_AHEAD, MAX_SKEW } from '../storage/clocks.ts'
import type { Engine } from './engine.ts'
import { isHandle } from './id.ts'
import { expiredBy } from './lifetime.ts'
import { factsOf } from './session-info.ts'
import { updateRecord } from './update-record.ts'

/** Sessions on one page of a listing. */
const PAGE = 200

/**
 * Ends every session that began before an instant. One write of the cutoff ends them all; their records are removed
 * behind it. A spared session is marked first, so that no moment comes in which it is cut off. Where a later cutoff is
 * in force, the sessions that this cutoff spared are ended by their removal.
 * @throws `SESSION_STORE_LACKS_CUTOFF`, `SESSION_STORE_LACKS_LISTING`, `SESSION_OPTION_INVALID`,
 * `SESSION_STORE_UNAVAILABLE`
 */
export async function revokeAll(
  engine: Engine,
  { before, except }: { readonly before?: Date | undefined; readonly except?: string | undefined },
): Promise<RevokedAll> {
  const gate = gateOf(engine)
  const now = engine.settings.clock()
  if (before !== undefined && before.getTime() > now) {
    throw new SecureSessionError('SESSION_OPTION_INVALID', { detail: 'before of revokeAll lies in the future' })
  }
  const current = await gate.current()
  // A session that an earlier call spared is not spared again, also in the same millisecond.
  const asked = before?.getTime() ?? Math.max(now + MAX_AHEAD, current + 1)
  if (asked < current && !engine.store.has('listAll')) throw new SecureSessionError('SESSION_STORE_LACKS_LISTING')
  if (except !== undefined && isHandle(except)) await updateRecord(engine, except, (record) => spared(record, asked))
  const cutoff = await gate.raise(asked)
  engine.events.emit({ type: 'revoke-all', before: cutoff, except: except ?? null })
  const latest = before === undefined ? now + MAX_SKEW : undefined
  const ended = removeOld(engine, { asked, inForce: cutoff, latest }, except)
  // The later cutoff lets in the sessions that it spared, so that only the removal ends them.
  if (asked < cutoff) await ended
  // Who does not wait for the removal need not hear of its failure: an event tells of it.
  ended.catch(() => undefined)
  return { before: new Date(cutoff), ended }
}

/** Marks a record, unless a later cutoff spared it before. */
function spared(record: SessionRecord, asked: number): Partial<SessionRecord> {
  return { sparedAt: Math.max(asked, record.sparedAt ?? 0) }
}

function gateOf({ gate, store }: Engine): CutoffGate {
  if (gate === undefined || !store.has('raiseCutoff')) throw new SecureSessionError('SESSION_STORE_LACKS_CUTOFF')
  return gate
}

async function removeOld(engine: Engine, which: Ended, except: string | undefined): Promise<number> {
  const { store, users, watch } = engine
  if (!store.has('listAll')) return 0
  // The removal would compete with the end of everything that is open, here and in other processes.
  await watch.looked()
  const removable = {
    listAll: async (options: PageOptions) => {
      const page = await listPage(engine, options)
      return { ...page, records: page.records.filter(({ handle }) => handle !== except) }
    },
    get: async (handle: string) => store.getStored(handle),
    delete: async (handle: string, version?: number) => store.delete(handle, version, 'revoked'),
  }
  return removeBefore(removable, which, (record) => users.places.releaseAll(record))
}

/** A store that was asked for the power before. */
type ListedStore = Required<Pick<AskedStore, 'listAll' | 'count'>>

type PageOptions = { readonly after?: string | undefined; readonly limit: number }

async function listPage({ store }: Engine, options: PageOptions): Promise<RecordPage> {
  const page = await store.askPatiently('listAll', (listing) => (listing as ListedStore).listAll(options))
  return { ...page, records: page.records.flatMap((record) => store.own(record) ?? []) }
}

/**
 * Lists all live sessions, page by page.
 * @throws `SESSION_STORE_LACKS_LISTING`, `SESSION_STORE_UNAVAILABLE`
 */
export async function* allSessions(engine: Engine): AsyncGenerator<SessionFacts, void, undefined> {
  refuseUnlisted(engine)
  let after: string | undefined
  do {
    const page = await listPage(engine, { after, limit: PAGE })
    for (const stored of page.records) {
      const record = engine.gate === undefined ? stored : await engine.gate.pass(stored)
      const isLive = record !== undefined && expiredBy(record, engine.settings.clock()) === undefined
      if (isLive) yield factsOf(record)
    }
    after = page.next
  } while (after !== undefined)
}

/**
 * Returns the number of live sessions, as the store counts them.
 * @throws `SESSION_STORE_LACKS_LISTING`, `SESSION_STORE_UNAVAILABLE`
 */
export async function countSessions(engine: Engine): Promise<number> {
  refuseUnlisted(engine)
  return engine.store.askPatiently('count', (store) => (store as ListedStore).count())
}

function refuseUnlisted({ store }: Engine): void {
  if (!store.has('listAll') || !store.has('count')) throw new SecureSessionError('SESSION_STORE_LACKS_LISTING')
}
