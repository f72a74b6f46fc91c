import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import { RequestPhase, checkNeighbours, checkScan, checkSource } from '../../lib/guard/phases.ts'
import type { ConfigExample, Rule } from '../../lib/guard/rules/rule.ts'
import { RULES } from '../../lib/guard/rules/index.ts'
import type { Finding } from '../../types/index.ts'
import { evaluate, follow, good } from './configs.ts'
import { ANSWER, NEIGHBOURS, REQUEST, SCAN } from './phase-facts.ts'

/** Rules whose finding stands in the options, and whose remedy does not. */
const WORDS_ONLY = new Set(['store-plaintext', 'store-tls-unverified', 'store-ephemeral'])

function optionsOf({ options, without = [] }: ConfigExample): Record<string, unknown> {
  const around = Object.entries(good()).filter(([name]) => !without.includes(name))
  return { ...Object.fromEntries(around), ...evaluate(options) }
}

/** Returns the findings of all phases that the rule speaks in, except those silenced. */
function check(options: unknown, rule: Rule, example: ConfigExample): Finding[] {
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

  t.test(`${rule.slug}: following the fix makes the finding go away, and brings no other`, async (t) => {
    const options = optionsOf(wrong)
    const [finding] = check(options, rule, wrong) as [Finding]
    t.match(finding.fix.text, /\w/, 'words say what to do')
    const { patch } = finding.fix
    t.equal(patch === undefined, finding.fix.confidence === undefined)
    if (patch === undefined) return
    const left = check(follow(options, [finding]), rule, wrong)
    t.strictSame(
      left.filter((other) => other.rule === id || other.severity === 'fatal').map((other) => other.rule),
      [],
    )
  })

  t.test(`${rule.slug}: a finding about the options has a fix that can be followed`, async (t) => {
    const [finding] = check(optionsOf(wrong), rule, wrong) as [Finding]
    const isInOptions = finding.at.every(({ pointer }) => pointer !== '') && finding.phase === 'register'
    if (isInOptions && !WORDS_ONLY.has(rule.slug)) t.ok(finding.fix.patch !== undefined, rule.slug)
    t.pass()
  })
}
