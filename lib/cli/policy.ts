import { parseArgs } from 'node:util'
import { policyMarkdown } from '../guard/evidence/policy.ts'
import { describeApp, RUN_OPTIONS } from './evidence.ts'
import { CLEAN } from './io.ts'
import type { Io } from './io.ts'
import { choiceOf } from './output.ts'

const FORMATS = ['markdown'] as const

const HELP = `Usage: fastify-session-guard policy [file] [options]

Prints the session policy of an app as Markdown: the document that OWASP ASVS 5.0 asks for in 7.1.1 to 7.1.3,
as far as the options say it. The app is run as by the command check.

  --format <format>     ${FORMATS.join(', ')} (default markdown)
  --env <name>          what NODE_ENV is to be (default: as it is; production when unset)
  --timeout <duration>  how long the app may take to become ready (default 30s)
  --offline             answers in place of the servers that the app connects to

Exit codes: 0 printed, 2 cannot load, or wrong usage.`

const OPTIONS = { ...RUN_OPTIONS, format: { type: 'string', default: 'markdown' } } as const

/** Prints the session policy of an app. */
export async function policy(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], allowPositionals: true, options: OPTIONS })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  choiceOf('--format', values.format, FORMATS)
  return describeApp(positionals, values, io, policyMarkdown)
}
