import { severityText } from './rule-table.ts'
import type { ConfigExample, Rule } from './rule.ts'

/** One rule as a lesson: what goes wrong, how it is used, what browsers do, the fix, the standard. */
export function renderLesson(rule: Rule): string {
  const { wrong, right } = rule.examples
  return [
    `session/${rule.slug}`,
    '',
    `  Fires when   ${plain(rule.when)}`,
    `  Severity     ${severityText(rule)} (production/development; F fatal, W warning, I info)`,
    `  Phase        ${rule.phases.join(', ')}`,
    `  Silencing    ${rule.silenceable ? `silence: [{ rule: '${rule.slug}', reason: '…' }]` : 'not possible'}`,
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

/** Backticks are for Markdown; a terminal shows them as they are. */
function plain(text: string): string {
  return text.replaceAll('**', '').replaceAll('`', '')
}

function exampleText({ options, environment, without = [] }: ConfigExample): string {
  const parts = [
    options === '' ? without.map((name) => `no ${name}`).join(', ') : options,
    environmentText(environment),
  ].filter((part) => part !== '')
  return parts.length === 0 ? 'as it is' : parts.join('   with ')
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
