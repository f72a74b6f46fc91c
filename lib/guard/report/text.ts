import type { Finding, Severity } from '../../../types/index.ts'

/** How a report is laid out. */
export interface ReportLayout {
  /** The line that says which rules apply, and why. */
  readonly environment: string
  /** Which findings are spelt out: those that refuse the boot, or all. The others are counted and named. */
  readonly spellOut?: 'fatal' | 'all'
  /** Spells out silenced findings too. */
  readonly showSilenced?: boolean
  /** The command that runs the same check again. */
  readonly checkAgain?: string
  /** Escape sequences for a terminal. */
  readonly color?: boolean
}

const MARKS: Readonly<Record<Severity, { sign: string; color: number }>> = {
  fatal: { sign: '✖', color: 31 },
  warning: { sign: '⚠', color: 33 },
  info: { sign: 'ℹ', color: 36 },
}

const SEVERITIES = ['fatal', 'warning', 'info'] as const satisfies readonly Severity[]

const WIDTH = 88

const INDENT = ' '.repeat(11)

/** `2 fatal, 1 warning`: how many of each severity, silenced ones left out. */
export function countFindings(findings: readonly Finding[]): string {
  const counts = SEVERITIES.flatMap((severity) => {
    const count = findings.filter((finding) => finding.severity === severity && finding.silenced === undefined).length
    return count === 0 ? [] : [`${count} ${severity === 'warning' && count > 1 ? 'warnings' : severity}`]
  })
  return counts.length === 0 ? 'no findings' : counts.join(', ')
}

/** The findings as text for people, without a headline and without a line break at the end. */
export function renderReport(findings: readonly Finding[], layout: ReportLayout): string {
  const lines = [`  environment: ${layout.environment}`]
  const spelt = findings.filter((finding) => isSpeltOut(finding, layout))
  for (const finding of spelt) lines.push('', ...renderFinding(finding, layout.color ?? false))
  const tail = [
    ...renderRest(
      findings.filter((finding) => !spelt.includes(finding)),
      layout,
    ),
  ]
  if (layout.checkAgain !== undefined) tail.push(`  check again: ${layout.checkAgain}`)
  return [...lines, ...(tail.length === 0 ? [] : ['', ...tail])].join('\n')
}

function isSpeltOut({ severity, silenced }: Finding, { spellOut, showSilenced }: ReportLayout): boolean {
  if (silenced !== undefined) return showSilenced ?? false
  return spellOut === 'all' || severity === 'fatal'
}

function renderFinding(finding: Finding, color: boolean): string[] {
  const { sign, color: code } = MARKS[finding.severity]
  const paint = (text: string, ...codes: number[]): string =>
    color ? `\u001b[${codes.join(';')}m${text}\u001b[0m` : text
  const slug = finding.rule.slice('session/'.length)
  const places = finding.at.map(({ path, value }) => (path === '' ? value : `${path} = ${value}`)).join(', ')
  const { snippet, text } = finding.fix
  const sources = [...finding.references, `npx fastify-session-guard explain ${slug}`].join(' · ')
  return [
    `  ${paint(`${sign} ${finding.severity}`, code, 1)}  ${paint(finding.rule, 1)}`,
    ...block('at', places),
    ...block('what', finding.message),
    ...block('why', finding.why),
    ...block('fix', ...(snippet === undefined ? [] : [paint(snippet, 32)]), text),
    ...block('see', sources),
    ...(finding.silenced === undefined ? [] : block('quiet', silenceLine(finding.silenced))),
  ]
}

function silenceLine({ reason, expires }: NonNullable<Finding['silenced']>): string {
  return `silenced${expires === null ? '' : ` until ${expires}`}: ${reason.replaceAll(/\p{C}/gu, ' ')}`
}

/** One labelled paragraph; only prose is wrapped, so that snippets stay whole. */
function block(label: string, ...paragraphs: string[]): string[] {
  return paragraphs
    .flatMap((paragraph) => wrap(paragraph))
    .map((line, index) => (index === 0 ? `    ${label.padEnd(7)}${line}` : INDENT + line))
}

function wrap(text: string): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > WIDTH) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}

/** What is not spelt out, by name: `⚠ 1 warning: session/environment-unknown`. */
function renderRest(findings: readonly Finding[], { color }: ReportLayout): string[] {
  const silenced = findings.filter((finding) => finding.silenced !== undefined)
  const lines = SEVERITIES.flatMap((severity) => {
    const rest = findings.filter((finding) => finding.severity === severity && finding.silenced === undefined)
    if (rest.length === 0) return []
    const { sign, color: code } = MARKS[severity]
    const mark = color === true ? `\u001b[${code}m${sign}\u001b[0m` : sign
    return [`  ${mark} ${countFindings(rest)}: ${namesOf(rest)}`]
  })
  return silenced.length === 0 ? lines : [...lines, `  ${silenced.length} silenced: ${namesOf(silenced)}`]
}

function namesOf(findings: readonly Finding[]): string {
  return [...new Set(findings.map(({ rule }) => rule))].join(', ')
}
