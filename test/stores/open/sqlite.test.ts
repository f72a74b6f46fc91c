import { existsSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { openStore } from '../../../lib/stores/open.ts'
import { openUrl } from '../../../lib/stores/open/store-url.ts'
import { recordAt } from '../../../lib/testing/contract/check.ts'
import { packageFolder, projectWith, recordingProject } from '../../support/projects.ts'
import { temporaryFolder } from '../../support/sqlite.ts'

t.test('a path behind three slashes is a path from the root', async (t) => {
  const cwd = projectWith(t, 'better-sqlite3')
  const file = join(temporaryFolder(t), 'sessions.db')
  const store = await openStore(`sqlite://${file}`, { cwd })
  await store.close()
  t.ok(existsSync(file))
})

t.test('a command makes no file', async (t) => {
  const cwd = projectWith(t, 'better-sqlite3')
  await t.rejects(openUrl('sqlite:nowhere.db', { from: [cwd], isApp: false }), {
    message: 'There is no file nowhere.db.',
  })
  t.notOk(existsSync(join(cwd, 'nowhere.db')))
})

t.test('a connection is closed when the store cannot use it', async (t) => {
  const { cwd, made } = recordingProject<{ open: boolean }>(t, 'better-sqlite3')
  await t.rejects(openStore('sqlite:sessions.db', { cwd, table: 'a;b' }))
  t.match(made, [{ open: false }])
})

t.test('a driver of SQLite may be a class or hold one, as that of Node does', async (t) => {
  const real = JSON.stringify(packageFolder('better-sqlite3'))
  const cwd = projectWith(t, { 'better-sqlite3': `exports.DatabaseSync = require(${real})` })
  const store = await openStore('sqlite:sessions.db', { cwd })
  const record = recordAt(Date.now())
  await store.create(record)
  t.strictSame(await store.get(record.handle), record)
  await store.close()
})

t.test('a driver that is not built for this Node is named with the command that builds it', async (t) => {
  const thrown = {
    'new Error("Could not locate the bindings file. Tried:\\n → build/better_sqlite3.node")': true,
    'Object.assign(new Error("invalid ELF header"), { code: "ERR_DLOPEN_FAILED" })': true,
    'new Error("unable to open database file")': false,
  }
  for (const [error, isNotBuilt] of Object.entries(thrown)) {
    const source = `module.exports = class { constructor() { throw ${error} } }`
    const cwd = projectWith(t, { 'better-sqlite3': source })
    const message = isNotBuilt
      ? 'openStore: The package better-sqlite3 is not built for this Node: npm rebuild better-sqlite3'
      : 'openStore: the store at sqlite:x.db cannot be used: unable to open database file'
    await t.rejects(openStore('sqlite:x.db', { cwd }), { message })
  }
})
