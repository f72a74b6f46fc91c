import { AssertionError } from 'node:assert'
import { checkConfig, environmentLine } from '../guard/check.ts'
import { SEVERITIES } from '../guard/report/severities.ts'
import { countFindings, renderReport } from '../guard/report/text.ts'
import type { Finding, Severity } from '../../types/index.ts'
import type { EnvironmentInput } from '../guard/read/environment.ts'

/** The findings that `assertSecure` accepts. */
export interface AssertSecureOptions {
  /** The lowest severity that fails. Default `'fatal'`. */
  readonly failLevel?: Severity
}

/**
 * Fails a test whose options the guard would refuse; for the options that production gets, in a test of your own.
 *
 * @param options What `app.register(secureSession, options)` will get.
 * @param environment What `NODE_ENV` will be, or an object like `process.env`. Default `'production'`.
 * @throws AssertionError with the whole report as its message, when a finding that is not silenced is at or above the
 * level. No secret is in it.
 */
export function assertSecure(
  options: unknown,
  environment: EnvironmentInput = 'production',
  { failLevel = 'fatal' }: AssertSecureOptions = {},
): void {
  const findings = checkConfig(options, environment)
  const failing = SEVERITIES.slice(0, SEVERITIES.indexOf(failLevel) + 1)
  if (!findings.some((finding) => isFailure(finding, failing))) return
  const report = renderReport(findings, { environment: environmentLine(options, environment), spellOut: 'all' })
  throw new AssertionError({
    message: `the session options are not secure: ${countFindings(findings)}\n${report}`,
    operator: 'assertSecure',
    stackStartFn: assertSecure,
  })
}

function isFailure({ severity, silenced }: Finding, failing: readonly Severity[]): boolean {
  return silenced === undefined && failing.includes(severity)
}
