import { randomBytes } from 'node:crypto'
import type { PoolConfig } from 'pg'
import { Client, Pool } from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import { keyOf } from '../../lib/stores/codec.ts'
import type { PostgresPool, PostgresStore } from '../../lib/stores/postgres.ts'
import { postgresSchema, postgresStore } from '../../lib/stores/postgres.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/store-contract.ts'
import { startPostgres } from '../support/servers/postgres.ts'

const server = await startPostgres(t, { shared_preload_libraries: 'pg_stat_statements' })
const pool = new Pool({ connectionString: server.url, connectionTimeoutMillis: 2000 })
t.teardown(() => pool.end())

let tables = 0
/** Returns the name of a table that nobody else uses. */
function freshTable(): string {
  tables += 1
  return `sessions_${tables}`
}

/** Opens a pool of its own, for tests that may break it. */
function openPool(t: Pick<Test, 'teardown'>, options: PoolConfig = { connectionString: server.url }): Pool {
  const own = new Pool({ connectionTimeoutMillis: 2000, ...options })
  t.teardown(() => own.end())
  return own
}

t.test('the store contract', async (t) => {
  for (const check of storeContract((clock) => {
    const table = freshTable()
    return {
      store: postgresStore({ pool, table, createTable: true, clock }),
      damage: async (handle) => {
        await pool.query(`UPDATE ${table} SET record = '{' WHERE handle = $1`, [keyOf(handle)])
      },
    }
  })) {
    t.test(check.name, () => check.run())
  }
})

t.test('a damaged record is left out of a listing, and the others are in it', async (t) => {
  const table = freshTable()
  const store = postgresStore({ pool, table, createTable: true })
  const [damaged, sound] = [recordAt(Date.now()), recordAt(Date.now())]
  for (const record of [damaged, sound]) t.equal(await store.create(record), true)
  await pool.query(`UPDATE ${table} SET record = '{' WHERE handle = $1`, [keyOf(damaged.handle)])
  t.strictSame((await store.listAll({ limit: 10 })).records, [sound])
})

t.test('a table is a plain name, with its schema or without, and nothing else', async (t) => {
  for (const table of ['sessions', 'auth.sessions', '_s1', 'user', 'a'.repeat(46), `auth.${'a'.repeat(46)}`]) {
    t.doesNotThrow(() => postgresStore({ pool, table }), table)
    t.doesNotThrow(() => postgresSchema(table), table)
  }
  const hostile = [
    '',
    'Sessions',
    'a-b',
    'a b',
    'a;b',
    'a"b',
    "a'b",
    'a.b.c',
    '.a',
    'a.',
    '1a',
    'é',
    'a\n',
    'b'.repeat(47),
  ]
  for (const table of [...hostile, null, 7, ['a'], { toString: () => 'a' }]) {
    // JavaScript can pass values that the types forbid.
    const asGiven = table as string
    t.throws(() => postgresStore({ pool, table: asGiven }), { name: 'TypeError', message: /table/ }, String(table))
    t.throws(() => postgresSchema(asGiven), { name: 'TypeError', message: /table/ }, String(table))
  }
})

t.test('a timeout is a duration, and longer than nothing', async (t) => {
  for (const timeout of ['0s', 'soon', '5']) {
    t.throws(
      () => postgresStore({ pool, timeout: timeout as '5s' }),
      { name: 'TypeError', message: /timeout/ },
      timeout,
    )
  }
})

t.test('a name that PostgreSQL keeps for itself is a table like any other, in any schema', async (t) => {
  await pool.query('DROP TABLE IF EXISTS "user", user_index; DROP SCHEMA IF EXISTS "select" CASCADE')
  await pool.query('CREATE SCHEMA "select"')
  for (const table of ['user', 'select.table']) {
    const store = postgresStore({ pool, table, createTable: true })
    const record = recordAt(Date.now())
    await store.create(record)
    t.strictSame(await store.get(record.handle), record, table)
    t.equal(await store.addToIndex('alice', record.handle, Date.now() + 1000, 1), true)
    t.equal(await store.sweep(Date.now(), 10), 0)
  }
})

t.test('without createTable nothing is created, and the SQL of postgresSchema is all it takes', async (t) => {
  const table = freshTable()
  const store = postgresStore({ pool, table })
  const record = recordAt(Date.now())
  await t.rejects(store.create(record), { code: '42P01' })
  await t.rejects(store.sweep(Date.now(), 10), { code: '42P01' })
  await t.rejects(store.count(), { code: '42P01' })
  await t.rejects(store.addToIndex('alice', 'x', Date.now(), 1), { code: '42P01' })
  await pool.query(postgresSchema(table))
  await pool.query(postgresSchema(table))
  t.equal(await store.create(record), true)
  t.strictSame(await store.get(record.handle), record)
  t.equal(await store.addToIndex('alice', record.handle, record.idleDeadline, 1), true)
  t.equal(await store.sweep(record.idleDeadline, 10), 1)
})

t.test('with createTable each operation may be the first one', async (t) => {
  // A pool of one connection asks in the order of the calls.
  const own = openPool(t, { connectionString: server.url, max: 1 })
  const open = (): PostgresStore => postgresStore({ pool: own, table: freshTable(), createTable: true })
  t.equal(await open().sweep(Date.now(), 10), 0)
  t.equal(await open().count(), 0)
  t.equal(await open().readCutoff(), 0)
  t.equal(await open().addToIndex('alice', 'x', Date.now() + 1000, 1), true)
})

t.test('the pages of a listing hold each record once, and the last one names no other', async (t) => {
  const store = postgresStore({ pool, table: freshTable(), createTable: true })
  const records = Array.from({ length: 4 }, () => recordAt(Date.now()))
  for (const record of records) await store.create(record)
  const handles = records.map(({ handle }) => handle).toSorted()
  const [first, second] = [await store.listAll({ limit: 3 }), await store.listAll({ limit: 3, after: handles[2] })]
  t.strictSame(
    [...first.records, ...second.records].map(({ handle }) => handle),
    handles,
  )
  t.strictSame([first.next, second.next], [handles[2], undefined])
  t.equal((await store.listAll({ limit: 5 })).next, undefined)
})

t.test('the table is sessions unless it has another name', async (t) => {
  t.match(postgresSchema(), 'CREATE TABLE IF NOT EXISTS "sessions" (')
  await postgresStore({ pool, createTable: true }).get('x')
  const { rows } = await pool.query(
    "SELECT tablename FROM pg_tables WHERE tablename IN ('sessions', 'sessions_index') ORDER BY 1",
  )
  t.strictSame(rows, [{ tablename: 'sessions' }, { tablename: 'sessions_index' }])
})

t.test('many processes that start at once make the tables once', async (t) => {
  for (let round = 0; round < 3; round += 1) {
    const table = freshTable()
    const pools = Array.from({ length: 8 }, () => openPool(t))
    const stores = pools.map((own) => postgresStore({ pool: own, table, createTable: true }))
    const answers = await Promise.all(
      stores.flatMap((store) => [store.get('x'), store.delete('x'), store.listIndex('x')]),
    )
    t.equal(answers.length, 24)
  }
})

t.test('createTable asks for no right to create what is there already', async (t) => {
  const table = freshTable()
  const user = `app_of_${table}`
  await pool.query(`${postgresSchema(table)}
    CREATE ROLE ${user} LOGIN; REVOKE CREATE ON SCHEMA public FROM PUBLIC;
    GRANT SELECT, INSERT, UPDATE, DELETE ON ${table}, ${table}_index TO ${user}`)
  const app = openPool(t, { host: '127.0.0.1', port: server.port, user, database: 'postgres' })
  const store = postgresStore({ pool: app, table, createTable: true })
  const record = recordAt(Date.now())
  t.equal(await store.create(record), true)
  t.equal(await store.addToIndex('alice', record.handle, Date.now() + 1000, 1), true)
  t.equal(await store.sweep(record.idleDeadline, 10), 1)
  await t.rejects(postgresStore({ pool: app, table: freshTable(), createTable: true }).get('x'), { code: '42501' })
})

t.test('tables that could not be made are tried again by the next operation', async (t) => {
  const schema = freshTable()
  const store = postgresStore({ pool, table: `${schema}.sessions`, createTable: true })
  await t.rejects(store.get('x'), { code: '3F000' })
  await pool.query(`CREATE SCHEMA ${schema}`)
  t.equal(await store.get('x'), undefined)
})

t.test('every operation but a limited login is one statement, and a read is one row by primary key', async (t) => {
  const table = freshTable()
  const own = openPool(t, { connectionString: server.url, max: 1 })
  const store = postgresStore({ pool: own, table, createTable: true })
  await store.get('x')
  await pool.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  const calls = async (work: () => Promise<unknown>): Promise<string[]> => {
    await pool.query('SELECT pg_stat_statements_reset()')
    await work()
    const { rows } = await pool.query(
      `SELECT query, calls FROM pg_stat_statements WHERE query ~ '"${table}' OR query ~ '^(BEGIN|COMMIT)'`,
    )
    return rows.flatMap(({ query, calls: count }) =>
      Array<string>(Number(count)).fill(String(query).split(' ')[0] ?? ''),
    )
  }
  const record = recordAt(Date.now())
  const { handle } = record
  const seen = { lastSeenAt: Date.now(), idleDeadline: Date.now() + 90_000 }
  t.strictSame(await calls(() => store.create(record)), ['INSERT'])
  t.strictSame(await calls(() => store.get(handle)), ['SELECT'])
  t.strictSame(await calls(() => store.touch(handle, record.version, seen)), ['UPDATE'])
  t.strictSame(await calls(() => store.update(record, record.version)), ['UPDATE'])
  t.strictSame(await calls(() => store.addToIndex('alice', handle, seen.idleDeadline)), ['INSERT'])
  t.strictSame(await calls(() => store.listIndex('alice')), ['SELECT'])
  t.strictSame(await calls(() => store.delete(handle)), ['DELETE'])
  t.strictSame(await calls(() => store.raiseCutoff(10)), ['WITH'])
  t.strictSame(await calls(() => store.readCutoff()), ['SELECT'])

  await pool.query(
    `INSERT INTO ${table} SELECT md5(i::text), 1, 0, i, '{}' FROM generate_series(1, 5000) i; ANALYZE ${table}`,
  )
  const plan = await pool.query(`EXPLAIN SELECT record FROM "${table}" WHERE handle = 'x' AND idle_deadline > 5`)
  t.match(JSON.stringify(plan.rows), new RegExp(`Index Scan using ${table}_pkey`))
})

t.test('two stores on one pool never mix up their statements', async (t) => {
  const own = openPool(t, { connectionString: server.url, max: 1 })
  const stores = [freshTable(), freshTable()].map((table) => postgresStore({ pool: own, table, createTable: true }))
  const record = recordAt(Date.now())
  await stores[0]?.create(record)
  t.strictSame(await Promise.all(stores.map((store) => store.get(record.handle))), [record, undefined])
})

t.test("an idle connection that breaks is nobody's end", async (t) => {
  const own = openPool(t)
  const store = postgresStore({ pool: own, table: freshTable(), createTable: true })
  await store.get('x')
  t.equal(own.listenerCount('error'), 1)
  const gone = new Promise((resolve) => own.once('remove', resolve))
  await pool.query(
    'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND datname IS NOT NULL',
  )
  await gone
  t.equal(await store.get('x'), undefined)
})

t.test('the listener of an app that has one is enough', async (t) => {
  const own = openPool(t)
  own.on('error', () => {})
  postgresStore({ pool: own })
  t.equal(own.listenerCount('error'), 1)
})

t.test('a connection that is silent for too long is given up, and another takes its place', async (t) => {
  const own = openPool(t, { connectionString: server.url, max: 1 })
  const table = freshTable()
  const store = postgresStore({ pool: own, table, createTable: true, timeout: '100ms' })
  const record = recordAt(Date.now())
  await store.create(record)
  const blocker = await pool.connect()
  await blocker.query(`BEGIN; LOCK TABLE ${table} IN ACCESS EXCLUSIVE MODE`)
  await t.rejects(store.get(record.handle), /no answer within 100 ms/)
  await blocker.query('COMMIT')
  blocker.release()
  t.strictSame(await store.get(record.handle), record)
})

t.test('an operation whose time is up while it waits for a connection is not done later', async (t) => {
  const own = openPool(t, { connectionString: server.url, max: 1, connectionTimeoutMillis: 0 })
  const store = postgresStore({ pool: own, table: freshTable(), createTable: true, timeout: '100ms' })
  await store.get('x')
  const only = await own.connect()
  const record = recordAt(Date.now())
  await t.rejects(store.create(record), /no answer within 100 ms/)
  only.release()
  t.equal(await store.get(record.handle), undefined)
  t.equal(await store.create(record), true, 'and the connection is in use again')
})

t.test('a pool that gives no connection is a store that does not answer', async (t) => {
  await t.rejects(postgresStore({ pool: inert }).get('x'), /no connection/)
  const ended = new Pool({ connectionString: server.url })
  await ended.end()
  await t.rejects(postgresStore({ pool: ended }).get('x'), /after calling end/)
})

t.test('a limited login that fails leaves no transaction behind', async (t) => {
  const own = openPool(t, { connectionString: server.url, max: 1 })
  const table = freshTable()
  const store = postgresStore({ pool: own, table, createTable: true })
  await store.get('x')
  await pool.query(`ALTER TABLE ${table}_index RENAME TO ${table}_away`)
  await t.rejects(store.addToIndex('alice', 'x', Date.now() + 1000, 1), { code: '42P01' })
  await pool.query(`ALTER TABLE ${table}_away RENAME TO ${table}_index`)
  t.equal(await store.addToIndex('alice', 'x', Date.now() + 1000, 1), true)
  t.equal((await store.listIndex('alice')).length, 1)
})

t.test('a limited login whose connection is cut rejects, and nothing else happens', async (t) => {
  const table = freshTable()
  const store = postgresStore({ pool: openPool(t, { connectionString: server.url, max: 1 }), table, createTable: true })
  await store.get('x')
  const blocker = await pool.connect()
  await blocker.query('BEGIN')
  await blocker.query('SELECT pg_advisory_xact_lock(hashtextextended($1, 0))', [`${table} alice`])
  const waiting = store.addToIndex('alice', 'x', Date.now() + 1000, 1)
  const refused = t.rejects(waiting)
  for (;;) {
    const { rowCount } = await pool.query(
      "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE wait_event = 'advisory'",
    )
    if (rowCount === 1) break
  }
  await refused
  await blocker.query('COMMIT')
  blocker.release()
  t.strictSame(await store.listIndex('alice'), [])
})

/** Rows that have all expired, as another process may have left them. */
async function fill(store: PostgresStore, table: string, count: number): Promise<void> {
  await store.get('x')
  await pool.query(`INSERT INTO ${table} SELECT md5(i::text), 1, 0, i, '{}' FROM generate_series(1, ${count}) i`)
  await pool.query(
    `INSERT INTO ${table}_index SELECT 'u' || i % 7, md5(i::text), i FROM generate_series(1, ${count}) i`,
  )
}

async function countOf(table: string): Promise<number> {
  const { rows } = await pool.query(
    `SELECT (SELECT count(*) FROM ${table}) + (SELECT count(*) FROM ${table}_index) AS left`,
  )
  return Number(rows[0]?.left)
}

t.test('sweeps at once share the work and meet nowhere', async (t) => {
  const table = freshTable()
  const store = postgresStore({ pool, table, createTable: true })
  await fill(store, table, 1000)
  const counts = await Promise.all(Array.from({ length: 6 }, () => store.sweep(Date.now(), 100, { alone: false })))
  t.ok(counts.reduce((sum, count) => sum + count, 0) >= 100)
  for (;;) if ((await store.sweep(Date.now(), 300)) === 0) break
  t.equal(await countOf(table), 0)
})

t.test('a sweep passes over what another transaction holds', async (t) => {
  const table = freshTable()
  const store = postgresStore({ pool, table, createTable: true })
  await fill(store, table, 10)
  const blocker = await pool.connect()
  await blocker.query(`BEGIN; SELECT FROM ${table} WHERE idle_deadline <= 3 FOR UPDATE`)
  t.equal(await store.sweep(Date.now(), 100), 10, 'the entries, of which none is held')
  await blocker.query('COMMIT')
  blocker.release()
  t.equal(await store.sweep(Date.now(), 100), 3)
  t.equal(await countOf(table), 0)
})

t.test('a sweep leaves the work to the one that is at it, unless it is told to help', async (t) => {
  const table = freshTable()
  const store = postgresStore({ pool, table, createTable: true })
  const otherTable = freshTable()
  const other = postgresStore({ pool, table: otherTable, createTable: true })
  await fill(store, table, 10)
  await fill(other, otherTable, 3)
  // The first sweep stops in the middle of its batch, where a row that it deletes waits for this lock.
  const lock = randomBytes(4).readInt32BE()
  const blocker = await pool.connect()
  await blocker.query(`SELECT pg_advisory_lock(${lock})`)
  await pool.query(`CREATE FUNCTION wait_${table}() RETURNS trigger LANGUAGE plpgsql AS
    'BEGIN PERFORM pg_advisory_xact_lock(${lock}); RETURN OLD; END';
    CREATE TRIGGER wait BEFORE DELETE ON ${table} FOR EACH ROW EXECUTE FUNCTION wait_${table}()`)
  const first = store.sweep(Date.now(), 4)
  for (;;) {
    const { rowCount } = await pool.query("SELECT FROM pg_locks WHERE locktype = 'advisory' AND NOT granted")
    if (rowCount === 1) break
  }
  t.equal(await store.sweep(Date.now(), 4), 0)
  t.equal(await other.sweep(Date.now(), 4), 3, 'another table is none of its business')
  const second = store.sweep(Date.now(), 4, { alone: false })
  await blocker.query(`SELECT pg_advisory_unlock(${lock})`)
  blocker.release()
  t.strictSame(await Promise.all([first, second]), [4, 4])
  t.equal(await store.sweep(Date.now(), 100), 2)
})

/** A pool as far as types go, that connects to nothing. */
const inert: PostgresPool = {
  connect: (taken) => taken(undefined, undefined, () => undefined),
  on: () => undefined,
  listenerCount: () => 1,
  totalCount: 0,
}

function connectionsOf(options?: unknown): unknown {
  const store = postgresStore({ pool: options === undefined ? inert : Object.assign({ options }, inert) })
  return 'connections' in store && store.connections
}

function url(rest: string): object {
  return { connectionString: `postgres://u:p@${rest}` }
}

t.test('the guard sees where connections go, and whether they are encrypted', async (t) => {
  t.strictSame(connectionsOf(url('db.example/x')), [{ host: 'db.example', encrypted: false }])
  t.strictSame(connectionsOf(url('db.example:5433/x?sslmode=require')), [{ host: 'db.example', encrypted: true }])
  t.strictSame(connectionsOf(url('db.example/x?sslmode=disable')), [{ host: 'db.example', encrypted: false }])
  t.strictSame(connectionsOf(url('db.example/x?ssl=true')), [{ host: 'db.example', encrypted: true }])
  t.strictSame(connectionsOf(url('%2Fvar%2Frun/x')), [{ host: '/var/run', encrypted: false }])
  t.strictSame(connectionsOf({ connectionString: 'postgres:///x?host=/run' }), [{ host: '/run', encrypted: false }])
  t.strictSame(connectionsOf({ host: '10.0.0.7', ssl: {} }), [{ host: '10.0.0.7', encrypted: true }])
  t.strictSame(connectionsOf({ host: 'db.example', ssl: null }), [{ host: 'db.example', encrypted: false }])
  t.strictSame(connectionsOf({}), [{ host: 'localhost', encrypted: false }])
  t.strictSame(connectionsOf({ host: 7 }), [])
  t.strictSame(connectionsOf({ connectionString: 'nonsense' }), [{ host: 'localhost', encrypted: false }])
  t.strictSame(connectionsOf(null), [])
  t.strictSame(connectionsOf(), [])
})

t.test('the guard sees the address and the encryption that pg takes from the environment', async (t) => {
  for (const [name, value] of Object.entries({ PGHOST: 'db.example', PGSSLMODE: 'require' })) {
    const { [name]: before } = process.env
    process.env[name] = value
    t.teardown(() => {
      if (before === undefined) delete process.env[name]
      else process.env[name] = before
    })
  }
  t.strictSame(connectionsOf({}), [{ host: 'db.example', encrypted: true }])
  t.strictSame(connectionsOf({ host: '10.0.0.7' }), [{ host: '10.0.0.7', encrypted: true }])
})

t.test('a client of pg is no pool, and says so when it is compiled', async () => {
  // @ts-expect-error: it can be queried, but opens no connections.
  const options: Parameters<typeof postgresStore>[0] = { pool: new Client() }
  t.ok(options)
})
