import { createHash } from 'node:crypto'
import { ENDED, RAISED } from './announcement-text.ts'

/** One statement, under a name by which each connection prepares it once. */
export interface Statement {
  readonly name: string
  readonly text: string
}

/** Everything the store says to PostgreSQL about one table. */
export interface Statements {
  readonly get: Statement
  readonly create: Statement
  readonly update: Statement
  readonly touch: Statement
  readonly delete: Statement
  readonly many: Statement
  readonly page: Statement
  readonly count: Statement
  readonly raise: Statement
  readonly cutoff: Statement
  readonly add: Statement
  readonly addWithin: Statement
  readonly keep: Statement
  readonly remove: Statement
  readonly list: Statement
  /** Waits until no other transaction has the same lock, which ends with the transaction. */
  readonly lock: Statement
}

const IDENTIFIER = /^[a-z_][a-z0-9_]*(\.[a-z_][a-z0-9_]*)?$/

/** PostgreSQL cuts names off at 63 bytes, without a word; the longest of ours adds this much to the table's. */
const MAX_NAME_LENGTH = 63 - '_index_expires_at'.length

/**
 * A name that needs no quoting and loses nothing: `sessions`, `auth.sessions`. Quoted all the same, for `user` is a
 * keyword.
 */
export function checkTable(table: unknown): asserts table is string {
  if (typeof table !== 'string' || !IDENTIFIER.test(table)) {
    throw new TypeError('postgresStore: table is a name such as sessions or auth.sessions: a-z, 0-9 and _ only')
  }
  if (bare(table).length > MAX_NAME_LENGTH) {
    throw new TypeError(`postgresStore: the name of table has at most ${MAX_NAME_LENGTH} characters`)
  }
}

/**
 * The SQL that makes the two tables of `postgresStore` and their indexes, for those who run their own migrations.
 * Changes nothing where they exist.
 * @param table `sessions` or `auth.sessions`. Default `sessions`.
 * @throws `TypeError` when it is not such a name
 */
export function postgresSchema(table: string = DEFAULT_TABLE): string {
  checkTable(table)
  const name = bare(table)
  return `CREATE TABLE IF NOT EXISTS ${quoted(table)} (
  handle text COLLATE "C" PRIMARY KEY,
  version bigint NOT NULL,
  last_seen_at double precision NOT NULL,
  idle_deadline double precision NOT NULL,
  record text NOT NULL
);
CREATE INDEX IF NOT EXISTS ${quoted(`${name}_idle_deadline`)} ON ${quoted(table)} (idle_deadline);
CREATE TABLE IF NOT EXISTS ${quoted(`${table}_index`)} (
  user_key text COLLATE "C" NOT NULL,
  handle text COLLATE "C" NOT NULL,
  expires_at double precision NOT NULL,
  PRIMARY KEY (user_key, handle)
);
CREATE INDEX IF NOT EXISTS ${quoted(`${name}_index_expires_at`)} ON ${quoted(`${table}_index`)} (expires_at);
`
}

/** Tells whether both tables are there; asked first, for an app that may use them need not be allowed to make them. */
export function isMigrated(table: string): string {
  const names = [table, `${table}_index`].map((name) => `to_regclass('${quoted(name)}')`)
  return `SELECT num_nulls(${names.join(', ')}) = 0 AS done`
}

/** The same as one transaction that two processes never run at once. */
export function migration(table: string): string {
  return `SELECT pg_advisory_xact_lock(${lockKey(`${table} schema`)});\n${postgresSchema(table)}`
}

export const DEFAULT_TABLE = 'sessions'

/**
 * The statements for a table that `checkTable` has passed. Every instant comes from the app, none from the server's
 * clock.
 */
export function statementsFor(table: string): Statements {
  const records = quoted(table)
  const channel = channelOf(table)
  return {
    ...recordStatements(records, channel),
    ...listStatements(records),
    ...cutoffStatements(records, channel),
    ...indexStatements(quoted(`${table}_index`)),
  }
}

/** The server's time, in milliseconds. */
export const TIME = 'SELECT floor(extract(epoch FROM clock_timestamp()) * 1000) AS now'

/** The channel on which this table's ends are announced. A database has one space of channels for all schemas. */
export function channelOf(table: string): string {
  return `fsg_${createHash('sha256').update(`fastify-session-guard ${table}`).digest('hex').slice(0, 32)}`
}

/**
 * The row that holds the cutoff, in `last_seen_at`. It stands among the records, so that an existing table needs no
 * change, and whoever empties or restores the table treats both alike. `keyOf` makes this key of no handle.
 */
const CUTOFF = "'#cutoff'"

/**
 * The moved instants and the record in one column, because `pg` takes as long for each column as the whole record takes
 * to parse.
 */
const HELD = "last_seen_at || ' ' || idle_deadline || ' ' || record AS held"

function recordStatements(
  table: string,
  channel: string,
): Pick<Statements, 'get' | 'create' | 'update' | 'touch' | 'delete'> {
  return {
    get: prepared(`SELECT ${HELD} FROM ${table} WHERE handle = $1 AND idle_deadline > $2`),
    create: prepared(`INSERT INTO ${table} AS held (handle, version, last_seen_at, idle_deadline, record)
VALUES ($1, $3, $4, $5, $6)
ON CONFLICT (handle) DO UPDATE SET version = excluded.version, last_seen_at = excluded.last_seen_at,
  idle_deadline = excluded.idle_deadline, record = excluded.record
WHERE held.idle_deadline <= $2`),
    // The inner SELECT still sees the row as it was. In a record of JSON no text but the name of the field reads like
    // this.
    update: prepared(`UPDATE ${table} SET version = $3, last_seen_at = $4, idle_deadline = $5, record = $6
WHERE handle = $1 AND version = $7 AND idle_deadline > $2
RETURNING CASE WHEN $8::text IS DISTINCT FROM
  (SELECT substring(old.record FROM '"epoch":(\\d+)') FROM ${table} AS old WHERE old.handle = $1)
  THEN pg_notify('${channel}', '${ENDED}' || $1) END`),
    touch: prepared(`UPDATE ${table}
SET last_seen_at = greatest(last_seen_at, $4), idle_deadline = greatest(idle_deadline, $5)
WHERE handle = $1 AND version = $3 AND idle_deadline > $2`),
    delete: prepared(`DELETE FROM ${table} WHERE handle = $1 AND ($3::bigint IS NULL OR version = $3)
RETURNING idle_deadline > $2 AS was_live, pg_notify('${channel}', '${ENDED}' || handle)`),
  }
}

function listStatements(table: string): Pick<Statements, 'many' | 'page' | 'count'> {
  return {
    many: prepared(`SELECT ${HELD} FROM ${table} WHERE handle = ANY ($1) AND idle_deadline > $2`),
    page: prepared(`SELECT handle, ${HELD} FROM ${table}
WHERE handle > $1 AND idle_deadline > $2 AND handle <> ${CUTOFF} ORDER BY handle LIMIT $3`),
    count: prepared(`SELECT count(*) AS count FROM ${table} WHERE idle_deadline > $1 AND handle <> ${CUTOFF}`),
  }
}

function cutoffStatements(table: string, channel: string): Pick<Statements, 'raise' | 'cutoff'> {
  return {
    raise: prepared(`WITH raised AS (
  INSERT INTO ${table} AS held (handle, version, last_seen_at, idle_deadline, record)
  VALUES (${CUTOFF}, 0, $1, 'Infinity', '')
  ON CONFLICT (handle) DO UPDATE SET last_seen_at = excluded.last_seen_at
  WHERE held.last_seen_at < excluded.last_seen_at RETURNING last_seen_at
)
SELECT last_seen_at AS cutoff, pg_notify('${channel}', '${RAISED}' || last_seen_at) FROM raised`),
    cutoff: prepared(`SELECT last_seen_at AS cutoff FROM ${table} WHERE handle = ${CUTOFF}`),
  }
}

function indexStatements(table: string): Pick<Statements, 'add' | 'addWithin' | 'keep' | 'remove' | 'list' | 'lock'> {
  const upsert =
    'ON CONFLICT (user_key, handle) DO UPDATE SET expires_at = greatest(held.expires_at, excluded.expires_at)'
  return {
    add: prepared(`INSERT INTO ${table} AS held (user_key, handle, expires_at) VALUES ($1, $2, $3) ${upsert}`),
    addWithin: prepared(`INSERT INTO ${table} AS held (user_key, handle, expires_at)
SELECT $1::text, $2::text, $3::double precision
WHERE (SELECT count(*) FROM ${table} WHERE user_key = $1 AND handle <> $2 AND expires_at > $4) < $5::double precision
${upsert}`),
    keep: prepared(`UPDATE ${table} SET expires_at = $3 WHERE user_key = $1 AND handle = $2 AND expires_at > $4`),
    remove: prepared(`DELETE FROM ${table} WHERE user_key = $1 AND handle = $2`),
    list: prepared(`SELECT handle, expires_at FROM ${table} WHERE user_key = $1`),
    lock: prepared('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))'),
  }
}

/**
 * Returns the statement for one batch of a sweep. The batch removes expired records and index entries, and skips rows
 * that another transaction holds. With `alone` the batch does nothing while another connection runs such a batch. The
 * statement is not prepared, because only a planner that sees the numbers chooses the index.
 */
export function sweepStatement(table: string, limit: number, alone: boolean): string {
  const mine = alone ? `(SELECT pg_try_advisory_xact_lock(${lockKey(`${table} sweep`)})) AND ` : ''
  const users = quoted(`${table}_index`)
  return `WITH due AS MATERIALIZED (
  SELECT handle FROM ${quoted(table)} WHERE ${mine}idle_deadline <= $1
  ORDER BY idle_deadline LIMIT ${limit} FOR UPDATE SKIP LOCKED
), gone AS (
  DELETE FROM ${quoted(table)} WHERE handle = ANY (ARRAY(SELECT handle FROM due)) AND idle_deadline <= $1 RETURNING 1
), due_entries AS MATERIALIZED (
  SELECT user_key, handle FROM ${users} WHERE ${mine}expires_at <= $1
  ORDER BY expires_at LIMIT ${limit} FOR UPDATE SKIP LOCKED
), gone_entries AS (
  DELETE FROM ${users} AS held USING due_entries AS due
  WHERE held.user_key = due.user_key AND held.handle = due.handle AND held.expires_at <= $1 RETURNING 1
)
SELECT greatest((SELECT count(*) FROM gone), (SELECT count(*) FROM gone_entries)) AS count`
}

function prepared(text: string): Statement {
  // By its text, so that no two stores on one pool ever share a name for different statements.
  return { name: `fsg_${createHash('sha256').update(text).digest('hex').slice(0, 32)}`, text }
}

/** A number of our own in the one space that all advisory locks of a database share. */
function lockKey(what: string): bigint {
  return createHash('sha256').update(`fastify-session-guard ${what}`).digest().readBigInt64BE()
}

function quoted(name: string): string {
  return name
    .split('.')
    .map((part) => `"${part}"`)
    .join('.')
}

function bare(table: string): string {
  return table.slice(table.indexOf('.') + 1)
}
