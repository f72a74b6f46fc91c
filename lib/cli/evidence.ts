import { parseArgs } from 'node:util'
import { evidenceJson, evidenceMarkdown, evidenceText } from '../guard/evidence/render.ts'
import type { EvidenceSource } from '../guard/evidence/render.ts'
import { countFindings, lineWidth, renderFailure } from '../guard/report/text.ts'
import { examineFrom, readRun } from './check.ts'
import { CLEAN, UNUSABLE } from './io.ts'
import type { Io } from './io.ts'
import { choiceOf } from './output.ts'
import { packageVersion } from './version.ts'

const FORMATS = ['markdown', 'json', 'pretty'] as const

const HELP = `Usage: fastify-session-guard evidence [file] [options]

Prints, for the options of an app, what it keeps of OWASP ASVS 5.0 (V7, V3.3 to V3.5), NIST SP 800-63B-4
(section 5) and the OWASP session management cheat sheet: what the plugin does, which option decides, and
what is yours to do. The app is run as by the command check.

  --format <format>     ${FORMATS.join(', ')} (default pretty at a terminal, else markdown)
  --env <name>          what NODE_ENV is to be (default: as it is; production when unset)
  --timeout <duration>  how long the app may take to become ready (default 30s)
  --offline             answers in place of the servers that the app connects to

Exit codes: 0 printed, 2 cannot load, or wrong usage.`

/** The arguments of the commands that describe an app. */
export const RUN_OPTIONS = {
  help: { type: 'boolean', short: 'h' },
  env: { type: 'string' },
  timeout: { type: 'string', default: '30s' },
  offline: { type: 'boolean', default: false },
} as const

const OPTIONS = { ...RUN_OPTIONS, format: { type: 'string' } } as const

/** Prints which requirements of the standards an app meets. */
export async function evidence(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  const format = choiceOf('--format', values.format ?? (io.isTerminal ? 'pretty' : 'markdown'), FORMATS)
  return describeApp(positionals, values, io, (source) => {
    if (format === 'pretty') return evidenceText(source, lineWidth(io.columns))
    return format === 'json' ? evidenceJson(source) : evidenceMarkdown(source)
  })
}

/** Runs an app and prints a text about its options. */
export async function describeApp(
  positionals: readonly string[],
  values: { env?: string | undefined; timeout: string; offline: boolean },
  io: Io,
  render: (source: EvidenceSource) => string,
): Promise<number> {
  const run = { ...readRun(positionals, values, io), offline: values.offline }
  const { findings, settings, environment, failure, output } = await examineFrom(run, values.env)
  if (settings === null) {
    if (output !== '') io.err(output)
    const why = failure ?? { message: 'its options cannot be read, or an older copy of the package read them' }
    io.err(renderFailure(run.target, why, io.columns))
    return UNUSABLE
  }
  const summary = countFindings(findings)
  io.out(render({ version: packageVersion(), target: run.target, environment, summary, settings }))
  return CLEAN
}
