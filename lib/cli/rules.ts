import { parseArgs } from 'node:util'
import { CLEAN, UsageError } from './io.ts'
import { renderRuleTable, severityText } from '../guard/report/rule-table.ts'
import { RULES } from '../guard/rules/index.ts'
import type { Io } from './io.ts'

const HELP = `Usage: fastify-session-guard rules [--format pretty|json|markdown]

Lists the catalogue. Severity is production/development: F fatal, W warning, I info, – silent.`

/** Lists what is checked. */
export async function rules(argv: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { help: { type: 'boolean', short: 'h' }, format: { type: 'string', default: 'pretty' } },
  })
  io.out(values.help === true ? HELP : render(values.format))
  return CLEAN
}

function render(format: string): string {
  if (format === 'markdown') return renderRuleTable()
  if (format === 'json') return JSON.stringify({ schemaVersion: 1, rules: RULES.map(describe) }, null, 2)
  if (format !== 'pretty') throw new UsageError(`--format is pretty, json or markdown, not ${format}.`)
  const widest = Math.max(...RULES.map(({ slug }) => slug.length))
  const lines = RULES.map((rule) => {
    const [severity = ''] = severityText(rule).split(',')
    return `${rule.silenceable ? ' ' : '⊘'} ${rule.slug.padEnd(widest)}  ${severity}  ${rule.when.replaceAll(/[`*]/g, '')}`
  })
  return [...lines, '', '⊘ cannot be silenced. More about one: fastify-session-guard explain <rule>'].join('\n')
}

function describe({
  slug,
  severity,
  phases,
  silenceable,
  when,
  why,
  remedy,
  references,
}: (typeof RULES)[number]): object {
  return { rule: `session/${slug}`, severity, phases, silenceable, when, why, remedy, references }
}
