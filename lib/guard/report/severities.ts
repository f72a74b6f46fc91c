import type { Finding, Severity } from '../../../types/index.ts'

/** All severities from the worst down: what is failed on at a level is everything up to it. */
export const SEVERITIES: readonly Severity[] = ['fatal', 'warning', 'info']

/** The findings from the worst down; within a severity in the order that they came in. */
export function bySeverity(findings: readonly Finding[]): Finding[] {
  return findings.toSorted((left, right) => SEVERITIES.indexOf(left.severity) - SEVERITIES.indexOf(right.severity))
}
