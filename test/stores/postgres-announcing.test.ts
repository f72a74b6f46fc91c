import { once } from 'node:events'
import type { Socket } from 'node:net'
import { createServer } from 'node:net'
import { Pool } from 'pg'
import t from 'tap'
import type { Test } from 'tap'
import { channelOf } from '../../lib/stores/postgres-sql.ts'
import type { PostgresPool } from '../../lib/stores/postgres.ts'
import { postgresSchema, postgresStore } from '../../lib/stores/postgres.ts'
import { nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { ended, hear, heardAgain } from '../support/hearing.ts'
import { expectNoUnhandled } from '../support/outage.ts'
import { startPostgres } from '../support/servers/postgres.ts'

const server = await startPostgres(t)

const first = new Pool({ connectionString: server.url })
await first.query(postgresSchema())
await first.end()

/** The cutoff of the store, which only rises. */
let cutoff = 0

function openPool(t: Pick<Test, 'teardown'>, options: object = {}): Pool {
  const pool = new Pool({ connectionString: server.url, connectionTimeoutMillis: 2000, ...options })
  pool.on('error', () => undefined)
  t.teardown(() => pool.end())
  return pool
}

t.test('another process hears of ends, changes of epoch and the cutoff', async (t) => {
  const store = postgresStore({ pool: openPool(t) })
  const earlier = await ended(store)
  const hearing = await hear(t, postgresStore({ pool: openPool(t) }))
  const [one, kept] = [recordAt(Date.now()), recordAt(Date.now())]
  for (const record of [one, kept]) await store.create(record)
  await store.update({ ...nextOf(one, {}), epoch: 3 }, one.version)
  await store.update(nextOf(kept, {}), kept.version)
  await store.delete(one.handle)
  cutoff += 10
  await store.raiseCutoff(cutoff)
  await store.raiseCutoff(cutoff - 5)
  await hearing.atLeast(3)
  t.strictSame(hearing.heard, [{ handle: one.handle }, { handle: one.handle }, { cutoff }])
  t.equal(await store.delete(earlier.handle), false)
})

t.test('a store hears nothing of what another table announces', async (t) => {
  const hearing = await hear(t, postgresStore({ pool: openPool(t) }))
  const other = postgresStore({ pool: openPool(t), table: 'others', createTable: true })
  t.not(channelOf('others'), channelOf('sessions'))
  await ended(other)
  const { handle } = await ended(postgresStore({ pool: openPool(t) }))
  await hearing.atLeast(1)
  t.strictSame(hearing.heard, [{ handle }])
})

t.test('a subscription takes no connection from the pool, and does not keep the pool from ending', async (t) => {
  const pool = new Pool({ connectionString: server.url, max: 1 })
  const store = postgresStore({ pool })
  const hearing = await hear(t, store)
  const { handle } = await ended(store)
  await hearing.atLeast(1)
  t.strictSame(hearing.heard, [{ handle }])
  await pool.end()
})

t.test('a subscription outlives a restart of the server', async (t) => {
  const store = postgresStore({ pool: openPool(t) })
  const hearing = await hear(t, store)
  for (let restart = 0; restart < 2; restart += 1) {
    await server.kill()
    await server.start()
    await heardAgain(hearing, store)
  }
})

t.test('a subscription whose first attempt to connect again fails makes another one', async (t) => {
  const store = postgresStore({ pool: openPool(t) })
  const hearing = await hear(t, store)
  await server.kill()
  const closing = createServer((socket) => socket.destroy()).listen(server.port, '127.0.0.1')
  await once(closing, 'connection')
  await new Promise((resolve) => closing.close(resolve))
  await server.start()
  await heardAgain(hearing, store)
})

t.test('a subscription that is refused leaves no connection behind', async (t) => {
  const pool = new Pool({ connectionString: server.url, application_name: 'refused' })
  await pool.end()
  await t.rejects(
    postgresStore({ pool }).subscribe(() => undefined),
    /after calling end/,
  )
  const observer = openPool(t)
  const left = "SELECT 1 FROM pg_stat_activity WHERE application_name = 'refused'"
  while ((await observer.query(left)).rowCount !== 0);
  t.pass('the connection is gone')
})

t.test('a subscription that ends while its connection is lost does not come back', async (t) => {
  const pool = openPool(t)
  const store = postgresStore({ pool })
  const hearing = await hear(t, store)
  await server.kill()
  await hearing.end()
  await server.start()
  const other = await hear(t, store)
  await heardAgain(other, store)
  t.strictSame(hearing.heard, [])
})

t.test('a subscription that ends while it connects again leaves nothing behind', async (t) => {
  expectNoUnhandled(t)
  const hearing = await hear(t, postgresStore({ pool: openPool(t) }))
  await server.kill()
  const silent = createServer().listen(server.port, '127.0.0.1')
  const [socket] = (await once(silent, 'connection')) as [Socket]
  await hearing.end()
  socket.destroy()
  await new Promise((resolve) => silent.close(resolve))
  await server.start()
})

t.test('a server that is away refuses a subscription, and the next one is tried anew', async (t) => {
  const store = postgresStore({ pool: openPool(t) })
  await server.kill()
  await t.rejects(
    store.subscribe(() => undefined),
    /ECONNREFUSED/,
  )
  await server.start()
  await heardAgain(await hear(t, store), store)
})

t.test('a pool that makes no connections of its own cannot be subscribed to', async (t) => {
  const pool = openPool(t)
  const wrapped: PostgresPool = {
    connect: (taken) => pool.connect(taken as never),
    on: (...args) => pool.on(...args),
    listenerCount: (event) => pool.listenerCount(event),
    totalCount: 1,
  }
  const store = postgresStore({ pool: wrapped })
  await t.rejects(
    store.subscribe(() => undefined),
    /no Pool of pg/,
  )
  t.ok(await ended(store))
})

t.test('a message that is no announcement is passed over', async (t) => {
  const pool = openPool(t)
  const store = postgresStore({ pool })
  const hearing = await hear(t, store)
  for (const message of ['', 'hello', 'cutoff', 'cutoff x', 'ended']) {
    await pool.query('SELECT pg_notify($1, $2)', [channelOf('sessions'), message])
  }
  const { handle } = await ended(store)
  await hearing.atLeast(1)
  t.strictSame(hearing.heard, [{ handle }])
})
