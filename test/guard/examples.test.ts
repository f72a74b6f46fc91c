import t from 'tap'
import { checkConfig } from '../../lib/guard/check.ts'
import type { ConfigExample } from '../../lib/guard/rule.ts'
import { RULES } from '../../lib/guard/rules/index.ts'
import type { Finding } from '../../types/index.ts'
import { evaluate, good, paste } from './configs.ts'

function optionsOf({ options, without = [] }: ConfigExample): Record<string, unknown> {
  const around = Object.entries(good()).filter(([name]) => !without.includes(name))
  return { ...Object.fromEntries(around), ...evaluate(options) }
}

function check(options: unknown, { environment = 'production', context }: ConfigExample): Finding[] {
  return checkConfig(options, environment, context).filter(({ silenced }) => silenced === undefined)
}

for (const rule of RULES.filter(({ onConfig, slug }) => onConfig !== undefined || slug === 'silence-unused')) {
  const id = `session/${rule.slug}`
  const { wrong, right } = rule.examples

  t.test(`${rule.slug}: the wrong example gives exactly this finding`, async (t) => {
    t.strictSame(
      check(optionsOf(wrong), wrong).map((finding) => finding.rule),
      [id],
    )
  })

  t.test(`${rule.slug}: the right example is silent`, async (t) => {
    t.strictSame(
      check(optionsOf(right), right).map((finding) => finding.rule),
      [],
    )
  })

  t.test(`${rule.slug}: pasting the fix makes the finding go away`, async (t) => {
    const options = optionsOf(wrong)
    const [finding] = check(options, wrong) as [Finding]
    const isOutside = finding.at.every(({ path }) => path === 'request.session')
    const left = isOutside ? [] : check(paste(options, finding), wrong)
    t.strictSame(
      left.filter((other) => other.rule === id || other.severity === 'fatal').map((other) => other.rule),
      [],
    )
  })
}
