import type { Call, History, Operation } from './history.ts'
import type { Loss } from './stores.ts'

/**
 * Returns a history with the effects that a store may cause by losing its last writes. A session that ended comes back,
 * a login never was, and an earlier note stands in the place of a later one. Each may happen once for each loss, or
 * not.
 */
export function withLosses(history: History, losses: readonly Loss[]): History {
  return [...history, ...losses.flatMap((loss) => effectsOf(history, loss))]
}

function effectsOf(history: History, loss: Loss): Operation[] {
  const before = history.filter(({ from }) => from < loss.until)
  const isLate = ({ until, saw }: Operation): boolean => until > loss.from || saw === 'unknown'
  const late = before.filter(isLate)
  if (late.length === 0) return []
  const happening = (call: Call): Operation => ({ client: 'failover', call, saw: 'unknown', ...loss })
  const ends = late.some(({ call }) => call.kind === 'end') ? [happening({ kind: 'revive' })] : []
  const begins = late.some(({ call }) => call.kind === 'begin') ? [happening({ kind: 'end' })] : []
  const writes = before.filter(({ call }) => 'note' in call)
  const latest = Math.max(0, ...writes.filter((one) => !isLate(one)).map(({ from }) => from))
  // A note that another one replaced before the loss does not come back.
  const notes = writes.flatMap(({ call, until }) => ('note' in call && until >= latest ? [call.note] : []))
  return [...ends, ...begins, ...notes.map((note) => happening({ kind: 'write', note }))]
}
