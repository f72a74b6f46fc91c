import Database from 'better-sqlite3'
import { Redis } from 'ioredis'
import { Client, Pool } from 'pg'
import { createClient } from 'redis'
import t from 'tap'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'

const database = new Database(':memory:')
const pool = new Pool()
const nodeRedis = createClient()
const ioRedis = new Redis({ lazyConnect: true })
t.teardown(() => database.close())
t.teardown(() => pool.end())

const FACTORIES = {
  redisStore: redisStore as (options?: unknown) => unknown,
  postgresStore: postgresStore as (options?: unknown) => unknown,
  sqliteStore: sqliteStore as (options?: unknown) => unknown,
}

type Factory = keyof typeof FACTORIES

function refuses(factory: Factory, options: unknown, message: string): void {
  t.throws(() => FACTORIES[factory](options), { name: 'TypeError', message: `${factory}: ${message}` })
}

/** The option of each factory that takes the driver, and the call to write. */
const RIGHT: Record<Factory, [name: string, text: string]> = {
  redisStore: [
    'client',
    'Write redisStore({ client }) with a client of node-redis (5 or later) or ioredis (5 or later)',
  ],
  postgresStore: ['pool', 'Write postgresStore({ pool }) with a Pool of pg (8.11 or later)'],
  sqliteStore: [
    'database',
    'Write sqliteStore({ database }) with a better-sqlite3 Database or a node:sqlite DatabaseSync',
  ],
}

t.test('a factory of a store without its driver says which driver it takes', async () => {
  for (const [factory, [name, right]] of Object.entries(RIGHT) as [Factory, [string, string]][]) {
    for (const options of [undefined, null, {}, { url: 'redis://localhost' }, { [name]: undefined }, 'a text']) {
      refuses(factory, options, `${name} is missing. ${right}`)
    }
    refuses(factory, { [name]: 'redis://localhost' }, `${name} is a text. ${right}, or openStore(url) for a URL`)
    refuses(factory, { [name]: Promise.resolve(nodeRedis) }, `${name} is a Promise that nobody awaited. ${right}`)
    for (const driver of [Redis, Pool, Database, createClient]) {
      refuses(factory, { [name]: driver }, `${name} is a class or a function. ${right}`)
    }
    for (const other of [null, {}, 5, new Map()]) {
      refuses(factory, { [name]: other }, `${name} is of another kind. ${right}`)
    }
  }
})

t.test('a driver in the place of the options, or in the wrong factory, is named with the right call', async () => {
  const drivers: [driver: object, text: string][] = [
    [nodeRedis, 'a client of node-redis. Write redisStore({ client })'],
    [ioRedis, 'a client of ioredis. Write redisStore({ client })'],
    [pool, 'a pool of pg. Write postgresStore({ pool })'],
    [new Client(), 'a single client of pg, which a store cannot share. Write postgresStore({ pool: new Pool() })'],
    [database, 'a SQLite database. Write sqliteStore({ database })'],
  ]
  for (const [driver, text] of drivers) {
    for (const [factory, [name]] of Object.entries(RIGHT) as [Factory, [string, string]][]) {
      refuses(factory, driver, `this is ${text}`)
      if (!text.endsWith(`${factory}({ ${name} })`)) refuses(factory, { [name]: driver }, `${name} is ${text}`)
    }
  }
})

t.test('a SQLite driver that answers by callback is refused', async () => {
  const byCallback = { exec: () => byCallback, prepare: () => byCallback, all: () => byCallback }
  refuses('sqliteStore', { database: byCallback }, `database answers by callback. ${RIGHT.sqliteStore[1]}`)
})
