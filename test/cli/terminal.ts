import { fileURLToPath } from 'node:url'
import { run } from '../../lib/cli/run.ts'

/** A project that has every driver installed. */
export const PROJECT = fileURLToPath(new URL('../../', import.meta.url))

/** The output and the exit code of a command. */
export interface Printed {
  readonly code: number
  readonly out: string
  readonly err: string
}

/** Types one command into a terminal, or into a pipe. */
export async function type(
  argv: readonly string[],
  options: { cwd?: string; isTerminal?: boolean } = {},
): Promise<Printed> {
  const printed = { out: '', err: '' }
  const code = await run(argv, {
    out: (text) => void (printed.out += `${text}\n`),
    err: (text) => void (printed.err += `${text}\n`),
    env: {},
    cwd: options.cwd ?? PROJECT,
    isTerminal: options.isTerminal ?? false,
  })
  return { code, ...printed }
}
