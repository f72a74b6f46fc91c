import { randomBytes } from 'node:crypto'
import { createRequire } from 'node:module'
import { Pool } from 'pg'
import { BasicClientSideCache, createClient } from 'redis'
import type { FastifySessionOptions } from '@fastify/session'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import type { SessionStore } from '../../types/index.ts'
import { startFastifySession } from '../peers/fastify-session.ts'
import type { Peer, Step } from '../peers/peer.ts'
import { listen } from '../peers/peer.ts'
import { guardedApp } from '../peers/session-guard.ts'
import { startExpressOn } from './express.ts'

/** One way to keep sessions in a server, behind the routes of the other benchmarks. */
export interface StorePeer extends Pick<Peer, 'title' | 'setsCookieOn' | 'endsSessions'> {
  readonly name: string
  readonly server: 'redis' | 'postgres'
  /** Tells whether the peer is this plugin. */
  readonly isOwn: boolean
  /** Listens on a free port, its sessions on the server at `url`. */
  start(url: string): Promise<number>
}

/** Loads packages that bring no types, or types that need others. */
const require = createRequire(import.meta.url)

type AnyStore = NonNullable<FastifySessionOptions['store']>

const OWN = { isOwn: true, endsSessions: true, setsCookieOn: ['login', 'logout'] as Step[] }
const FASTIFY = { isOwn: false, endsSessions: true, setsCookieOn: ['write', 'login'] as Step[] }
const SHIPPED = { ...FASTIFY, setsCookieOn: ['anonymous', 'user', 'session', 'write', 'login'] as Step[] }
const TUNED = { rolling: false, saveUninitialized: false }

/** Everything that is measured, this plugin first for each server. */
export const STORE_PEERS: readonly StorePeer[] = [
  {
    ...OWN,
    name: 'guard-redis',
    title: 'fastify-session-guard, node-redis',
    server: 'redis',
    start: async (url) => startGuard(redisStore({ client: await createClient({ url }).connect() })),
  },
  {
    ...OWN,
    name: 'guard-redis-cached',
    title: 'fastify-session-guard, node-redis with client-side cache',
    server: 'redis',
    async start(url) {
      const clientSideCache = new BasicClientSideCache({ ttl: 0, maxEntries: 100_000 })
      return startGuard(redisStore({ client: await createClient({ url, RESP: 3, clientSideCache }).connect() }))
    },
  },
  {
    ...FASTIFY,
    name: 'fastify-connect-redis',
    title: '@fastify/session tuned + connect-redis',
    server: 'redis',
    start: async (url) => startFastifySession({ ...TUNED, store: await connectRedis(url) }),
  },
  {
    ...SHIPPED,
    name: 'fastify-connect-redis-as-shipped',
    title: '@fastify/session as shipped + connect-redis',
    server: 'redis',
    start: async (url) => startFastifySession({ store: await connectRedis(url) }),
  },
  {
    isOwn: false,
    endsSessions: true,
    setsCookieOn: ['login'],
    name: 'express-connect-redis',
    title: 'express-session + connect-redis on Express',
    server: 'redis',
    start: async (url) => startExpressOn(await connectRedis(url)),
  },
  {
    ...OWN,
    name: 'guard-postgres',
    title: 'fastify-session-guard, pg',
    server: 'postgres',
    start: async (url) => startGuard(postgresStore({ pool: new Pool({ connectionString: url }), createTable: true })),
  },
  {
    ...FASTIFY,
    name: 'fastify-connect-pg-simple',
    title: '@fastify/session tuned + connect-pg-simple',
    server: 'postgres',
    start: async (url) => startFastifySession({ ...TUNED, store: connectPostgres(url) }),
  },
  {
    ...SHIPPED,
    name: 'fastify-connect-pg-simple-as-shipped',
    title: '@fastify/session as shipped + connect-pg-simple',
    server: 'postgres',
    start: async (url) => startFastifySession({ store: connectPostgres(url) }),
  },
]

async function startGuard(store: SessionStore): Promise<number> {
  return listen(await guardedApp(randomBytes(32).toString('base64url'), store))
}

async function connectRedis(url: string): Promise<AnyStore> {
  const { RedisStore } = require('connect-redis') as { RedisStore: new (options: object) => AnyStore }
  return new RedisStore({ client: await createClient({ url }).connect() })
}

function connectPostgres(url: string): AnyStore {
  const connect = require('connect-pg-simple') as (session: unknown) => new (options: object) => AnyStore
  const Store = connect(require('express-session'))
  return new Store({ pool: new Pool({ connectionString: url }), createTableIfMissing: true })
}
