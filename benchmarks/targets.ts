import type { PeerName, ScenarioName } from './peers/peer.ts'
import { SCENARIOS } from './scenarios/list.ts'
import type { Series } from './compare.ts'
import { ratio } from './statistics.ts'
import { markdown, times } from './table.ts'

interface Target {
  readonly scenario: ScenarioName
  readonly against: PeerName
  /** The ratio that must be reached. */
  readonly ratio: number
}

/** What this plugin sets out to reach; 1 reads "ahead of". */
const TARGETS: readonly Target[] = [
  { scenario: 'anonymous', against: 'fastify-cookie', ratio: 0.95 },
  { scenario: 'user', against: 'fastify-cookie', ratio: 0.85 },
  { scenario: 'user', against: 'fastify-session-tuned', ratio: 2.5 },
  { scenario: 'user', against: 'secure-session', ratio: 1 },
  { scenario: 'session', against: 'fastify-session-tuned', ratio: 1.4 },
  { scenario: 'write', against: 'fastify-session', ratio: 1 },
  { scenario: 'write', against: 'fastify-session-tuned', ratio: 1 },
  { scenario: 'login-logout', against: 'fastify-session', ratio: 1 },
  { scenario: 'login-logout', against: 'fastify-session-tuned', ratio: 1 },
  ...SCENARIOS.map(({ name }) => ({ scenario: name, against: 'before' as const, ratio: 0.98 })),
]

/** Target and result side by side, as a Markdown table; empty when the run measured none of them. */
export function targetsOf(all: readonly Series[]): string {
  const cells = TARGETS.flatMap((target) => {
    const find = (name: PeerName): Series | undefined =>
      all.find(({ scenario, peer }) => scenario.name === target.scenario && peer.name === name)
    const own = find('session-guard')
    const other = find(target.against)
    if (own === undefined || other === undefined) return []
    const reached = ratio(ratesOf(own), ratesOf(other))
    const byCpu = 1 / ratio(costsOf(own), costsOf(other))
    const verdict = reached >= target.ratio ? 'yes' : `short by ${times(target.ratio - reached)}`
    return [[own.scenario.title, other.peer.title, target.ratio.toFixed(2), times(reached), times(byCpu), verdict]]
  })
  return cells.length === 0
    ? ''
    : markdown(['scenario', 'against', 'target', 'measured', 'by CPU', 'reached'], cells, 2)
}

function ratesOf({ rounds }: Series): number[] {
  return rounds.map(({ rate }) => rate)
}

function costsOf({ rounds }: Series): number[] {
  return rounds.map(({ cpu }) => cpu)
}
