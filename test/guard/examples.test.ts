import t from 'tap'
import { RULES } from '../../lib/guard/rules/index.ts'
import type { Finding } from '../../types/index.ts'
import { follow } from './configs.ts'
import { findingsOf, optionsOf } from './example-findings.ts'

/** Rules whose finding stands in the options, and whose remedy does not. */
const WORDS_ONLY = new Set(['store-plaintext', 'store-tls-unverified', 'store-ephemeral'])

for (const rule of RULES) {
  const id = `session/${rule.slug}`
  const { wrong, right } = rule.examples

  t.test(`${rule.slug}: the wrong example gives exactly this finding`, async (t) => {
    const found = findingsOf(optionsOf(wrong), rule, wrong)
    t.strictSame(
      found.map((finding) => finding.rule),
      [id],
    )
  })

  t.test(`${rule.slug}: the right example is silent`, async (t) => {
    const found = findingsOf(optionsOf(right), rule, right)
    t.strictSame(
      found.map((finding) => finding.rule),
      [],
    )
  })

  t.test(`${rule.slug}: following the fix makes the finding go away, and brings no other`, async (t) => {
    const options = optionsOf(wrong)
    const [finding] = findingsOf(options, rule, wrong) as [Finding]
    t.match(finding.fix.text, /\w/, 'words say what to do')
    const { patch } = finding.fix
    t.equal(patch === undefined, finding.fix.confidence === undefined)
    if (patch === undefined) return
    const left = findingsOf(follow(options, [finding]), rule, wrong)
    t.strictSame(
      left.filter((other) => other.rule === id || other.severity === 'fatal').map((other) => other.rule),
      [],
    )
  })

  t.test(`${rule.slug}: a finding about the options has a fix that can be followed`, async (t) => {
    const [finding] = findingsOf(optionsOf(wrong), rule, wrong) as [Finding]
    const isInOptions = finding.at.every(({ pointer }) => pointer !== '') && finding.phase === 'register'
    if (isInOptions && !WORDS_ONLY.has(rule.slug)) t.ok(finding.fix.patch !== undefined, rule.slug)
    t.pass()
  })
}
