import { writeFileSync } from 'node:fs'
import { createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { Test } from 'tap'
import t from 'tap'
import { projectWith } from '../support/projects.ts'
import { PASSWORD, startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import type { Printed } from './terminal.ts'
import { type } from './terminal.ts'

const COMMANDS: Record<string, string[]> = {
  sweep: ['sweep'],
  sessions: ['sessions', '--user', 'ann'],
  revoke: ['revoke', '--user', 'ann'],
}

/** Exit code 2, one clear line, no stack, no password, nothing on standard output. */
function isClear(t: Test, printed: Printed, name: string): void {
  t.equal(printed.code, 2, name)
  t.equal(printed.out, '', name)
  t.ok(printed.err.trim().split('\n').length <= 2, `${name}: ${printed.err}`)
  t.ok(!/^\s+at /m.test(printed.err), `${name}: no stack`)
  t.ok(!printed.err.includes(PASSWORD), `${name}: no password`)
}

/** Returns a port on which nobody listens. */
async function deadPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1')
  await new Promise((resolve) => server.once('listening', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

t.test('a URL that names no store is refused without its password', async (t) => {
  const wrong = [
    `mysql://root:${PASSWORD}@127.0.0.1/x`,
    `redis//:${PASSWORD}@127.0.0.1`,
    `postgres://u:${PASSWORD}@[not-a-host/x`,
    `rediss://:${PASSWORD}@127.0.0.1:99999`,
    PASSWORD,
    '',
    'sqlite:',
    'sqlite:nowhere.db',
    `redis:${PASSWORD}@127.0.0.1`,
    `postgres:${PASSWORD}@127.0.0.1/x`,
    `redis://:${PASSWORD}%@127.0.0.1`,
    `redis://:${PASSWORD}@127.0.0.1/sessions`,
    `redis://:${PASSWORD}@127.0.0.1/0/1`,
    `postgres://u:${PASSWORD}/x@127.0.0.1/x`,
  ]
  for (const [name, argv] of Object.entries(COMMANDS)) {
    isClear(t, await type(argv), name)
    for (const url of wrong) isClear(t, await type([...argv, '--store', url]), `${name} --store ${url}`)
    isClear(t, await type([...argv, `redis://:${PASSWORD}@127.0.0.1`]), `${name} without --store before the URL`)
    isClear(t, await type([...argv, `--stor=redis://:${PASSWORD}@127.0.0.1`]), `${name} with a slip of the finger`)
    isClear(t, await type([...argv, '--store', 'sqlite:x', '--prefix', 'a']), `${name} with a prefix for SQLite`)
    isClear(t, await type([...argv, '--store', 'redis://127.0.0.1', '--table', 'a']), `${name} with a table for Redis`)
    isClear(t, await type([...argv, '--store', 'postgres://127.0.0.1', '--table', 'a;b']), `${name} with a wrong table`)
  }
  t.match((await type(['sweep', '--store', 'mysql://x'])).err, /redis:\/\/.*not with mysql:/)
  t.match((await type(['sweep', '--store', 'postgres://x', '--table', 'A'])).err, /--table: .*a-z/)
  isClear(t, await type(['sessions', '--store', 'sqlite:x']), 'sessions of nobody')
  isClear(t, await type(['revoke', '--store', 'sqlite:x']), 'revoke nothing')
  isClear(t, await type(['revoke', '--user', 'a', '--handle', 'b', '--store', 'sqlite:x']), 'revoke two things')
})

t.test('a missing driver is named, with the command that installs it', async (t) => {
  const cwd = temporaryFolder(t)
  writeFileSync(join(cwd, 'sessions.db'), '')
  const needs = {
    'postgres://127.0.0.1/x': /needs the package pg, .*npm install pg\n/,
    'postgresql://127.0.0.1/x': /npm install pg\n/,
    'redis://127.0.0.1': /needs the package redis \(or ioredis\), .*npm install redis\n/,
    'rediss://127.0.0.1': /npm install redis\n/,
  }
  for (const [url, expected] of Object.entries(needs)) {
    const printed = await type(['sweep', '--store', url], { cwd })
    isClear(t, printed, url)
    t.match(printed.err, expected, url)
  }
  const sqlite = await type(['sweep', '--store', 'sqlite:sessions.db'], { cwd })
  isClear(t, sqlite, 'sqlite')
  const hasOwn = process.getBuiltinModule('node:sqlite') !== undefined
  t.match(sqlite.err, hasOwn ? /no such table/ : /needs the package better-sqlite3, .*npm install better-sqlite3\n/)
})

t.test('a driver that is there and does not load is not called missing', async (t) => {
  const broken = projectWith(t, { pg: 'throw new Error("built for another Node\\nsecond line")' })
  const printed = await type(['sweep', '--store', 'postgres://127.0.0.1/x'], { cwd: broken })
  isClear(t, printed, 'throws')
  t.match(printed.err, 'The package pg does not load: built for another Node\n')
  const incomplete = projectWith(t, { pg: 'require("pg-pool-of-nobody")' })
  const second = await type(['sweep', '--store', 'postgres://127.0.0.1/x'], { cwd: incomplete })
  isClear(t, second, 'misses something')
  t.match(second.err, /The package pg does not load: .*pg-pool-of-nobody/)
})

t.test('a server that is not there is a clear line, and soon', async (t) => {
  const port = await deadPort()
  const urls = [`redis://:${PASSWORD}@127.0.0.1:${port}`, `postgres://u:${PASSWORD}@localhost:${port}/x`]
  for (const [name, argv] of Object.entries(COMMANDS)) {
    for (const url of urls) {
      const printed = await type([...argv, '--store', url])
      isClear(t, printed, `${name} ${url}`)
      t.match(printed.err, new RegExp(`^The store at .*:${port} cannot be used: .*ECONNREFUSED`), name)
    }
  }
  const ioredis = projectWith(t, 'ioredis')
  const printed = await type(['sweep', '--store', `redis://:${PASSWORD}@127.0.0.1:${port}`], { cwd: ioredis })
  isClear(t, printed, 'ioredis')
})

t.test('a server that says no, or nothing, is a clear line too', async (t) => {
  const redis = await startRedis(t, { requirepass: 'another' })
  const postgres = await startPostgres(t)
  const place = `127.0.0.1:${redis.port}`
  const refused = await type(['sweep', '--store', `redis://:${PASSWORD}@${place}`])
  isClear(t, refused, 'a wrong password')
  t.match(refused.err, /WRONGPASS|invalid/)
  isClear(
    t,
    await type(['sweep', '--store', `postgres://guard:${PASSWORD}@127.0.0.1:${postgres.port}/none`]),
    'no database',
  )
  const noTable = await type(['sweep', '--store', postgres.url])
  isClear(t, noTable, 'no table')
  t.match(noTable.err, 'relation "sessions" does not exist')

  redis.pause()
  postgres.pause()
  try {
    const paused = await Promise.all([
      type(['sessions', '--user', 'ann', '--store', `redis://:another@${place}`]),
      type(['sessions', '--user', 'ann', '--store', `redis://:another@${place}`], {
        cwd: projectWith(t, 'ioredis'),
      }),
      type(['sessions', '--user', 'ann', '--store', postgres.url]),
    ])
    for (const printed of paused) {
      isClear(t, printed, 'a server that stands still')
      t.match(printed.err, /127\.0\.0\.1:\d+ cannot be used: /)
    }
  } finally {
    redis.resume()
    postgres.resume()
  }
})

t.test('a server that speaks no TLS is a clear line', async (t) => {
  const redis = await startRedis(t)
  const printed = await type(['sweep', '--store', `rediss://:${PASSWORD}@127.0.0.1:${redis.port}`])
  isClear(t, printed, 'Redis')
  t.match(printed.err, 'does not answer: it may not speak TLS')
  const postgres = await startPostgres(t)
  const second = await type(['sweep', '--store', `${postgres.url}?sslmode=verify-full`])
  isClear(t, second, 'PostgreSQL')
  t.match(second.err, 'does not support SSL connections')
})

t.test('a file that is no database is a clear line', async (t) => {
  const cwd = projectWith(t, 'better-sqlite3')
  writeFileSync(join(cwd, 'text.db'), 'This is not a database. '.repeat(100))
  writeFileSync(join(cwd, 'empty.db'), '')
  const printed = await type(['sweep', '--store', 'sqlite:text.db'], { cwd })
  isClear(t, printed, 'text')
  t.match(printed.err, /text\.db cannot be used: .*not a database/)
  isClear(t, await type(['sweep', '--store', 'sqlite:empty.db'], { cwd }), 'empty')
  const folder = await type(['sweep', '--store', 'sqlite:.'], { cwd })
  isClear(t, folder, 'a folder')
  t.equal(folder.err, '. is no file.\n')
  const beyond = await type(['sweep', '--store', 'sqlite:text.db/x.db'], { cwd })
  isClear(t, beyond, 'a file in a file')
})

t.test('every command explains itself', async (t) => {
  for (const name of [...Object.keys(COMMANDS), 'schema']) {
    for (const flag of ['--help', '-h']) {
      const { code, out, err } = await type([name, flag])
      t.equal(code, 0)
      t.match(out, `Usage: fastify-session-guard ${name}`)
      t.match(out, '--store')
      t.equal(err, '')
    }
  }
})
