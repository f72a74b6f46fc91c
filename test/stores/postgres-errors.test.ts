import { readFileSync, writeFileSync } from 'node:fs'
import type { PoolConfig } from 'pg'
import { Client, Pool } from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import type { PostgresStore, PostgresStoreOptions } from '../../lib/stores/postgres.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { freshName, recordAt } from '../../lib/testing/contract/check.ts'
import { startPgBouncer } from '../support/servers/pgbouncer.ts'
import { startPostgres } from '../support/servers/postgres.ts'

const server = await startPostgres(t)
const admin = new Client(server.url)
await admin.connect()
t.teardown(() => admin.end())
const tell = (sql: string): Promise<unknown> => admin.query(sql)

/** Returns a name that nothing on the server has. */
function fresh(): string {
  return `n_${freshName().replace(/\W/g, '_').toLowerCase()}`
}

/** Opens a store on a pool of its own. */
function open(
  t: Pick<Test, 'teardown'>,
  options: Omit<PostgresStoreOptions, 'pool'> = {},
  config: PoolConfig = {},
): { store: PostgresStore; pool: Pool } {
  const pool = new Pool({ connectionString: server.url, connectionTimeoutMillis: 5000, max: 1, ...config })
  t.teardown(() => pool.end())
  return { store: postgresStore({ pool, ...options }), pool }
}

/** Opens a store whose tables are there. */
async function openWhole(t: Pick<Test, 'teardown'>): Promise<{ store: PostgresStore; pool: Pool; table: string }> {
  const table = fresh()
  const { store, pool } = open(t, { table, createTable: true })
  await store.create(recordAt(Date.now()))
  return { store, pool, table }
}

/** Adds a role, and returns the URL by which it connects. */
async function addRole(t: Pick<Test, 'teardown'>, rights: string, database = 'postgres'): Promise<string> {
  const name = fresh()
  await tell(`CREATE ROLE ${name} ${rights}`)
  t.teardown(() => tell(`DROP ROLE ${name}`))
  return `postgres://${name}:secret@127.0.0.1:${server.port}/${database}`
}

async function write(store: PostgresStore): Promise<boolean> {
  return store.create(recordAt(Date.now()))
}

t.test('a store without a table, or without its schema, says how to make it', async (t) => {
  await t.rejects(write(open(t, { table: 'gone' }).store), {
    code: '42P01',
    message:
      /^There is no table "gone": run the SQL of `fastify-session-guard schema`, or set createTable: true\. The server says: /,
  })
  await t.rejects(write(open(t, { table: 'nowhere.sessions', createTable: true }).store), {
    code: '3F000',
    message: /^There is no schema for the table "nowhere\.sessions": create it first\. /,
  })
})

t.test('a store whose table is something else says that the table needs another name', async (t) => {
  const [bare, typed, view, type] = [fresh(), fresh(), fresh(), fresh()]
  await tell(`CREATE TABLE ${bare} (id integer)`)
  await tell(`CREATE TABLE ${typed} (handle text, version bytea, last_seen_at text, idle_deadline text, record text)`)
  await tell(`CREATE VIEW ${view} AS SELECT 1 AS one`)
  await tell(`CREATE TYPE ${type} AS ENUM ('a')`)
  const another = 'name another one with the option table. The server says: '
  await t.rejects(write(open(t, { table: bare }).store), {
    code: '42703',
    message: `The table "${bare}" is not one of this store: ${another}`,
  })
  const { store } = open(t, { table: typed })
  const message = `The table "${typed}" is not one of this store: ${another}`
  await t.rejects(write(store), { code: '42P10', message })
  await t.rejects(store.raiseCutoff(1), { code: '42804', message })
  await t.rejects(write(open(t, { table: view, createTable: true }).store), {
    code: '42809',
    message: `The table "${view}" is not one of this store: ${another}`,
  })
  await t.rejects(write(open(t, { table: type, createTable: true }).store), {
    code: '42710',
    message: `Something else has the name of the table "${type}": ${another}`,
  })
})

t.test('a user that may not do what it must says which right or place it lacks', async (t) => {
  const { table } = await openWhole(t)
  const powerless = await addRole(t, 'LOGIN')
  await t.rejects(write(open(t, { table }, { connectionString: powerless }).store), {
    code: '42501',
    message: `The user of the pool may not use the table "${table}": grant SELECT, INSERT, UPDATE and DELETE on it and on its index.`,
  })
  const homeless = await addRole(t, 'LOGIN', fresh())
  await t.rejects(write(open(t, { table }, { connectionString: homeless }).store), {
    code: '3D000',
    message: 'There is no database of this name. The server says: ',
  })
  const late = await addRole(t, 'LOGIN CONNECTION LIMIT 0')
  await t.rejects(write(open(t, { table }, { connectionString: late }).store), {
    code: '53300',
    message: 'as many connections as it allows: lower max of the pool, or raise max_connections. The server says: ',
  })
  const sleeping = await addRole(t, 'NOLOGIN')
  await t.rejects(write(open(t, { table }, { connectionString: sleeping }).store), {
    code: '28000',
    message: 'The server refuses this user, or a connection without TLS. The server says: ',
  })
})

t.test('a wrong password is called so, and is not in the message', async (t) => {
  const { rows } = await admin.query<{ hba_file: string }>('SHOW hba_file')
  const path = String(rows[0]?.hba_file)
  const before = readFileSync(path, 'utf8')
  const stranger = await addRole(t, "LOGIN PASSWORD 'right'")
  const { username } = new URL(stranger)
  writeFileSync(path, `host all ${username} 127.0.0.1/32 scram-sha-256\n${before}`)
  t.teardown(async () => {
    writeFileSync(path, before)
    await tell('SELECT pg_reload_conf()')
  })
  await tell('SELECT pg_reload_conf()')
  const { store } = open(t, {}, { connectionString: stranger.replace('secret', 'hunter2') })
  const error = await write(store).catch((reason: unknown) => reason)
  t.match(error, { code: '28P01', message: 'The user name or the password is wrong. The server says: ' })
  t.notMatch(String(error), 'hunter2')
})

t.test('a server that only reads names the primary', async (t) => {
  const { table } = await openWhole(t)
  const { store } = open(t, { table }, { options: '-c default_transaction_read_only=on' })
  await t.rejects(write(store), {
    code: '25006',
    message: 'The server only reads: connect to the primary, not to a replica. The server says: ',
  })
})

t.test('a database that cannot hold every text names the encoding', async (t) => {
  const name = fresh()
  await tell(`CREATE DATABASE ${name} ENCODING 'LATIN1' TEMPLATE template0`)
  t.teardown(() => tell(`DROP DATABASE ${name} WITH (FORCE)`))
  const { store } = open(t, { createTable: true }, { connectionString: server.url.replace(/\w+$/, name) })
  await t.rejects(store.create({ ...recordAt(Date.now()), data: '{"name":"漢字"}' }), {
    message: 'A text holds a character that the encoding of the database lacks: use a database with the encoding UTF8.',
  })
})

t.test('a connection that lost or mixes up its statements names the pooler', async (t) => {
  const settings = 'PgBouncer needs version 1.21 and max_prepared_statements above 0. The server says: '
  const { store, pool, table } = await openWhole(t)
  await pool.query('DEALLOCATE ALL')
  await t.rejects(write(store), { code: '26000', message: `A pooler lost a prepared statement: ${settings}` })
  const other = open(t, { table })
  await store.readCutoff()
  const names = await pool.query<{ name: string }>('SELECT name FROM pg_prepared_statements')
  for (const { name } of names.rows) await other.pool.query(`PREPARE ${name} AS SELECT 1`)
  await t.rejects(other.store.readCutoff(), {
    code: '42P05',
    message: `A pooler mixes up prepared statements: ${settings}`,
  })
})

t.test('a statement that the server breaks off says by what', async (t) => {
  const { store, table } = await openWhole(t)
  const holder = new Client(server.url)
  await holder.connect()
  t.teardown(() => holder.end())
  await holder.query('BEGIN')
  await holder.query(`LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  const stop = async (how: string): Promise<void> => {
    const waiting = `SELECT ${how}(pid) FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%${table}%'`
    while ((await admin.query(waiting)).rowCount === 0);
  }
  const cancelled = t.rejects(write(store), {
    code: '57014',
    message: 'The statement took longer than statement_timeout, or was cancelled. The server says: ',
  })
  await stop('pg_cancel_backend')
  await cancelled
  const ended = t.rejects(write(store), { code: '57P01', message: 'The server shuts down. The server says: ' })
  await stop('pg_terminate_backend')
  await ended
})

t.test('a server that takes no connections at the moment says so', async (t) => {
  const closing = await startPostgres(t)
  const last = new Client(closing.url)
  await last.connect()
  const { rows } = await last.query<{ pid: string }>(
    "SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1) AS pid",
  )
  // The smart shutdown waits for this client, and lets in nobody else.
  process.kill(Number(rows[0]?.pid), 'SIGTERM')
  const { store } = open(t, {}, { connectionString: closing.url })
  while ((await write(store).catch(({ code }: { code: string }) => code)) !== '57P03');
  await t.rejects(write(store), {
    code: '57P03',
    message: 'The server does not take connections at the moment: it starts, shuts down or recovers. The server says: ',
  })
  await last.end()
})

t.test('a pooler that refuses a connection says that it does not take it', async (t) => {
  const url = await startPgBouncer(t, server, 'session')
  const { store } = open(t, {}, { connectionString: url.replace(/\w+$/, 'pgbouncer') })
  await t.rejects(write(store), {
    code: '08P01',
    message: 'The server does not take this connection as the pool asks for it. The server says: ',
  })
})
