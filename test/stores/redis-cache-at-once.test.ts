import { connect, createServer } from 'node:net'
import type { AddressInfo } from 'node:net'
import { createClient, createClientPool, createCluster, RESP_TYPES } from 'redis'
import {
  createClient as createClient5,
  createClientPool as createClientPool5,
  createCluster as createCluster5,
} from 'redis-5'
import type { Test } from 'tap'
import t from 'tap'
import { offerOf } from '../../lib/storage/immediate.ts'
import type { RedisClient, RedisStore } from '../../lib/stores/redis.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { startRedis, startRedisCluster } from '../support/servers/redis.ts'
import { logIn, smallApp } from '../support/small-app.ts'

const server = await startRedis(t, { appendonly: 'no' })
const cluster = await startRedisCluster(t)
const CACHE = { ttl: 0, maxEntries: 0 }

/** The part of a client, of any kind, that the tests need. */
type Client = RedisClient & {
  connect(): Promise<unknown>
  destroy(): unknown
  readonly clientSideCache?: { stats(): { readonly hitCount: number } } | undefined
}

/** A way to make a client that caches what it reads on the server at a port. */
type Kind = (port: number) => Client

function kindsOf(
  create: typeof createClient,
  createPool: typeof createClientPool,
  createMany: typeof createCluster,
): Record<string, Kind> {
  const socket = (port: number) => ({ socket: { host: '127.0.0.1', port }, RESP: 3 as const })
  return {
    client: (port) => create({ ...socket(port), clientSideCache: CACHE }),
    pool: (port) => createPool(socket(port), { minimum: 2, clientSideCache: CACHE }),
    'client that reads Buffers': (port) =>
      create({
        ...socket(port),
        clientSideCache: CACHE,
        commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
      }),
    'client with a prefix': (port) => create({ ...socket(port), keyPrefix: 'app:', clientSideCache: CACHE }),
    cluster: () =>
      createMany({
        rootNodes: cluster.nodes.map((node) => ({ url: node.url })),
        RESP: 3,
        clientSideCache: CACHE,
      }),
  }
}

async function connected(t: Test, client: Client): Promise<Client> {
  await client.connect()
  t.teardown(() => void client.destroy())
  return client
}

/** Returns the record that the store has in memory. */
function now(store: RedisStore, handle: string): unknown {
  return offerOf(store)?.recall(handle)
}

/**
 * Opens a way to the server on which the server's word of a change gets lost, as a late word over another connection.
 */
async function deafRoute(t: Test): Promise<number> {
  const route = createServer((down) => {
    const up = connect(server.port, '127.0.0.1')
    down.pipe(up).on('error', () => down.destroy())
    up.on('data', (chunk) => {
      const text = chunk.toString('latin1').replaceAll(/>2\r\n\$10\r\ninvalidate\r\n\*1\r\n\$\d+\r\n[^\r]*\r\n/g, '')
      down.write(text, 'latin1')
    })
    down.on('error', () => up.destroy()).on('close', () => up.destroy())
  })
  await new Promise<void>((resolve) => route.listen(0, '127.0.0.1', resolve))
  t.teardown(() => void route.close())
  return (route.address() as AddressInfo).port
}

for (const [version, kinds] of Object.entries({
  'node-redis 6': kindsOf(createClient, createClientPool, createCluster),
  // Their types differ where the store does not look.
  'node-redis 5': kindsOf(createClient5 as never, createClientPool5 as never, createCluster5 as never),
})) {
  for (const [kind, make] of Object.entries(kinds)) {
    t.test(`a ${kind} of ${version} answers what it has read at once, and counts it`, async (t) => {
      const client = await connected(t, make(server.port))
      const store = redisStore({ client })
      const record = recordAt(Date.now())
      await store.create(record)
      t.equal(now(store, record.handle), undefined)
      t.strictSame(await store.get(record.handle), record, 'from the server')
      const hits = client.clientSideCache?.stats().hitCount ?? 0
      t.strictSame(now(store, record.handle), record)
      t.equal(client.clientSideCache?.stats().hitCount, hits + 1)
      const nobody = freshName()
      t.equal(await store.get(nobody), undefined)
      t.equal(now(store, nobody), undefined, 'the cache knows that there is no record')
      t.equal(client.clientSideCache?.stats().hitCount, hits + 1)
    })
  }

  for (const kind of ['client', 'pool', 'client with a prefix']) {
    t.test(`a record that this process wrote by a ${kind} of ${version} is never read as it was before`, async (t) => {
      const store = redisStore({ client: await connected(t, kinds[kind]?.(await deafRoute(t)) as Client) })
      const first = recordAt(Date.now())
      const reread = async (): Promise<[now: unknown, then: unknown]> => {
        const found = now(store, first.handle)
        return [found, (await store.get(first.handle))?.version]
      }
      await store.create(first)
      t.strictSame(await reread(), [undefined, 7])
      t.strictSame(await reread(), [first, 7], 'it is in the cache')
      await store.update(nextOf(first, {}), 7)
      t.strictSame(await reread(), [undefined, 8], 'and no longer after an update')
      const seen = { lastSeenAt: Date.now(), idleDeadline: first.idleDeadline + 1 }
      await store.touch(first.handle, 8, seen)
      t.equal(now(store, first.handle), undefined, 'nor after a touch')
      t.match(await store.get(first.handle), seen)
      await store.delete(first.handle)
      t.strictSame(await reread(), [undefined, undefined], 'nor after a deletion')
    })

    t.test(`what asks the server reads no old record from the cache of a ${kind} of ${version}`, async (t) => {
      const elsewhere = redisStore({ client: await connected(t, kinds[kind]?.(server.port) as Client) })
      const store = redisStore({ client: await connected(t, kinds[kind]?.(await deafRoute(t)) as Client) })
      const first = recordAt(Date.now())
      await store.create(first)
      t.strictSame(await store.getMany([first.handle]), [first])
      t.ok(await elsewhere.update(nextOf(first, {}), 7))
      t.match(now(store, first.handle), { version: 7 }, 'nobody has told it')
      t.match(await store.getMany([first.handle]), [{ version: 8 }])
      t.ok(await elsewhere.update(nextOf(nextOf(first, {}), {}), 8))
      t.match(await store.get(first.handle), { version: 9 })
    })

    t.test(`a write that lost makes a ${kind} of ${version} read anew, and not lose again`, async (t) => {
      const elsewhere = redisStore({ client: await connected(t, kinds[kind]?.(server.port) as Client) })
      const store = redisStore({ client: await connected(t, kinds[kind]?.(await deafRoute(t)) as Client) })
      const first = recordAt(Date.now())
      await store.create(first)
      await store.get(first.handle)
      t.ok(await elsewhere.update(nextOf(first, {}), 7))
      t.match(now(store, first.handle), { version: 7 }, 'nobody has told it')
      t.notOk(await store.update(nextOf(first, {}), 7))
      t.equal(now(store, first.handle), undefined)
      t.match(await store.get(first.handle), { version: 8 })
    })
  }
}

t.test('a write whose answer is lost makes the cached record be forgotten too', async (t) => {
  const client = createClient({ url: server.url, RESP: 3, clientSideCache: CACHE })
  await connected(t, client)
  const store = redisStore({ client })
  const record = recordAt(Date.now())
  await store.create(record)
  await store.get(record.handle)
  t.strictSame(now(store, record.handle), record)
  const evalSha = client.evalSha.bind(client)
  const lossy = async (...args: Parameters<typeof evalSha>): Promise<never> => {
    await evalSha(...args)
    throw new Error('the answer was lost')
  }
  Object.assign(client, { evalSha: lossy })
  await t.rejects(store.update(nextOf(record, {}), 7), { message: 'the answer was lost' })
  t.equal(now(store, record.handle), undefined)
})

t.test('a write whose script the server has forgotten makes the cached record be forgotten too', async (t) => {
  const store = redisStore({
    client: await connected(
      t,
      createClient({ socket: { host: '127.0.0.1', port: await deafRoute(t) }, RESP: 3, clientSideCache: CACHE }),
    ),
  })
  const record = recordAt(Date.now())
  await store.create(record)
  await store.get(record.handle)
  server.cli('script', 'flush')
  await store.update(nextOf(record, {}), 7)
  t.equal(now(store, record.handle), undefined)
  t.match(await store.get(record.handle), { version: 8 })
})

t.test("a cache that is not the driver's own is left to the driver", async (t) => {
  const client = await connected(t, createClient({ url: server.url, RESP: 3, clientSideCache: CACHE }))
  const own = client.clientSideCache
  // A cache of the app's own: only the methods that the driver calls are known.
  const { handleCache, invalidate } = own as unknown as Record<string, (...rest: unknown[]) => unknown>
  const foreign = { handleCache: handleCache?.bind(own), invalidate: invalidate?.bind(own) }
  const facade = new Proxy(client, {
    get: (target, key) => {
      if (key === 'clientSideCache') return foreign
      const member = Reflect.get(target, key, target) as unknown
      return typeof member === 'function' ? member.bind(target) : member
    },
  })
  const store = redisStore({ client: facade })
  const app = await smallApp({ store })
  t.teardown(() => app.close())
  t.equal(now(store, 'nobody'), undefined)
  const headers = { cookie: await logIn(app, 'ann') }
  for (let round = 0; round < 3; round += 1) {
    t.match((await app.inject({ url: '/me', headers })).json(), { user: 'ann' })
  }
})

t.test('a cache that fails holds no record: the server is asked, and the failure is not reported', async (t) => {
  const client = createClient({ url: server.url, RESP: 3, clientSideCache: CACHE })
  await connected(t, client)
  const app = await smallApp({ store: redisStore({ client }) })
  t.teardown(() => app.close())
  const headers = { cookie: await logIn(app, 'ann') }
  const fail = (): never => {
    throw new Error('a secret')
  }
  Object.assign(client.clientSideCache ?? {}, { recordHits: fail })
  for (let round = 0; round < 3; round += 1) {
    t.match((await app.inject({ url: '/me', headers })).json(), { user: 'ann' })
  }
  Object.assign(client.clientSideCache ?? {}, { get: fail })
  const answer = await app.inject({ url: '/me', headers })
  t.equal(answer.statusCode, 503)
  t.notMatch(answer.body, /a secret/)
})
