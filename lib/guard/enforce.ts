import { isAbsolute, relative } from 'node:path'
import { publishReport } from './report/channel.ts'
import { SecureSessionConfigError } from './config-error.ts'
import { renderReport } from './report/text.ts'
import type { EnvironmentName, Finding } from '../../types/index.ts'

/**
 * Refuses to go on when anything fatal was found and not silenced.
 *
 * @param findings What `checkConfig` found, or a later phase.
 * @param environment The line of `environmentLine`.
 * @param options The options that were judged, for whoever listens to the reports of this process.
 * @returns The warnings, to be logged once. Silenced findings and notes are not among them.
 * @throws SecureSessionConfigError `SESSION_GUARD_REFUSED`, with all findings and the report.
 */
export function enforce(findings: readonly Finding[], environment: string, options?: unknown): Finding[] {
  publishReport({ findings, environment, options })
  const active = findings.filter(({ silenced }) => silenced === undefined)
  const fatal = active.find(({ severity }) => severity === 'fatal')
  if (fatal !== undefined) {
    throw new SecureSessionConfigError(
      findings,
      renderReport(findings, {
        environment,
        checkAgain: checkCommand(fatal.environment),
        // An uncaught refusal is printed there.
        width: process.stderr.columns,
      }),
    )
  }
  return active.filter(({ severity }) => severity === 'warning')
}

/**
 * The command that repeats the check on the file that was started; its path is shown only below the working directory.
 */
function checkCommand(environment: EnvironmentName): string {
  const file = relative(process.cwd(), process.argv[1] ?? '')
  const isBelow = file !== '' && !file.startsWith('..') && !isAbsolute(file) && !file.includes('node_modules')
  return `npx fastify-session-guard check ${isBelow ? `./${file} ` : ''}--env ${environment}`
}
