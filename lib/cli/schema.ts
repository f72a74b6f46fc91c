import { parseArgs } from 'node:util'
import { postgresSchema } from '../stores/postgres.ts'
import { sqliteSchema } from '../stores/sqlite.ts'
import type { Io } from './io.ts'
import { CLEAN, UsageError } from './io.ts'
import { refusePositionals } from './with-store.ts'

const SCHEMAS = { sqlite: sqliteSchema, postgres: postgresSchema } as const

const HELP = `Usage: fastify-session-guard schema --store sqlite|postgres [--table <name>]

Prints the SQL that makes the tables of a store, for a migration of your own. It changes nothing where they exist.`

const OPTIONS = { help: { type: 'boolean', short: 'h' }, store: { type: 'string' }, table: { type: 'string' } } as const

/** Prints the tables of a store as SQL. */
export async function schema(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({ args: [...argv], options: OPTIONS, allowPositionals: true })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  refusePositionals(positionals)
  const { store, table } = values
  // A URL in this place may hold a password, so the message does not repeat the value.
  if (store !== 'sqlite' && store !== 'postgres') throw new UsageError('--store is sqlite or postgres here.')
  try {
    io.out(SCHEMAS[store](table).trimEnd())
    return CLEAN
  } catch (error) {
    throw new UsageError(`--table: ${(error as Error).message}.`)
  }
}
