import { fill, wordsOf } from '../report/fill.ts'
import { stringify } from '../report/json.ts'
import type { Requirement } from './requirement.ts'
import type { ShownSettings } from './settings.ts'
import { STANDARDS } from './standards.ts'

/** The subject of the evidence. */
export interface EvidenceSource {
  readonly version: string
  /** The file that was run. */
  readonly target: string
  /** The line that says which rules apply, and why. */
  readonly environment: string
  /** The number of findings of each severity, in words. */
  readonly summary: string
  readonly settings: ShownSettings
}

/** A requirement with what the options of one app make of it. */
export interface EvidenceLine extends Omit<Requirement, 'judge'> {
  /** The value of the option in this app, for `option`. */
  readonly value?: string
  /** Tells whether that value meets the requirement, for `option`. */
  readonly isMet?: boolean
}

function linesOf(requirements: readonly Requirement[], settings: ShownSettings): EvidenceLine[] {
  return requirements.map(({ judge, ...line }) => ({ ...line, ...judge?.(settings) }))
}

/** The evidence as versioned JSON. */
export function evidenceJson({ version, settings, ...source }: EvidenceSource): string {
  return stringify({
    schemaVersion: 1,
    tool: { name: 'fastify-session-guard', version },
    ...source,
    settings,
    standards: STANDARDS.map(({ name, url, requirements }) => ({
      name,
      url,
      requirements: linesOf(requirements, settings),
    })),
  })
}

/** The evidence as Markdown: a table for each standard. */
export function evidenceMarkdown({ version, target, environment, summary, settings }: EvidenceSource): string {
  const tables = STANDARDS.map(({ name, url, requirements }) => {
    const rows = linesOf(requirements, settings).map((line) => row(line))
    return [`## [${name}](${url})`, '', HEAD, '| --- | --- | --- | --- |', ...rows].join('\n')
  })
  return [
    `# Session evidence for ${cell(target)}`,
    '',
    `By fastify-session-guard ${version}; environment: ${cell(environment)}; the guard has ${summary}.`,
    'Kept: the plugin does this whatever the options are, and the tests named show it.',
    'Option: the value in this app decides. Yours: only the app or its operator can do this.',
    ...invalidLines(settings),
    ...tables.flatMap((table) => ['', table]),
  ].join('\n')
}

/** Says which options are not valid, so that nobody takes the default for the value of the app. */
export function invalidLines({ invalid }: ShownSettings): string[] {
  if (invalid.length === 0) return []
  return [
    '',
    `**Not valid: ${cell(invalid.join(', '))}.** The app does not start with these options; the default stands in their place.`,
    'The command `check` says what is wrong with each.',
  ]
}

/** Returns the evidence for people at a terminal, in lines of at most `width` characters. */
export function evidenceText(
  { version, target, environment, summary, settings }: EvidenceSource,
  width: number,
): string {
  const wrap = (text: string, indent = ''): string[] =>
    fill(wordsOf(text.replaceAll(/\p{C}/gu, ' ')), width - indent.length).map((line) => indent + line)
  const standards = STANDARDS.flatMap(({ name, url, requirements }) => [
    '',
    ...wrap(name),
    url,
    ...linesOf(requirements, settings).flatMap((line) => ['', ...requirementText(line, wrap)]),
  ])
  return [
    ...wrap(`Session evidence for ${target}, by fastify-session-guard ${version}`),
    ...wrap(`environment: ${environment}; the guard has ${summary}.`),
    ...invalidLines(settings).flatMap((text) => wrap(text.replaceAll('**', ''))),
    ...standards,
  ].join('\n')
}

function requirementText(line: EvidenceLine, wrap: (text: string, indent?: string) => string[]): string[] {
  const { asks, how, tests } = line
  return [
    ...wrap(`${numberOf(line)}  ${statusOf(line).replaceAll(/\*\*|`/g, '')}`, '  '),
    ...wrap(asks, '    '),
    ...wrap(how, '    '),
    ...tests.map((test) => `    ${test}`),
  ]
}

const HEAD = '| requirement | asks | status | how, and tests |'

function row(line: EvidenceLine): string {
  const { asks, how, tests } = line
  const proof = tests.length === 0 ? '' : ` ${tests.map((test) => `\`${test}\``).join(', ')}`
  return `| ${[numberOf(line), asks, statusOf(line), how + proof].map(cell).join(' | ')} |`
}

function numberOf({ id, level }: EvidenceLine): string {
  return level === undefined ? id : `${id} (L${level})`
}

function statusOf({ status, option, value, isMet }: EvidenceLine): string {
  return status === 'option' ? `${isMet === true ? 'met' : '**not met**'}: \`${option}\` is ${value}` : STATUS[status]
}

const STATUS = { kept: 'kept by the plugin', yours: 'yours to do' } as const

/** A text in a table: neither a bar nor a line break may end its cell. */
function cell(text: string): string {
  return text.replaceAll(/\p{C}/gu, ' ').replaceAll('|', String.raw`\|`)
}
