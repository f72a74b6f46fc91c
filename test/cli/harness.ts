import { fileURLToPath } from 'node:url'
import { run } from '../../lib/cli/run.ts'
import type { Io } from '../../lib/cli/io.ts'

/** The output of a command, and its exit code. */
interface Outcome {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** The folder of modules to check. */
export const FIXTURES: string = fileURLToPath(new URL('./fixtures', import.meta.url))

/** Runs a command in this process, away from its environment. */
export async function cli(argv: readonly string[], io: Partial<Io> = {}): Promise<Outcome> {
  const out: string[] = []
  const err: string[] = []
  const { NODE_ENV: _, ...env } = process.env
  const code = await run(patient(argv), {
    out: (text) => out.push(text),
    err: (text) => err.push(text),
    cwd: FIXTURES,
    isTerminal: false,
    ...io,
    env: { ...env, ...io.env },
  })
  return { code, out: out.join('\n'), err: err.join('\n') }
}

/** Returns a command that runs an app, with all the time that a busy machine may need. */
function patient(argv: readonly string[]): readonly string[] {
  const [command = ''] = argv
  const isRun = ['check', 'evidence', 'policy'].includes(command) && !argv.includes('--help')
  return isRun && !argv.includes('--timeout') ? [command, '--timeout', '10m', ...argv.slice(1)] : argv
}
