import type { ConfigFacts } from '../read/config-facts.ts'
import type { Fault } from '../read/validate.ts'

/** An option without a meaning refuses the boot in every environment. */
export const ALWAYS_FATAL = { production: 'fatal', development: 'fatal' } as const

/** The faults that one rule speaks of. */
export type FaultOf<Slug extends Fault['rule']> = Extract<Fault, { rule: Slug }>

export function faultsOf<Slug extends Fault['rule']>(facts: ConfigFacts, slug: Slug): FaultOf<Slug>[] {
  return facts.faults.filter((fault): fault is FaultOf<Slug> => fault.rule === slug)
}
