import { counterpartsOf, weaknessesOf } from '../rules/crosswalk.ts'
import { exceptionTo } from '../rules/exceptions.ts'
import { intentionsFor } from '../rules/intentions.ts'
import { linkTo } from '../rules/links.ts'
import { OTHER_STACKS } from '../rules/other-stacks.ts'
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
    exampleRow('Wrong', wrong, row),
    exampleRow('Right', right, row),
    ...intentionLines(rule, width),
    row('Fix', rule.remedy),
    ...exceptionLines(rule, width),
    row('Sources', sourcesOf(rule).join(', ')),
    ...linkLines(rule),
    ...counterpartLines(rule, row),
  ].join('\n')
}

/** An example that is to be pasted, into which no line break may come, or one in words. */
function exampleRow(label: string, example: ConfigExample, row: (label: string, text: string) => string): string {
  const text = exampleText(example)
  return /[(){}[\]=:;]/.test(text) ? `  ${label.padEnd(LABEL - 2)}${text}` : row(label, text)
}

function intentionLines(rule: Rule, width: number): string[] {
  const lines = intentionsFor(rule).flatMap(({ wish, code }) => [
    '',
    indent(wish, width),
    ...code.split('\n').map((line) => `    ${line}`),
  ])
  return lines.length === 0 ? [] : [...lines, '']
}

function exceptionLines(rule: Rule, width: number): string[] {
  const exception = exceptionTo(rule)
  return exception === undefined ? [] : ['', indent(`When not to use it: ${exception}`, width), '']
}

/** Addresses stay whole, so that a terminal makes links of them. */
function linkLines(rule: Rule): string[] {
  const links = sourcesOf(rule)
    .map((source) => linkTo(source))
    .filter((link) => link !== undefined)
  return [...new Set(links)].map((link, index) => `  ${(index === 0 ? 'Links' : '').padEnd(LABEL - 2)}${link}`)
}

function sourcesOf({ slug, references }: Rule): string[] {
  const numbers = weaknessesOf(slug).map((cwe) => `CWE-${cwe}`)
  return [...references, ...numbers.filter((cwe) => !references.includes(cwe))]
}

function counterpartLines({ slug }: Rule, row: (label: string, text: string) => string): string[] {
  const counterparts = counterpartsOf(slug)
  const tools = [...new Set(counterparts.map(({ tool }) => tool))].map((tool): [string, string[]] => [
    tool,
    counterparts.filter((one) => one.tool === tool).map(({ id, note }) => (note ? `${id} (${note})` : id)),
  ])
  return [...tools, ...Object.entries(OTHER_STACKS[slug] ?? {})].map(([name, words], index) =>
    row(index === 0 ? 'Elsewhere' : '', `${name}: ${words.join(', ')}`),
  )
}

const LABEL = 15

const MOMENTS: Readonly<Record<Phase, string>> = {
  register: 'when the plugin is registered',
  ready: 'when all plugins have loaded',
  request: 'on the first requests',
  source: 'by the command check, in the source text',
  scan: 'by a scan from outside',
}

function silencingText({ slug, phases, silenceable }: Rule): string {
  if (!silenceable) return 'not possible'
  const isForOptions = phases.some((phase) => phase !== 'scan')
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

/** Fills lines again: the text is wrapped for the source. */
function indent(text: string, width: number): string {
  return fill(wordsOf(plain(text)), width - 2)
    .map((line) => `  ${line}`)
    .join('\n')
}
