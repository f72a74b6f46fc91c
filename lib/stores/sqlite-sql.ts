/**
 * The tables and indexes of `sqliteStore`, to run as they are, any number of times.
 * @throws `TypeError` for an unfit table name.
 */
export function sqliteSchema(table: string = 'sessions'): string {
  if (!/^[A-Za-z_]\w{0,49}$/.test(table)) {
    throw new TypeError('table: letters, digits and underscores, at most 50, not beginning with a digit')
  }
  return `CREATE TABLE IF NOT EXISTS "${table}" (
  handle TEXT PRIMARY KEY NOT NULL,
  version INTEGER NOT NULL,
  last_seen_at REAL NOT NULL,
  idle_deadline REAL NOT NULL,
  record TEXT NOT NULL
) STRICT;
CREATE INDEX IF NOT EXISTS "${table}_idle_deadline" ON "${table}" (idle_deadline);
CREATE TABLE IF NOT EXISTS "${table}_index" (
  user_key TEXT NOT NULL,
  handle TEXT NOT NULL,
  expires_at REAL NOT NULL,
  PRIMARY KEY (user_key, handle)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS "${table}_index_expires_at" ON "${table}_index" (expires_at);
CREATE TABLE IF NOT EXISTS "${table}_ends" (
  id INTEGER PRIMARY KEY,
  handle TEXT NOT NULL
) STRICT;
`
}

/** The names of the statements about records and index entries. */
export type StatementName =
  | 'get'
  | 'create'
  | 'update'
  | 'touch'
  | 'delete'
  | 'deleteExpired'
  | 'deleteVersion'
  | 'sweep'
  | 'add'
  | 'keep'
  | 'remove'
  | 'list'
  | 'sweepIndex'
  | 'many'
  | 'page'
  | 'count'
  | 'raise'
  | 'cutoff'

/** The names of the statements about sessions that ended, for other processes. */
export type EndStatementName = 'end' | 'endVersion' | 'endEpoch' | 'trim' | 'endsAfter' | 'lastEnd' | 'version'

/**
 * The row that holds the cutoff, in `last_seen_at`. It stands among the records, so that an existing table needs no
 * change, and whoever empties or restores the table treats both alike. `keyOf` makes this key of no handle.
 */
const CUTOFF = "'#cutoff'"

/** Ends that are kept: more than all processes together miss between two looks. */
const KEPT_ENDS = 10_000

/** All statements about records, each atomic. An expired record is absent, whether or not a sweep has removed it. */
export function statementsOf(table: string): Record<StatementName, string> {
  const records = `"${table}"`
  const index = `"${table}_index"`
  const live = 'handle = ? AND idle_deadline > ?'
  const entry = 'user_key = ? AND handle = ?'
  const row = 'version, last_seen_at AS lastSeenAt, idle_deadline AS idleDeadline, record'
  const written = 'version = ?, last_seen_at = ?, idle_deadline = ?, record = ?'
  return {
    get: `SELECT ${row} FROM ${records} WHERE ${live}`,
    create: `INSERT INTO ${records} (handle, version, last_seen_at, idle_deadline, record) VALUES (?, ?, ?, ?, ?)
      ON CONFLICT (handle) DO UPDATE SET version = excluded.version, last_seen_at = excluded.last_seen_at,
      idle_deadline = excluded.idle_deadline, record = excluded.record WHERE ${records}.idle_deadline <= ?`,
    update: `UPDATE ${records} SET ${written} WHERE ${live} AND version = ?`,
    touch: `UPDATE ${records} SET last_seen_at = max(last_seen_at, ?), idle_deadline = max(idle_deadline, ?)
      WHERE ${live} AND version = ?`,
    delete: `DELETE FROM ${records} WHERE ${live}`,
    deleteExpired: `DELETE FROM ${records} WHERE handle = ?`,
    deleteVersion: `DELETE FROM ${records} WHERE ${live} AND version = ?`,
    sweep: `DELETE FROM ${records} WHERE rowid IN
      (SELECT rowid FROM ${records} WHERE idle_deadline <= ? ORDER BY idle_deadline LIMIT ?)`,
    add: `INSERT INTO ${index} (user_key, handle, expires_at) SELECT ?, ?, ?
      WHERE (SELECT count(*) FROM ${index} WHERE user_key = ? AND handle <> ? AND expires_at > ?) < ?
      ON CONFLICT (user_key, handle) DO UPDATE SET expires_at = max(expires_at, excluded.expires_at)`,
    keep: `UPDATE ${index} SET expires_at = ? WHERE ${entry} AND expires_at > ?`,
    remove: `DELETE FROM ${index} WHERE ${entry}`,
    list: `SELECT handle, expires_at AS expiresAt FROM ${index} WHERE user_key = ?`,
    sweepIndex: `DELETE FROM ${index} WHERE (user_key, handle) IN
      (SELECT user_key, handle FROM ${index} WHERE expires_at <= ? ORDER BY expires_at LIMIT ?)`,
    many: `SELECT handle, ${row} FROM ${records} WHERE handle IN (SELECT value FROM json_each(?)) AND idle_deadline > ?`,
    page: `SELECT handle, ${row} FROM ${records} WHERE handle > ? AND idle_deadline > ? AND handle <> ${CUTOFF}
      ORDER BY handle LIMIT ?`,
    count: `SELECT count(*) AS count FROM ${records} WHERE idle_deadline > ? AND handle <> ${CUTOFF}`,
    // 9e999 is how SQLite writes infinity.
    raise: `INSERT INTO ${records} (handle, version, last_seen_at, idle_deadline, record)
      VALUES (${CUTOFF}, 0, ?, 9e999, '') ON CONFLICT (handle) DO UPDATE
      SET last_seen_at = excluded.last_seen_at WHERE last_seen_at < excluded.last_seen_at`,
    cutoff: `SELECT last_seen_at AS cutoff FROM ${records} WHERE handle = ${CUTOFF}`,
  }
}

/**
 * The statements that announce. Those that begin with `end` run before the write itself, under the same conditions, so
 * that an end is noted exactly when the write happens.
 */
export function endStatementsOf(table: string): Record<EndStatementName, string> {
  const ends = `"${table}_ends"`
  const ending = `INSERT INTO ${ends} (handle) SELECT handle FROM "${table}" WHERE handle = ? AND idle_deadline > ?`
  return {
    end: ending,
    endVersion: `${ending} AND version = ?`,
    // A record that cannot be read may have had any epoch.
    endEpoch: `${ending} AND version = ?
      AND CASE WHEN json_valid(record) THEN json_extract(record, '$.epoch') END IS NOT ?`,
    trim: `DELETE FROM ${ends} WHERE id <= (SELECT max(id) FROM ${ends}) - ${KEPT_ENDS}`,
    endsAfter: `SELECT id, handle FROM ${ends} WHERE id > ? ORDER BY id LIMIT ?`,
    lastEnd: `SELECT max(id) AS id FROM ${ends}`,
    version: 'PRAGMA data_version',
  }
}
