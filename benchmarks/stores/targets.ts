import type { Measurement } from '../load.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { ratio } from '../statistics.ts'
import { markdown, times } from '../table.ts'
import type { StorePeer } from './peers.ts'
import { STORE_PEERS } from './peers.ts'

/** Everything that was measured of one peer in one scenario. */
export interface StoreSeries {
  readonly scenario: Pick<Scenario, 'name' | 'title'>
  readonly peer: StorePeer
  readonly rounds: readonly Measurement[]
}

interface Target {
  readonly scenario: Scenario['name']
  readonly own: string
  readonly against: string
  /** The ratio that must be reached; 1 reads "ahead of". */
  readonly ratio: number
}

/** Reads against the peer as careful users configure it. */
const READS = [
  { own: 'guard-redis', against: 'fastify-connect-redis', ratio: 1.3 },
  { own: 'guard-redis-cached', against: 'fastify-connect-redis', ratio: 2 },
  { own: 'guard-postgres', against: 'fastify-connect-pg-simple', ratio: 1.2 },
]

/** Both read who is logged in from the store; the second also hands out the session's data. */
const TARGETS: readonly Target[] = (['user', 'session'] as const).flatMap((scenario) =>
  READS.map((target) => ({ scenario, ...target })),
)

/** Target and result side by side, as a Markdown table; empty when the run measured none of them. */
export function storeTargetsOf(all: readonly StoreSeries[]): string {
  const cells = TARGETS.flatMap((target) => {
    const find = (name: string): StoreSeries | undefined =>
      all.find(({ scenario, peer }) => scenario.name === target.scenario && peer.name === name)
    const [own, other] = [find(target.own), find(target.against)]
    if (own === undefined || other === undefined) return []
    const reached = ratio(ratesOf(own), ratesOf(other))
    const byCpu = 1 / ratio(costsOf(own), costsOf(other))
    const verdict = reached >= target.ratio ? 'yes' : `short by ${times(target.ratio - reached)}`
    return [
      [
        own.scenario.title,
        own.peer.title,
        other.peer.title,
        target.ratio.toFixed(2),
        times(reached),
        times(byCpu),
        verdict,
      ],
    ]
  })
  if (cells.length === 0) return ''
  return markdown(['scenario', 'server', 'against', 'target', 'measured', 'by CPU', 'reached'], cells, 3)
}

/** Names that no peer has would be targets that nobody misses. */
for (const { own, against } of READS) {
  for (const name of [own, against]) {
    if (!STORE_PEERS.some((peer) => peer.name === name)) throw new Error(`no peer is named ${name}`)
  }
}

function ratesOf({ rounds }: StoreSeries): number[] {
  return rounds.map(({ rate }) => rate)
}

function costsOf({ rounds }: StoreSeries): number[] {
  return rounds.map(({ cpu }) => cpu)
}
