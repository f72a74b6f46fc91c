import { CLEAN, FOUND, plainWord, UsageError, usesColor } from './io.ts'
import { packageVersion } from './version.ts'
import { countFindings, renderReport } from '../guard/report/text.ts'
import { renderGithub } from '../guard/report/github.ts'
import { renderJson } from '../guard/report/json.ts'
import { renderSarif } from '../guard/report/sarif.ts'
import { SEVERITIES } from '../guard/report/severities.ts'
import type { ReportFailure } from '../guard/report/json.ts'
import type { Finding, Severity } from '../../types/index.ts'
import type { Io } from './io.ts'

export const FORMATS = ['pretty', 'json', 'sarif', 'github'] as const

/** Severities from the worst down. */
export const FAIL_LEVELS: readonly Severity[] = SEVERITIES

/** The form of a report, and the level at which it is a failure. */
export interface OutputOptions {
  readonly format: (typeof FORMATS)[number]
  readonly failLevel: (typeof FAIL_LEVELS)[number]
  readonly showSilenced: boolean
  readonly obeysSilence: boolean
  /** The file or the address that was checked. */
  readonly target: string
  readonly environment: string
  /** The reason why the findings may not be complete. */
  readonly failure?: ReportFailure | undefined
  /** Patches for the app's files, for a format that machines read. */
  readonly patches?: readonly object[] | undefined
  /** The source lines that a finding is about, in lines of at most `width`. */
  readonly frameOf?: (finding: Finding, width: number) => readonly string[] | undefined
}

/** One of the words that an option takes. */
export function choiceOf<Choice extends string>(option: string, value: string, choices: readonly Choice[]): Choice {
  const choice = choices.find((word) => word === value)
  if (choice !== undefined) return choice
  const word = plainWord(value)
  throw new UsageError(`${option} is one of ${choices.join(', ')}${word === undefined ? '' : `, not ${word}`}.`)
}

/** Writes the findings in the format that was asked for. Returns the exit code. */
export function report(all: readonly Finding[], io: Io, options: OutputOptions): number {
  const findings = options.obeysSilence ? all : all.map((finding) => unsilenced(finding))
  const text = render(findings, io, options)
  if (text !== '') io.out(text)
  const failing = FAIL_LEVELS.slice(0, FAIL_LEVELS.indexOf(options.failLevel) + 1)
  return findings.some(({ severity, silenced }) => silenced === undefined && failing.includes(severity)) ? FOUND : CLEAN
}

/** The finding as it was before an entry of `silence` set it aside. */
function unsilenced(finding: Finding): Finding {
  const bare = { ...finding }
  delete bare.silenced
  return bare
}

function render(findings: readonly Finding[], io: Io, options: OutputOptions): string {
  const { format, target, environment, showSilenced, failure, patches, frameOf } = options
  const source = { target, environment, failure, patches, version: packageVersion() }
  if (format === 'json') return renderJson(findings, source)
  if (format === 'sarif') return renderSarif(findings, source)
  if (format === 'github') return renderGithub(findings, source)
  const layout = { environment, spellOut: 'all', showSilenced, color: usesColor(io), width: io.columns } as const
  const text = renderReport(findings, frameOf === undefined ? layout : { ...layout, frameOf })
  return `${target}: ${countFindings(findings)}\n${text}`
}
