import { severityWords } from './rule-table.ts'
import { counterpartsOf, weaknessesOf } from '../rules/crosswalk.ts'
import type { Phase } from '../../../types/index.ts'
import type { ConfigExample, Rule } from '../rules/rule.ts'

/** One rule as a lesson: what goes wrong, how it is used, what browsers do, the fix, the standard. */
export function renderLesson(rule: Rule): string {
  const { wrong, right } = rule.examples
  return [
    `session/${rule.slug}`,
    '',
    `  Fires when   ${plain(rule.when)}`,
    `  Severity     ${severityWords(rule)}`,
    `  Seen         ${rule.phases.map((phase) => MOMENTS[phase]).join(', ')}`,
    `  Silencing    ${silencingText(rule)}`,
    '',
    indent(plain(rule.why)),
    '',
    indent(rule.teach),
    '',
    `  Wrong        ${exampleText(wrong)}`,
    `  Right        ${exampleText(right)}`,
    ...intentionLines(rule),
    `  Fix          ${plain(rule.remedy)}`,
    ...(rule.exception === undefined ? [] : ['', indent(`Not for you? ${rule.exception}`), '']),
    `  Sources      ${sourcesOf(rule).join(', ')}`,
    ...counterpartLines(rule),
  ].join('\n')
}

function intentionLines({ intentions = [] }: Rule): string[] {
  return intentions.flatMap(({ wish, code }) => ['', `  ${wish}`, ...code.split('\n').map((line) => `    ${line}`)])
}

function sourcesOf({ slug, references }: Rule): string[] {
  const numbers = weaknessesOf(slug).map((cwe) => `CWE-${cwe}`)
  return [...references, ...numbers.filter((cwe) => !references.includes(cwe))]
}

function counterpartLines({ slug }: Rule): string[] {
  const names = counterpartsOf(slug).map(({ tool, id }) => `${tool} ${id}`)
  return names.length === 0 ? [] : [`  Elsewhere    ${names.join(', ')}`]
}

const MOMENTS: Readonly<Record<Phase, string>> = {
  register: 'when the plugin is registered',
  ready: 'when all plugins have loaded',
  request: 'on the first requests',
  source: 'by the command check, in the source text',
  scan: 'by a scan from outside',
}

function silencingText({ slug, phases, silenceable }: Rule): string {
  if (!silenceable) return 'not possible'
  const isForOptions = phases.some((phase) => phase !== 'scan' && phase !== 'source')
  return isForOptions
    ? `silence: [{ rule: '${slug}', reason: '…' }]`
    : 'not possible: there are no options to say it in'
}

/** Backticks are for Markdown; a terminal shows them as they are. */
function plain(text: string): string {
  return text.replaceAll('**', '').replaceAll('`', '')
}

function exampleText({ shown, source, options, environment, without = [] }: ConfigExample): string {
  const other = shown ?? source
  if (other !== undefined) return other
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
