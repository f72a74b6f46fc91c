import { advise, causeOf } from '../storage/cause.ts'

const FOREIGN = 'The table % is not one of this store: name another one with the option table'

/** SQLSTATE codes that say something about the setup, in words. PostgreSQL, appendix A. `%` is the table. */
const WORDS: Readonly<Record<string, string>> = {
  '08P01': 'The server does not take this connection as the pool asks for it',
  '22P05': 'A text holds a character that the encoding of the database lacks: use a database with the encoding UTF8',
  '25006': 'The server only reads: connect to the primary, not to a replica',
  '26000': 'A pooler lost a prepared statement: PgBouncer needs version 1.21 and max_prepared_statements above 0',
  '28000': 'The server refuses this user, or a connection without TLS',
  '28P01': 'The user name or the password is wrong',
  '3D000': 'There is no database of this name',
  '3F000': 'There is no schema for the table %: create it first',
  '42501':
    'The user of the pool may not use the table %: grant SELECT, INSERT, UPDATE and DELETE on it and on its index',
  '42703': FOREIGN,
  '42804': FOREIGN,
  '42710': 'Something else has the name of the table %: name another one with the option table',
  '42809': FOREIGN,
  '42P01': 'There is no table %: run the SQL of `fastify-session-guard schema`, or set createTable: true',
  '42P10': FOREIGN,
  '42P05': 'A pooler mixes up prepared statements: PgBouncer needs version 1.21 and max_prepared_statements above 0',
  '53300': 'The server has as many connections as it allows: lower max of the pool, or raise max_connections',
  '57014': 'The statement took longer than statement_timeout, or was cancelled',
  '57P01': 'The server shuts down',
  '57P03': 'The server does not take connections at the moment: it starts, shuts down or recovers',
}

/** The message of PgBouncer about a setting that `pg` sends at the start of a connection. */
const STARTUP_PARAMETER = /unsupported startup parameter(?: in options)?: (\w+)/

/** Tells whether a pooler such as PgBouncer refused a connection because of a setting in it. */
export function refusesStartupParameter(error: unknown): boolean {
  return STARTUP_PARAMETER.test(causeOf(error).message)
}

/**
 * An error of `pg` in words that say what to do, the server's own message behind them. Everything else that the driver
 * hung on the error, the values of a row for instance, is left out.
 */
export function explained(thrown: unknown, table: string): Error {
  const cause = causeOf(thrown)
  const { code } = cause as { code?: unknown }
  const [, parameter] = STARTUP_PARAMETER.exec(cause.message) ?? []
  const words =
    parameter === undefined
      ? typeof code === 'string' && WORDS[code]?.replace('%', JSON.stringify(table))
      : `PgBouncer takes no ${parameter} from a pool: remove it there, and use ALTER ROLE ... SET ${parameter}`
  if (typeof words === 'string') advise(cause, words, 'The server')
  return cause
}
