import { severityText } from './rule-table.ts'
import type { Phase } from '../../../types/index.ts'
import type { ConfigExample, Rule } from '../rules/rule.ts'

/** One rule as a lesson: what goes wrong, how it is used, what browsers do, the fix, the standard. */
export function renderLesson(rule: Rule): string {
  const { wrong, right } = rule.examples
  return [
    `session/${rule.slug}`,
    '',
    `  Fires when   ${plain(rule.when)}`,
    `  Severity     ${severityText(rule)} (production/development; F fatal, W warning, I info)`,
    `  Seen         ${rule.phases.map((phase) => MOMENTS[phase]).join(', ')}`,
    `  Silencing    ${silencingText(rule)}`,
    '',
    indent(plain(rule.why)),
    '',
    indent(rule.teach),
    '',
    `  Wrong        ${exampleText(wrong)}`,
    `  Right        ${exampleText(right)}`,
    `  Fix          ${plain(rule.remedy)}`,
    ...(rule.references.length === 0 ? [] : [`  Sources      ${rule.references.join(', ')}`]),
  ].join('\n')
}

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

const WIDTH = 96

/** Fills lines again: the text is wrapped for the source. */
function indent(text: string): string {
  const lines: string[] = []
  let line = ''
  for (const word of plain(text).split(/\s+/)) {
    if (line !== '' && line.length + word.length >= WIDTH) {
      lines.push(line)
      line = ''
    }
    line = line === '' ? word : `${line} ${word}`
  }
  return [...lines, line].map((filled) => `  ${filled}`).join('\n')
}
