import type { PeerName, ScenarioName } from './peers/peer.ts'
import { SCENARIOS } from './scenarios/list.ts'
import type { Series } from './compare.ts'
import { median, ratio } from './statistics.ts'
import { markdown, times } from './table.ts'

interface Target {
  readonly scenario: ScenarioName
  /** The one that is judged. Default: this plugin. */
  readonly own?: PeerName
  readonly against: PeerName
  /** The ratio that must be reached. */
  readonly ratio?: number
  /** The processor time that one iteration may take longer, in microseconds. */
  readonly longer?: number
}

/** The targets of this plugin. The ratio 1 reads "ahead of". */
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
  { scenario: 'bound', own: 'session-guard-bound', against: 'session-guard', longer: 5 },
  ...SCENARIOS.filter(({ peers }) => peers === undefined).map(({ name }) => ({
    scenario: name,
    against: 'before' as const,
    ratio: 0.98,
  })),
]

/** Target and result side by side, as a Markdown table; empty when the run measured none of them. */
export function targetsOf(all: readonly Series[]): string {
  const cells = TARGETS.flatMap((target) => {
    const find = (name: PeerName): Series | undefined =>
      all.find(({ scenario, peer }) => scenario.name === target.scenario && peer.name === name)
    const own = find(target.own ?? 'session-guard')
    const other = find(target.against)
    if (own === undefined || other === undefined) return []
    const reached = ratio(ratesOf(own), ratesOf(other))
    const byCpu = 1 / ratio(costsOf(own), costsOf(other))
    const longer = median(costsOf(own).map((cost, round) => cost - (costsOf(other)[round] ?? NaN)))
    const { wanted, verdict } = verdictOn(target, reached, longer)
    return [[own.scenario.title, other.peer.title, wanted, times(reached), times(byCpu), longer.toFixed(1), verdict]]
  })
  return cells.length === 0
    ? ''
    : markdown(['scenario', 'against', 'target', 'measured', 'by CPU', '+ CPU µs', 'reached'], cells, 2)
}

function verdictOn(target: Target, reached: number, longer: number): { wanted: string; verdict: string } {
  if (target.longer !== undefined) {
    const over = longer - target.longer
    return { wanted: `+${target.longer} µs`, verdict: over <= 0 ? 'yes' : `over by ${over.toFixed(1)} µs` }
  }
  const { ratio: wanted = 1 } = target
  return { wanted: wanted.toFixed(2), verdict: reached >= wanted ? 'yes' : `short by ${times(wanted - reached)}` }
}

function ratesOf({ rounds }: Series): number[] {
  return rounds.map(({ rate }) => rate)
}

function costsOf({ rounds }: Series): number[] {
  return rounds.map(({ cpu }) => cpu)
}
