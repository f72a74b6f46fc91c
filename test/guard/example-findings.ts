import { checkConfig } from '../../lib/guard/check.ts'
import { RequestPhase, checkNeighbours, checkScan, checkSource } from '../../lib/guard/phases.ts'
import type { ConfigExample, Rule } from '../../lib/guard/rules/rule.ts'
import type { Finding } from '../../types/index.ts'
import { evaluate, good } from './configs.ts'
import { ANSWER, NEIGHBOURS, REQUEST, SCAN } from './phase-facts.ts'

/** Returns the options of an example, with the good ones around them. */
export function optionsOf({ options, without = [] }: ConfigExample): Record<string, unknown> {
  const around = Object.entries(good()).filter(([name]) => !without.includes(name))
  return { ...Object.fromEntries(around), ...evaluate(options) }
}

/** Returns the findings of all phases that the rule speaks in, except those silenced. */
export function findingsOf(options: unknown, rule: Rule, example: ConfigExample): Finding[] {
  const { environment = 'production', context, neighbours, request, scan } = example
  const findings = [
    ...checkConfig(options, environment, context),
    ...(rule.onNeighbours ? checkNeighbours(options, environment, { ...NEIGHBOURS, ...neighbours }) : []),
    ...(rule.onRequest ? new RequestPhase(options, environment).request({ ...REQUEST, ...request }) : []),
    ...(rule.onAnswer && example.neighbours === undefined
      ? new RequestPhase(options, environment).answer({ ...ANSWER, ...example.answer })
      : []),
    ...(rule.onSource ? checkSource(example.source ?? '', 'production') : []),
    ...(rule.onScan ? checkScan({ ...SCAN, ...scan }, undefined) : []),
  ]
  return findings.filter(({ silenced }) => silenced === undefined)
}
