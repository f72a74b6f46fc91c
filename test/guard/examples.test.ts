import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { checkNeighbours, checkRequest, checkScan } from '../../lib/guard/phases.ts'
import type { ConfigExample, Rule } from '../../lib/guard/rules/rule.ts'
import { RULES } from '../../lib/guard/rules/index.ts'
import type { Finding } from '../../types/index.ts'
import { evaluate, good, paste } from './configs.ts'
import { NEIGHBOURS, REQUEST, SCAN } from './phase-facts.ts'

function optionsOf({ options, without = [] }: ConfigExample): Record<string, unknown> {
  const around = Object.entries(good()).filter(([name]) => !without.includes(name))
  return { ...Object.fromEntries(around), ...evaluate(options) }
}

/** The findings of all phases that the rule speaks in, except those silenced. */
function check(options: unknown, rule: Rule, example: ConfigExample): Finding[] {
  const { environment = 'production', context, neighbours, request, scan } = example
  const findings = [
    ...checkConfig(options, environment, context),
    ...(rule.onNeighbours ? checkNeighbours(options, environment, { ...NEIGHBOURS, ...neighbours }) : []),
    ...(rule.onRequest ? checkRequest(options, environment, { ...REQUEST, ...request }) : []),
    ...(rule.onScan ? checkScan({ ...SCAN, ...scan }, undefined) : []),
  ]
  return findings.filter(({ silenced }) => silenced === undefined)
}

/** What is at fault lies outside of the options, so no snippet can mend it. */
function isOutside({ at, phase, fix }: Finding): boolean {
  return at.every(({ pointer }) => pointer === '') || (phase !== 'register' && fix.snippet === undefined)
}

for (const rule of RULES) {
  const id = `session/${rule.slug}`
  const { wrong, right } = rule.examples

  t.test(`${rule.slug}: the wrong example gives exactly this finding`, async (t) => {
    const found = check(optionsOf(wrong), rule, wrong)
    t.strictSame(
      found.map((finding) => finding.rule),
      [id],
    )
  })

  t.test(`${rule.slug}: the right example is silent`, async (t) => {
    const found = check(optionsOf(right), rule, right)
    t.strictSame(
      found.map((finding) => finding.rule),
      [],
    )
  })

  t.test(`${rule.slug}: pasting the fix makes the finding go away`, async (t) => {
    const options = optionsOf(wrong)
    const [finding] = check(options, rule, wrong) as [Finding]
    if (isOutside(finding) || finding.fix.snippet === undefined) {
      t.match(finding.fix.text, /\w/, 'words say what to do')
    }
    const left = isOutside(finding)
      ? []
      : check(paste(options, finding), rule, { ...wrong, neighbours: right.neighbours ?? {} })
    t.strictSame(
      left.filter((other) => other.rule === id || other.severity === 'fatal').map((other) => other.rule),
      [],
    )
  })
}
