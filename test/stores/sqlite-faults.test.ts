import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { rmSync } from 'node:fs'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import t from 'tap'
import type { Test } from 'tap'
import { sqliteSchema, sqliteStore } from '../../lib/stores/sqlite.ts'
import { ROOT } from '../support/imports.ts'
import { expectNoUnhandled, expectOutage, recovered } from '../support/outage.ts'
import { cookieOf, logIn, smallApp } from '../support/small-app.ts'
import type { Connection } from '../support/sqlite.ts'
import { betterSqlite, sqliteDrivers, temporaryFolder } from '../support/sqlite.ts'
import { startAppProcess } from '../support/store-process.ts'
import { twoProcesses } from '../support/two-processes.ts'

/** Milliseconds. */
const STORE_TIMEOUT = 400
const WITHIN = STORE_TIMEOUT + 1500

const folder = temporaryFolder(t)
let files = 0
const newFile = (): string => join(folder, `${(files += 1)}.db`)

async function bootApp(t: Test, database: Connection): Promise<FastifyInstance> {
  expectNoUnhandled(t)
  t.teardown(() => database.close())
  const app = await smallApp({ store: sqliteStore({ database, timeout: '200ms' }), storeTimeout: `${STORE_TIMEOUT}ms` })
  t.teardown(() => app.close())
  return app
}

async function expectAnn(t: Test, app: FastifyInstance, cookie: string): Promise<void> {
  t.strictSame((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: 'ann', note: null })
}

for (const driver of sqliteDrivers()) {
  t.test(`a file that another process has locked serves readers, and logs nobody in, by ${driver.name}`, async (t) => {
    const file = newFile()
    const app = await bootApp(t, driver.open(file))
    const cookie = await logIn(app, 'ann')
    const other = driver.open(file)
    t.teardown(() => other.close())
    other.exec('BEGIN IMMEDIATE')
    await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
    other.exec('COMMIT')
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })

  t.test(`a file that cannot be written serves readers, and logs nobody in, by ${driver.name}`, async (t) => {
    const database = driver.open(newFile())
    const app = await bootApp(t, database)
    const cookie = await logIn(app, 'ann')
    database.exec('PRAGMA query_only = on')
    await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
    database.exec('PRAGMA query_only = off')
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })

  t.test(`a full disk serves readers, and logs nobody in, by ${driver.name}`, async (t) => {
    const database = driver.open(newFile())
    const app = await bootApp(t, database)
    const cookie = await logIn(app, 'ann')
    database.exec('PRAGMA max_page_count = 50')
    const junk = database.prepare('INSERT INTO sessions VALUES (hex(randomblob(11)), 1, 1, 9e12, hex(randomblob(?)))')
    for (const size of [400, 40, 1]) {
      t.throws(() => {
        for (;;) junk.run(size)
      }, /full/)
    }
    // A small change may still fit into the page it is on; a new record finds no room.
    const login = await app.inject({ method: 'POST', url: '/login', payload: { user: 'eve' } })
    t.equal(login.statusCode, 503)
    t.match(login.headers, { 'retry-after': /^\d+$/ })
    t.equal(cookieOf(login), undefined)
    await expectAnn(t, app, cookie)
    t.equal((await app.inject('/me')).statusCode, 200)
    database.exec('PRAGMA max_page_count = 1000')
    await recovered(app, 'bob')
    await expectAnn(t, app, cookie)
  })
}

for (const driver of sqliteDrivers()) {
  t.test(
    `tables that are dropped are a store that is away, until they are made again, by ${driver.name}`,
    async (t) => {
      const file = newFile()
      const app = await bootApp(t, driver.open(file))
      const cookie = await logIn(app, 'ann')
      const other = driver.open(file)
      t.teardown(() => other.close())
      other.exec('DROP TABLE sessions; DROP TABLE sessions_index')
      await expectOutage(t, app, { cookie, within: WITHIN })
      other.exec(sqliteSchema())
      await recovered(app, 'bob')
      t.match((await app.inject({ url: '/me', headers: { cookie } })).json(), { user: null })
    },
  )

  t.test(`a file that is deleted serves those who have it open, by ${driver.name}`, async (t) => {
    const file = newFile()
    const app = await bootApp(t, driver.open(file))
    const cookie = await logIn(app, 'ann')
    for (const end of ['', '-wal', '-shm']) rmSync(file + end)
    await expectAnn(t, app, cookie)
    const other = await logIn(app, 'bob')
    t.match((await app.inject({ url: '/me', headers: { cookie: other } })).json(), { user: 'bob' })
  })
}

t.test('another process that has locked the file and dies gives it back', async (t) => {
  const file = newFile()
  const app = await bootApp(t, betterSqlite.open(file))
  const cookie = await logIn(app, 'ann')
  const code = `import Database from 'better-sqlite3'
    const database = new Database(process.argv[1])
    database.exec("BEGIN EXCLUSIVE; DELETE FROM sessions")
    console.log('locked')
    // A database that nothing refers to is collected, and its lock goes with it.
    setInterval(() => database.open, 1000)`
  const child = spawn(process.execPath, ['--input-type=module', '-e', code, file], {
    cwd: ROOT,
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  await once(child.stdout, 'data')
  await expectOutage(t, app, { cookie, outage: 'writes', within: WITHIN })
  const ended = once(child, 'exit')
  child.kill('SIGKILL')
  await ended
  await recovered(app, 'bob')
  await expectAnn(t, app, cookie)
})

t.test('a process that is killed in the middle of traffic leaves behind all it acknowledged', async (t) => {
  const url = `sqlite:${newFile()}`
  const first = await startAppProcess(t, { url })
  const told: { user: string; cookie: string }[] = []
  const live = async (name: number): Promise<void> => {
    for (let login = 0; ; login += 1) {
      const user = `${name}-${login}`
      const { status, cookie } = await first.request('POST', '/login', undefined, { user })
      if (status === 200 && cookie !== undefined) told.push({ user, cookie })
    }
  }
  const lives = Promise.allSettled([1, 2, 3, 4].map(live))
  while (told.length < 50) await new Promise((resolve) => setImmediate(resolve))
  await first.kill()
  await lives
  const second = await startAppProcess(t, { url })
  const answers = await Promise.all(told.map(({ cookie }) => second.request('GET', '/me', cookie)))
  t.strictSame(
    answers.map(({ body }) => body['user']),
    told.map(({ user }) => user),
  )
})

t.test('two processes on one file', async (t) => twoProcesses(t, `sqlite:${newFile()}`))
