import { once } from 'node:events'
import { Pool } from 'pg'
import t from 'tap'
import { openStore } from '../../lib/stores/open.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { freshName, recordAt } from '../../lib/testing/contract/check.ts'
import { storeContract } from '../../lib/testing/store-contract.ts'
import { ended, hear } from '../support/hearing.ts'
import { startPgBouncer } from '../support/servers/pgbouncer.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { logIn, smallApp } from '../support/small-app.ts'

const server = await startPostgres(t)

for (const mode of ['transaction', 'session'] as const) {
  const url = await startPgBouncer(t, server, mode)

  t.test(`the store contract behind PgBouncer in ${mode} mode`, async (t) => {
    const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 2000 })
    t.teardown(() => pool.end())
    const contract = storeContract((clock) => {
      const table = `s_${freshName().toLowerCase().replaceAll('-', '_')}`
      return {
        store: postgresStore({ pool, table, createTable: true, clock }),
        damage: async (handle) => {
          await pool.query(`UPDATE ${table} SET record = '{' WHERE handle = $1`, [handle])
        },
      }
    })
    for (const check of contract) {
      if (mode === 'session' || check.part !== 'announcing') t.test(check.name, () => check.run())
    }
  })

  t.test(`a pool with a statement_timeout says that PgBouncer in ${mode} mode takes none`, async (t) => {
    const pool = new Pool({ connectionString: url, statement_timeout: 1500 })
    t.teardown(() => pool.end())
    await t.rejects(postgresStore({ pool }).get('h'), { message: /PgBouncer takes no statement_timeout.*ALTER ROLE/ })
  })

  t.test(`one URL opens a store behind PgBouncer in ${mode} mode, and a warning names the missing limit`, async (t) => {
    const warned = once(process, 'warning')
    const store = await openStore(url, { table: `app_${mode}` })
    const message = /^No statement_timeout holds .* PgBouncer .*: run ALTER ROLE .* SET statement_timeout = '1500ms'/
    t.match(await warned, [{ code: 'SESSION_STORE_STATEMENT_TIMEOUT', message }])
    const app = await smallApp({ store })
    t.teardown(() => app.close())
    const cookie = await logIn(app, 'ann')
    t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann' })
    const record = recordAt(Date.now())
    await store.create(record)
    t.strictSame(await store.get(record.handle), record)
  })
}

t.test('PgBouncer in transaction mode carries no announcements, and says so to whoever subscribes', async (t) => {
  const pool = new Pool({ connectionString: await startPgBouncer(t, server, 'transaction') })
  t.teardown(() => pool.end())
  const store = postgresStore({ pool, createTable: true })
  await t.rejects(
    store.subscribe(() => undefined),
    /transaction mode carries none/,
  )
  const direct = new Pool({ connectionString: server.url })
  t.teardown(() => direct.end())
  const hearing = await hear(t, postgresStore({ pool: direct }))
  const { handle } = await ended(store)
  await hearing.atLeast(1)
  t.strictSame(hearing.heard, [{ handle }], 'a process without a pooler hears of ends behind one')
})

t.test(
  'ALTER ROLE gives the statements of a store behind PgBouncer the limit that PgBouncer does not take',
  async (t) => {
    const direct = new Pool({ connectionString: server.url })
    t.teardown(() => direct.end())
    await direct.query(`ALTER ROLE guard SET statement_timeout = '1500ms'`)
    const warnings: unknown[] = []
    const note = (warning: unknown): unknown => warnings.push(warning)
    process.on('warning', note)
    t.teardown(() => process.off('warning', note))
    const url = await startPgBouncer(t, server, 'transaction')
    const store = await openStore(url, { table: 'limited' })
    t.teardown(() => store.close())
    const record = recordAt(Date.now())
    t.equal(await store.create(record), true)

    const locking = await direct.connect()
    t.teardown(() => locking.release())
    await locking.query('BEGIN')
    await locking.query('LOCK TABLE limited IN ACCESS EXCLUSIVE MODE')
    await t.rejects(store.get(record.handle), { message: /longer than statement_timeout/ })
    await locking.query('ROLLBACK')
    t.strictSame(await store.get(record.handle), record)
    t.strictSame(warnings, [])
  },
)
