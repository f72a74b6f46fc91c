import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { mock } from 'node:test'
import { Pool } from 'pg'
import t from 'tap'
import { resolveOptions } from '../../../lib/options.ts'
import { openStore } from '../../../lib/stores/open.ts'
import { openUrl } from '../../../lib/stores/open/store-url.ts'
import { postgresStore } from '../../../lib/stores/postgres.ts'
import { freshName, recordAt } from '../../../lib/testing/contract/check.ts'
import { projectWith, recordingProject } from '../../support/projects.ts'
import { ownerOf, startPostgres } from '../../support/servers/postgres.ts'
import { freePorts } from '../../support/servers/redis.ts'
import { temporaryFolder } from '../../support/sqlite.ts'

interface MadePool {
  readonly ended: boolean
  readonly sockets: readonly { readonly destroyed: boolean }[]
  readonly options: { readonly connectionTimeoutMillis: number; readonly statement_timeout: number }
}

const admission = join(temporaryFolder(t), 'pg_hba.conf')
writeFileSync(admission, 'host postgres all 127.0.0.1/32 trust\nhost template1 all 127.0.0.1/32 scram-sha-256\n')
ownerOf(join(admission, '..'))
ownerOf(admission)
const server = await startPostgres(t, { hba_file: admission })

t.test('an app gives a connection and a statement less time than a request has for its store', async (t) => {
  const { cwd, made } = recordingProject<MadePool>(t, 'pg')
  const store = await openStore(server.url, { cwd })
  await store.close()
  const { storeTimeout } = resolveOptions({}, 'production')
  for (const { options } of made) {
    t.ok(options.connectionTimeoutMillis < storeTimeout)
    t.ok(options.statement_timeout < storeTimeout)
  }
  t.equal(made.length, 1)
})

t.test('an app makes the tables that it needs', async (t) => {
  const table = `made_${freshName().toLowerCase().replaceAll('-', '_')}`
  const store = await openStore(server.url, { cwd: projectWith(t, 'pg'), table })
  t.teardown(() => store.close())
  t.equal(await store.get('h'), undefined)
})

t.test('a refused server is not asked twice, and its pool is ended', async (t) => {
  const { cwd, made } = recordingProject<MadePool>(t, 'pg')
  const [port = 0] = await freePorts(1)
  await t.rejects(openStore(`postgres://127.0.0.1:${port}/x`, { cwd }), { message: /ECONNREFUSED/ })
  t.match(made, [{ ended: true }])
  t.equal(made.length, 1)
})

t.test('a pool is ended when the store cannot use it', async (t) => {
  const { cwd, made } = recordingProject<MadePool>(t, 'pg')
  await t.rejects(openStore(server.url, { cwd, table: 'A' }))
  t.match(made, [{ ended: true }])
})

t.test('a command makes no table, and ends its pool', async (t) => {
  const { cwd, made } = recordingProject<MadePool>(t, 'pg')
  const opened = await openUrl(server.url, { from: [cwd], isApp: false, table: 'made_by_nobody' })
  await t.rejects(opened.store.get('h'), { code: '42P01' })
  await opened.close()
  t.match(made, [{ ended: true }])
})

t.test('a command leaves no connection open after a login that fails on its side', async (t) => {
  const { cwd, made } = recordingProject<MadePool>(t, 'pg')
  const url = `postgres://guard@127.0.0.1:${server.port}/template1`
  const opened = await openUrl(url, { from: [cwd], isApp: false })
  await t.rejects(opened.store.get('h'), { message: /password must be a string/ })
  t.match(made, [{ sockets: [{ destroyed: false }] }], 'the driver leaves it open')
  await opened.close()
  t.match(made, [{ sockets: [{ destroyed: true }] }])
})

t.test('a command that ends gives a statement half a second, and then cuts its connection', async (t) => {
  const pool = new Pool({ connectionString: server.url })
  t.teardown(() => pool.end())
  const owner = postgresStore({ pool, createTable: true, table: 'slow' })
  const record = recordAt(Date.now())
  await owner.create(record)
  const lock = await pool.connect()
  t.teardown(() => lock.release())
  const from = [projectWith(t, 'pg')] as const

  mock.timers.enable({ apis: ['setTimeout'] })
  t.teardown(() => mock.timers.reset())
  for (const isCut of [false, true]) {
    const opened = await openUrl(server.url, { from, isApp: false, table: 'slow' })
    t.strictSame(await opened.store.get(record.handle), record)
    await lock.query('BEGIN')
    await lock.query('LOCK TABLE slow IN ACCESS EXCLUSIVE MODE')
    const found = opened.store.get(record.handle)
    const isWaiting = async (): Promise<boolean> =>
      (await lock.query('SELECT FROM pg_locks WHERE NOT granted')).rowCount !== 0
    while (!(await isWaiting()));
    const closed = opened.close()
    mock.timers.tick(isCut ? 500 : 499)
    if (isCut) await t.rejects(found, { message: /terminated/ })
    await lock.query('ROLLBACK')
    if (!isCut) t.strictSame(await found, record)
    await closed
  }
})
