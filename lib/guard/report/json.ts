import type { Finding } from '../../../types/index.ts'

/** What a machine-readable report says besides its findings. */
export interface ReportSource {
  /** Version of this package. */
  readonly version: string
  /** The file, or the address, that was checked. */
  readonly target: string
  /** Which rules apply, and why, in a line. */
  readonly environment: string
}

/** The findings as versioned JSON, silenced ones included and marked. */
export function renderJson(findings: readonly Finding[], { version, target, environment }: ReportSource): string {
  const active = findings.filter(({ silenced }) => silenced === undefined)
  const count = (severity: Finding['severity']): number =>
    active.filter((finding) => finding.severity === severity).length
  const report = {
    schemaVersion: 1,
    tool: { name: 'fastify-session-guard', version },
    target,
    environment,
    summary: {
      fatal: count('fatal'),
      warning: count('warning'),
      info: count('info'),
      silenced: findings.length - active.length,
    },
    findings,
  }
  return JSON.stringify(report, null, 2)
}
