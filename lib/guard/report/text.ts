import type { Finding, Severity } from '../../../types/index.ts'
import { fill, wordsOf } from './fill.ts'
import type { ReportFailure } from './json.ts'
import { bySeverity, SEVERITIES } from './severities.ts'

/** The layout of a report. */
export interface ReportLayout {
  /** The line that says which rules apply, and why. */
  readonly environment: string
  /** The findings to spell out: those that refuse the boot, or all. The others are counted and named. */
  readonly spellOut?: 'fatal' | 'all'
  /** Spells out silenced findings too. */
  readonly showSilenced?: boolean
  /** The command that runs the same check again. */
  readonly checkAgain?: string
  /** Escape sequences for a terminal. */
  readonly color?: boolean
  /** Columns of the terminal; default 100. */
  readonly width?: number | undefined
  /** The source lines that a finding is about, in lines of at most `width`. */
  readonly frameOf?: (finding: Finding, width: number) => readonly string[] | undefined
}

const MARKS: Readonly<Record<Severity, { sign: string; color: number }>> = {
  fatal: { sign: '✖', color: 31 },
  warning: { sign: '⚠', color: 33 },
  info: { sign: 'ℹ', color: 36 },
}

const MIN_WIDTH = 40
const MAX_WIDTH = 100

const INDENT = ' '.repeat(11)

/** Returns the width of lines for a terminal with this number of columns, or without a terminal. */
export function lineWidth(columns: number | undefined): number {
  return Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns ?? MAX_WIDTH))
}

/** `2 fatal, 1 warning`: how many of each severity, silenced ones left out. */
export function countFindings(findings: readonly Finding[]): string {
  const counts = SEVERITIES.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity && finding.silenced === undefined).length
    return count === 0 ? [] : [`${count} ${severity === 'warning' && count > 1 ? 'warnings' : severity}`]
  })
  return counts.length === 0 ? 'no findings' : counts.join(', ')
}

/** The findings as text for people, the worst first, without a headline and without a line break at the end. */
export function renderReport(findings: readonly Finding[], layout: ReportLayout): string {
  const sorted = bySeverity(findings)
  const lines = paragraph('  environment: ', layout.environment, layout)
  const spelt = sorted.filter((finding) => isSpeltOut(finding, layout))
  for (const finding of spelt) lines.push('', ...renderFinding(finding, layout))
  const rest = sorted.filter((finding) => !spelt.includes(finding))
  const tail = renderRest(rest, layout)
  if (layout.checkAgain !== undefined) tail.push(...paragraph('  check again: ', layout.checkAgain, layout))
  return [...lines, ...(tail.length === 0 ? [] : ['', ...tail])].join('\n')
}

/** Returns the reason why a check did not come to its end, as text for people. */
export function renderFailure(target: string, { message, hint, place }: ReportFailure, width?: number): string {
  const where = place === undefined ? [] : [`    at   ${place.file}:${place.line}:${place.column}`]
  const tips = hint === undefined ? [] : paragraph('    hint ', hint, { width })
  return [`Cannot check ${target}: ${message}`, ...where, ...tips].join('\n')
}

function isSpeltOut({ severity, silenced }: Finding, { spellOut, showSilenced }: ReportLayout): boolean {
  if (silenced !== undefined) return showSilenced ?? false
  return spellOut === 'all' || severity === 'fatal'
}

function renderFinding(finding: Finding, layout: ReportLayout): string[] {
  const { sign, color: code } = MARKS[finding.severity]
  const paint = (text: string, ...codes: number[]): string =>
    layout.color === true ? `\u001b[${codes.join(';')}m${text}\u001b[0m` : text
  const slug = finding.rule.slice('session/'.length)
  const places = finding.at.map(({ path, value }) => (path === '' ? value : `${path} = ${value}`)).join(', ')
  const { snippet, text } = finding.fix
  const place = finding.at.find(({ source }) => source !== undefined)?.source
  const frame = layout.frameOf?.(finding, lineWidth(layout.width) - INDENT.length) ?? []
  const where = place === undefined ? [] : [`${place.file}:${place.line}:${place.column}`, ...frame]
  return [
    `  ${paint(`${sign} ${finding.severity}`, code, 1)}  ${paint(finding.rule, 1)}`,
    ...block('at', layout, places, ...where.map(whole)),
    ...block('what', layout, finding.message),
    ...block('why', layout, finding.why),
    // A snippet is to be pasted, so that no line break may come into it.
    ...block('fix', layout, ...(snippet === undefined ? [] : [whole(paint(snippet, 32))]), text),
    ...block('see', layout, ...sourcesOf(finding, slug)),
    ...(finding.silenced === undefined ? [] : block('quiet', layout, silenceLine(finding.silenced))),
  ]
}

/** Lines that are kept as they are. */
interface Whole {
  readonly whole: string
}

function whole(text: string): Whole {
  return { whole: text }
}

function sourcesOf({ references }: Finding, slug: string): (string | Whole)[] {
  const command = whole(`npx fastify-session-guard explain ${slug}`)
  return references.length === 0 ? [command] : [references.join(' · '), command]
}

function silenceLine({ reason, expires }: NonNullable<Finding['silenced']>): string {
  return `silenced${expires === null ? '' : ` until ${expires}`}: ${reason.replaceAll(/\p{C}/gu, ' ')}`
}

/** One labelled block; only prose is wrapped. */
function block(label: string, layout: Pick<ReportLayout, 'width'>, ...paragraphs: (string | Whole)[]): string[] {
  const width = lineWidth(layout.width) - INDENT.length
  return paragraphs
    .flatMap((text) => (typeof text === 'string' ? fill(wordsOf(text), width) : [text.whole]))
    .map((line, index) => (index === 0 ? `    ${label.padEnd(7)}${line}` : INDENT + line))
}

/** Prose behind a label of its own; a command stays whole. */
function paragraph(label: string, text: string, { width }: Pick<ReportLayout, 'width'>): string[] {
  const lines = fill(wordsOf(text), lineWidth(width) - label.length)
  return lines.map((line, index) => (index === 0 ? label : ' '.repeat(label.length)) + line)
}

/** Names the findings that are not spelt out: `⚠ 1 warning: session/environment-unknown`. */
function renderRest(findings: readonly Finding[], layout: ReportLayout): string[] {
  const silenced = findings.filter((finding) => finding.silenced !== undefined)
  const lines = SEVERITIES.flatMap((severity) => {
    const rest = findings.filter((finding) => finding.severity === severity && finding.silenced === undefined)
    if (rest.length === 0) return []
    const { sign, color: code } = MARKS[severity]
    const [first = '', ...more] = paragraph(`  ${sign} ${countFindings(rest)}: `, namesOf(rest), layout)
    const mark = layout.color === true ? `\u001b[${code}m${sign}\u001b[0m` : sign
    return [first.replace(sign, mark), ...more]
  })
  if (silenced.length === 0) return lines
  return [...lines, ...paragraph(`  ${silenced.length} silenced: `, namesOf(silenced), layout)]
}

function namesOf(findings: readonly Finding[]): string {
  return [...new Set(findings.map(({ rule }) => rule))].join(', ')
}
