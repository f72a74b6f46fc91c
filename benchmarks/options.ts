import { parseArgs } from 'node:util'
import { BEFORE, PEERS } from './peers/list.ts'
import type { Peer } from './peers/peer.ts'
import { SCENARIOS } from './scenarios/list.ts'
import type { Scenario } from './scenarios/scenario.ts'
import type { LoadOptions } from './load.ts'

export const USAGE = `npm run benchmark -- [options]
npm run benchmark -- stores [options]      sessions in Redis and PostgreSQL; says more with --help

  --scenario <name>     only this scenario (repeatable): ${SCENARIOS.map(({ name }) => name).join(', ')}
  --peer <name>         only this peer (repeatable): ${PEERS.map(({ name }) => name).join(', ')}
  --before <folder>     instead of the peers: another checkout of this project, which \`npm run build\` has built
  --rounds <count>      how often each pair is measured (15)
  --duration <seconds>  how long each measurement takes (1)
  --amount <count>      so many requests per measurement, in place of a duration
  --warmup <seconds>    load before the first measurement of each pair (3)
  --connections <count> how many visitors at once, each on a connection of its own (20)
  --out <folder>        where to write the results (benchmarks, for a run of everything; otherwise nowhere)
  --growth              instead: throughput and bytes per session as the memory store grows
  --sessions <count>    with --growth: this size (repeatable; 1000, 100000 and 1000000)
  --profile             instead: where this plugin (or --peer) spends its time in --scenario (user)
`

/** The run that the command line asks for. */
export interface BenchmarkOptions extends LoadOptions {
  readonly mode: 'compare' | 'growth' | 'profile' | 'help'
  readonly scenarios: readonly Scenario[]
  readonly peers: readonly Peer[]
  readonly rounds: number
  /** Seconds. */
  readonly warmup: number
  /** Another checkout of this project, which is compared with this one. */
  readonly before: string | undefined
  /** The place to which results are written, relative to the working directory. */
  readonly out: string | undefined
  readonly sizes: readonly number[]
}

/** Reads the command line; throws on what it does not know. */
export function readOptions(args: string[]): BenchmarkOptions {
  const { values } = parseArgs({
    args,
    options: {
      scenario: { type: 'string', multiple: true },
      peer: { type: 'string', multiple: true },
      before: { type: 'string' },
      rounds: { type: 'string', default: '15' },
      duration: { type: 'string', default: '1' },
      amount: { type: 'string' },
      warmup: { type: 'string', default: '3' },
      connections: { type: 'string', default: '20' },
      out: { type: 'string' },
      growth: { type: 'boolean', default: false },
      sessions: { type: 'string', multiple: true, default: ['1000', '100000', '1000000'] },
      profile: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  })
  const isWhole = values.scenario === undefined && values.peer === undefined && values.before === undefined
  return {
    mode: values.help ? 'help' : values.growth ? 'growth' : values.profile ? 'profile' : 'compare',
    scenarios: pick(SCENARIOS, values.scenario, 'scenario'),
    peers:
      values.before === undefined
        ? pick(PEERS, values.peer, 'peer')
        : [...pick(PEERS, ['session-guard'], 'peer'), BEFORE],
    before: values.before,
    rounds: positive('rounds', values.rounds),
    duration: positive('duration', values.duration),
    amount: values.amount === undefined ? undefined : positive('amount', values.amount),
    warmup: positive('warmup', values.warmup),
    connections: positive('connections', values.connections),
    out: values.out ?? (isWhole ? 'benchmarks' : undefined),
    sizes: values.sessions.map((size) => positive('sessions', size)),
  }
}

function pick<Item extends { name: string }>(
  all: readonly Item[],
  names: string[] | undefined,
  what: string,
): readonly Item[] {
  for (const name of names ?? []) {
    if (!all.some((item) => item.name === name)) throw new Error(`no ${what} is named ${name}\n\n${USAGE}`)
  }
  return names === undefined ? all : all.filter((item) => names.includes(item.name))
}

function positive(name: string, value: string): number {
  const number = Number(value)
  if (number > 0 && Number.isFinite(number)) return number
  throw new Error(`--${name} ${value} is not a positive number\n\n${USAGE}`)
}
