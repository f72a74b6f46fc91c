import { randomBytes } from 'node:crypto'
import { parseArgs } from 'node:util'
import { CLEAN } from './io.ts'
import type { Io } from './io.ts'

const BYTES = 32

const HELP = `Usage: fastify-session-guard secret

Prints a fresh secret of ${BYTES} random bytes as a line for an env file:

  npx fastify-session-guard secret >> .env`

/** Prints a fresh secret, ready for an env file. */
export async function secret(argv: readonly string[], io: Io): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: { help: { type: 'boolean', short: 'h' } } })
  io.out(values.help === true ? HELP : `SESSION_SECRET=${randomBytes(BYTES).toString('base64url')}`)
  return CLEAN
}
