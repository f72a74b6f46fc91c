import type { Finding, SourcePlace } from '../../../types/index.ts'
import { bySeverity, SEVERITIES } from './severities.ts'

/** The parts of a machine-readable report beside its findings. */
export interface ReportSource {
  /** Version of this package. */
  readonly version: string
  /** The file, or the address, that was checked. */
  readonly target: string
  /** The line that says which rules apply, and why. */
  readonly environment: string
  /** The reason why the findings are not, or may not be, complete. */
  readonly failure?: ReportFailure | undefined
  /** Patches for the app's files, where they were asked for. */
  readonly patches?: readonly object[] | undefined
}

/** The reason why a check did not come to its end. */
export interface ReportFailure {
  readonly message: string
  /** The advice for the failure. */
  readonly hint?: string
  /** The line of the app that failed. */
  readonly place?: SourcePlace
}

/** The findings as versioned JSON, the worst first, silenced ones included and marked. */
export function renderJson(
  findings: readonly Finding[],
  { version, target, environment, failure, patches }: ReportSource,
): string {
  const active = findings.filter(({ silenced }) => silenced === undefined)
  const counts = SEVERITIES.map((severity): [string, number] => [
    severity,
    active.filter((finding) => finding.severity === severity).length,
  ])
  const report = {
    schemaVersion: 1,
    tool: { name: 'fastify-session-guard', version },
    target,
    environment,
    ...(failure === undefined ? {} : { failure: shownFailure(failure) }),
    summary: { ...Object.fromEntries(counts), silenced: findings.length - active.length },
    findings: bySeverity(findings),
    ...(patches === undefined ? {} : { patches }),
  }
  return stringify(report)
}

/** The failure alone, without what else its object may hold. */
function shownFailure({ message, hint, place }: ReportFailure): ReportFailure {
  return { message, ...(hint === undefined ? {} : { hint }), ...(place === undefined ? {} : { place }) }
}

/** Characters that JSON leaves as they are, and with which a text could rewrite what a terminal shows. */
const UNPRINTABLE = /[\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2060-\u2069\ufeff]/g

/** A value as JSON that is safe to print. */
export function stringify(value: unknown): string {
  return JSON.stringify(value, null, 2).replace(
    UNPRINTABLE,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
