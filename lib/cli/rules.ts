import { parseArgs } from 'node:util'
import { CLEAN } from './io.ts'
import { choiceOf } from './output.ts'
import { fill, wordsOf } from '../guard/report/fill.ts'
import { renderRuleTable, severityText } from '../guard/report/rule-table.ts'
import { lineWidth } from '../guard/report/text.ts'
import { RULES } from '../guard/rules/index.ts'
import type { Io } from './io.ts'

const FORMATS = ['pretty', 'json', 'markdown'] as const

const HELP = `Usage: fastify-session-guard rules [--format pretty|json|markdown]

Lists the catalogue: each rule, how bad it is, and when it fires.`

const LEGEND = '⊘ cannot be silenced. More about one: npx fastify-session-guard explain <rule>'

/** Lists what is checked. */
export async function rules(argv: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: { help: { type: 'boolean', short: 'h' }, format: { type: 'string', default: 'pretty' } },
  })
  io.out(values.help === true ? HELP : render(choiceOf('--format', values.format, FORMATS), io.columns))
  return CLEAN
}

function render(format: (typeof FORMATS)[number], columns: number | undefined): string {
  if (format === 'markdown') return renderRuleTable()
  if (format === 'json') return JSON.stringify({ schemaVersion: 1, rules: RULES.map(describe) }, null, 2)
  const lines = RULES.map((rule) => {
    const mark = rule.silenceable ? ' ' : '⊘'
    const text = `${severityText(rule)}: ${rule.when.replaceAll(/[`*]/g, '')}`
    return [`${mark} ${rule.slug}`, ...fill(wordsOf(text), lineWidth(columns) - 4).map((line) => `    ${line}`)].join(
      '\n',
    )
  })
  return [...lines, '', ...fill(wordsOf(LEGEND), lineWidth(columns))].join('\n')
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
