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
  /** For `option`: its value in this app. */
  readonly value?: string
  /** For `option`: whether that value meets the requirement. */
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
    ...tables.flatMap((table) => ['', table]),
  ].join('\n')
}

const HEAD = '| requirement | asks | status | how, and tests |'

function row({ id, level, asks, status, option, value, isMet, how, tests }: EvidenceLine): string {
  const number = level === undefined ? id : `${id} (L${level})`
  const shown =
    status === 'option' ? `${isMet === true ? 'met' : '**not met**'}: \`${option}\` is ${value}` : STATUS[status]
  const proof = tests.length === 0 ? '' : ` ${tests.map((test) => `\`${test}\``).join(', ')}`
  return `| ${[number, asks, shown, how + proof].map(cell).join(' | ')} |`
}

const STATUS = { kept: 'kept by the plugin', yours: 'yours to do' } as const

/** A text in a table: neither a bar nor a line break may end its cell. */
function cell(text: string): string {
  return text.replaceAll(/\p{C}/gu, ' ').replaceAll('|', String.raw`\|`)
}
