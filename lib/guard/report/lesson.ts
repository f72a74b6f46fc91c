import { fill, wordsOf } from './fill.ts'
import { severityText } from './rule-table.ts'
import { lineWidth } from './text.ts'
import type { Phase } from '../../../types/index.ts'
import type { ConfigExample, Rule } from '../rules/rule.ts'

/** One rule as a lesson: what goes wrong, how it is used, what browsers do, the fix, the standard. */
export function renderLesson(rule: Rule, columns?: number): string {
  const { wrong, right } = rule.examples
  const width = lineWidth(columns)
  const row = (label: string, text: string): string => {
    const lines = fill(wordsOf(plain(text)), width - LABEL)
    return lines.map((line, index) => `  ${(index === 0 ? label : '').padEnd(LABEL - 2)}${line}`).join('\n')
  }
  return [
    `session/${rule.slug}`,
    '',
    row('Fires when', rule.when),
    row('Severity', severityText(rule)),
    row('Seen', rule.phases.map((phase) => MOMENTS[phase]).join(', ')),
    row('Silencing', silencingText(rule)),
    '',
    indent(rule.why, width),
    '',
    indent(rule.teach, width),
    '',
    // Examples are to be pasted, so that no line break may come into them.
    `  Wrong        ${exampleText(wrong)}`,
    `  Right        ${exampleText(right)}`,
    row('Fix', rule.remedy),
    ...(rule.references.length === 0 ? [] : [row('Sources', rule.references.join(', '))]),
  ].join('\n')
}

const LABEL = 15

const MOMENTS: Readonly<Record<Phase, string>> = {
  register: 'when the plugin is registered',
  ready: 'when all plugins have loaded',
  request: 'on the first requests',
  scan: 'by a scan from outside',
}

function silencingText({ slug, phases, silenceable }: Rule): string {
  if (!silenceable) return 'not possible'
  const isForOptions = phases.some((phase) => phase !== 'scan')
  return isForOptions ? `silence: [{ rule: '${slug}', reason: '…' }]` : 'not possible: a scan knows no options'
}

/** Backticks are for Markdown; a terminal shows them as they are. */
function plain(text: string): string {
  return text.replaceAll('**', '').replaceAll('`', '')
}

function exampleText({ shown, options, environment, without = [] }: ConfigExample): string {
  if (shown !== undefined) return shown
  const missing = without.map((name) => `no ${name}`).join(', ')
  return [options === '' ? missing : options, environmentText(environment)]
    .filter((part) => part !== '')
    .join('   with ')
}

function environmentText(environment: ConfigExample['environment']): string {
  if (environment === undefined) return ''
  if (typeof environment === 'string') return `NODE_ENV=${environment}`
  const variables = Object.entries(environment).map(([name, value]) => `${name}=${value}`)
  return variables.length === 0 ? 'no NODE_ENV' : variables.join(' ')
}

/** Fills lines again: the text is wrapped for the source. */
function indent(text: string, width: number): string {
  return fill(wordsOf(plain(text)), width - 2)
    .map((line) => `  ${line}`)
    .join('\n')
}
