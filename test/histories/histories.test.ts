import t from 'tap'
import type { Test } from 'tap'
import type { Forgotten } from './server.ts'
import type { Call, History, Saw } from './history.ts'
import { judge } from './judge.ts'
import { withLosses } from './losses.ts'
import type { RunOptions, RunResult } from './run.ts'
import { Run } from './run.ts'
import { STORES } from './stores.ts'

// `npm run histories` asks for a million operations of each store.
const operations = Number(process.env['HISTORY_OPERATIONS'] ?? 20_000)
const seed = Number(process.env['HISTORY_SEED'] ?? Date.now() % 1_000_000)

t.setTimeout(Math.max(600_000, operations * 20))

/** Returns a history out of calls with their instants. */
function historyOf(
  ...calls: [
    call: 'read' | 'end' | 'revive' | `${'begin' | 'write'} ${string}`,
    saw: Saw,
    from: number,
    until: number,
  ][]
): History {
  return calls.map(([call, saw, from, until]) => {
    const [kind, note] = call.split(' ') as [Call['kind'], string | undefined]
    return { client: 'client', call: note === undefined ? { kind } : { kind, note }, saw, from, until } as History[0]
  })
}

const begin = ['begin n', 'done', 1, 2] as const

t.test('a history that some order explains is no anomaly', async (t) => {
  const histories = {
    'one call after the other': historyOf([...begin], ['write a', 'done', 3, 4], ['read', { note: 'a' }, 5, 6]),
    'a read beside a write': historyOf([...begin], ['write a', 'done', 3, 6], ['read', { note: 'n' }, 4, 5]),
    'a read that was overtaken': historyOf([...begin], ['write a', 'done', 3, 4], ['read', { note: 'a' }, 2, 9]),
    'an unknown write that happened late': historyOf(
      [...begin],
      ['write a', 'unknown', 3, 4],
      ['read', { note: 'n' }, 5, 6],
      ['read', { note: 'a' }, 7, 8],
    ),
    'a write beside a logout': historyOf([...begin], ['end', 'done', 3, 6], ['write a', 'done', 4, 5]),
    'a revocation before the login': historyOf(
      ['end', 'done', 1, 3],
      ['begin n', 'done', 2, 4],
      ['read', { note: 'n' }, 5, 6],
    ),
    'a login that took the session and gave it back': historyOf(
      [...begin],
      ['end', 'unknown', 3, 8],
      ['revive', 'unknown', 3, 8],
      ['read', 'nobody', 4, 5],
      ['read', { note: 'n' }, 9, 10],
    ),
    'an unknown logout that never happened': historyOf(
      [...begin],
      ['end', 'unknown', 3, 4],
      ['read', { note: 'n' }, 5, 6],
    ),
  }
  for (const [name, history] of Object.entries(histories)) t.equal(judge(history), undefined, name)
})

t.test('a history that no order explains is an anomaly', async (t) => {
  const histories = {
    'a write that was lost': historyOf([...begin], ['write a', 'done', 3, 4], ['read', { note: 'n' }, 5, 6]),
    'a session after its logout': historyOf([...begin], ['end', 'done', 3, 4], ['read', { note: 'n' }, 5, 6]),
    'a write after a logout': historyOf([...begin], ['end', 'done', 3, 4], ['write a', 'done', 5, 6]),
    'an end that nobody asked for': historyOf([...begin], ['read', 'nobody', 3, 4]),
    'a read that goes back': historyOf(
      [...begin],
      ['write a', 'unknown', 3, 4],
      ['read', { note: 'a' }, 5, 6],
      ['read', { note: 'n' }, 7, 8],
    ),
    'a revocation that misses a login': historyOf([...begin], ['end', 'done', 3, 5], ['read', { note: 'n' }, 6, 7]),
  }
  for (const [name, history] of Object.entries(histories)) t.ok(judge(history), name)
})

t.test('what a failover may lose explains its histories, and no others', (t) => {
  const losses = [{ from: 10, until: 20 }]
  const lost = {
    'a write': historyOf([...begin], ['write a', 'done', 11, 12], ['read', { note: 'n' }, 21, 22]),
    'a write that was read': historyOf(
      [...begin],
      ['write a', 'done', 11, 12],
      ['read', { note: 'a' }, 13, 14],
      ['read', { note: 'n' }, 21, 22],
    ),
    'a logout': historyOf([...begin], ['end', 'done', 11, 12], ['read', { note: 'n' }, 21, 22]),
    'a login': historyOf(['begin n', 'done', 11, 12], ['read', 'nobody', 21, 22]),
  }
  for (const [name, history] of Object.entries(lost)) {
    t.ok(judge(history), `${name} is an anomaly by itself`)
    t.equal(judge(withLosses(history, losses)), undefined, name)
  }
  const kept = {
    'a write before': historyOf([...begin], ['write a', 'done', 3, 4], ['read', { note: 'n' }, 21, 22]),
    'a write afterwards': historyOf([...begin], ['write a', 'done', 21, 22], ['read', { note: 'n' }, 23, 24]),
    'a logout before': historyOf([...begin], ['end', 'done', 3, 4], ['read', { note: 'n' }, 21, 22]),
    'a logout afterwards': historyOf([...begin], ['end', 'done', 21, 22], ['read', { note: 'n' }, 23, 24]),
    'a login before': historyOf([...begin], ['read', 'nobody', 21, 22]),
  }
  for (const [name, history] of Object.entries(kept)) t.ok(judge(withLosses(history, losses)), name)
  t.end()
})

async function runOn(t: Test, name: string, options: Omit<RunOptions, 'store' | 'seed'>): Promise<RunResult> {
  const open = STORES[name]
  if (open === undefined) throw new Error(`no store of the name ${name}`)
  const result = await (await Run.start(t, { ...options, store: await open(t), seed })).finish()
  const { unknown, sessions, faults, anomalies } = result
  const extent = `${result.operations} operations, ${unknown} unknown, on ${sessions} sessions`
  const lost = result.losses === 0 ? '' : `, of which a failover changed ${result.losses}`
  t.comment(`${name}, seed ${seed}: ${extent}${lost}`, faults)
  if (options.forgets === undefined) for (const anomaly of anomalies.slice(0, 3)) t.comment(anomaly)
  return result
}

for (const forgets of ['update', 'delete'] as const satisfies readonly Forgotten[]) {
  t.test(`a store that acknowledges ${forgets} of a record and forgets it is found`, async (t) => {
    const { anomalies } = await runOn(t, 'sqlite', { operations: 1_500, hasFaults: false, forgets })
    t.ok(anomalies.length > 0)
  })
}

const names = process.env['HISTORY_STORES']?.split(',') ?? Object.keys(STORES)
for (const name of names) {
  t.test(`what two servers on ${name} tell their users has an order that explains it, whatever fails`, async (t) => {
    const { anomalies, sessions, copied } = await runOn(t, name, { operations, hasFaults: true })
    t.ok(sessions > 0)
    t.equal(anomalies.length, 0)
    t.equal(copied, 0, 'no session was taken for copied')
  })
}
