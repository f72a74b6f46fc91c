import Database from 'better-sqlite3'
import { Redis } from 'ioredis'
import { Client, Pool } from 'pg'
import { createClient } from 'redis'
import t from 'tap'
import { expressStore } from '../../lib/stores/express.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'

const database = new Database(':memory:')
const pool = new Pool()
const nodeRedis = createClient()
const ioRedis = new Redis({ lazyConnect: true })
t.teardown(() => database.close())
t.teardown(() => pool.end())

/** The methods of a store for express-session. */
const STORE = { get: () => undefined, set: () => undefined, destroy: () => undefined }

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

t.test('an option that a factory does not read is refused', async (t) => {
  const wrong: [call: () => unknown, message: string][] = [
    [() => redisStore({ client: nodeRedis, prefx: 'shop:' } as never), 'redisStore has no option "prefx"'],
    [() => postgresStore({ pool, tabel: 'x' } as never), 'postgresStore has no option "tabel"'],
    [() => sqliteStore({ database, create: true } as never), 'sqliteStore has no option "create"'],
    [() => memoryStore({ max: 5 } as never), 'memoryStore has no option "max"; known are: maxRecords, clock'],
    [() => memoryStore(5 as never), 'memoryStore: the options are an object with maxRecords, clock'],
    [() => memoryStore(null as never), 'memoryStore: the options are an object with maxRecords, clock'],
    [
      () => expressStore(STORE, { timeuot: '1s' } as never),
      'expressStore has no option "timeuot"; known are: timeout, clock',
    ],
  ]
  for (const [call, message] of wrong) t.throws(call, { name: 'TypeError', message: new RegExp(`^${message}`) })
})

t.test('what is no store for express-session is named', async (t) => {
  class Store {
    readonly name = 'sessions'
  }
  const wrong: [store: unknown, message: string][] = [
    [nodeRedis, 'this is a client of node-redis. Write redisStore({ client })'],
    [ioRedis, 'this is a client of ioredis. Write redisStore({ client })'],
    [pool, 'this is a pool of pg. Write postgresStore({ pool })'],
    [database, 'this is a SQLite database. Write sqliteStore({ database })'],
    [Store, 'the store is a class or a function. Make one of it'],
    [memoryStore(), 'this store needs no adapter. Write store: theStore'],
    [Promise.resolve(STORE), 'the store has no method get'],
    [undefined, 'the store has no method get'],
  ]
  for (const [store, message] of wrong) {
    t.throws(() => expressStore(store as never), { name: 'TypeError', message: `expressStore: ${message}` })
  }
})
