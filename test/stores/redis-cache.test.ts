import { setImmediate as nextTurn } from 'node:timers/promises'
import { createClient } from 'redis'
import { createClient as createClient5 } from 'redis-5'
import type { Test } from 'tap'
import t from 'tap'
import { offerOf } from '../../lib/storage/immediate.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import type { SessionRecord, SessionStore } from '../../types/index.ts'
import { testClock } from '../support/clock.ts'
import { startRedis } from '../support/servers/redis.ts'
import { logIn, smallApp } from '../support/small-app.ts'

const server = await startRedis(t, { appendonly: 'no' })
const plain = createClient({ url: server.url })
await plain.connect()
t.teardown(() => plain.destroy())
/** Another process, as far as the server can tell. */
const elsewhere = redisStore({ client: plain })

function gets(): number {
  const calls = /^cmdstat_get:calls=(\d+)/m.exec(server.cli('info', 'commandstats'))?.[1] ?? '0'
  server.cli('config', 'resetstat')
  return Number(calls)
}

/** Returns a client that keeps what it has read until the server says that it changed. */
async function cachingClient(t: Test, create: typeof createClient, silence?: number) {
  const client = create({
    ...(silence !== undefined && { pingInterval: silence / 2 }),
    RESP: 3,
    clientSideCache: { ttl: 0, maxEntries: 0, evictPolicy: 'LRU' },
    socket: {
      host: '127.0.0.1',
      port: server.port,
      reconnectStrategy: 20,
      ...(silence !== undefined && { socketTimeout: silence }),
    },
    disableOfflineQueue: true,
  }).on('error', () => undefined)
  await client.connect()
  t.teardown(() => client.destroy())
  return client
}

/** Returns the record in the store's memory, by which the store lets a request in. */
function atHand(store: SessionStore, { handle }: SessionRecord): SessionRecord | undefined {
  return offerOf(store)?.recall(handle)
}

for (const [name, create] of [
  ['node-redis 6', createClient],
  // Its types differ where the store does not look.
  ['node-redis 5', createClient5 as never],
] as [string, typeof createClient][]) {
  t.test(`a record that was read once costs no round trip by ${name}`, async (t) => {
    const store = redisStore({ client: await cachingClient(t, create) })
    const app = await smallApp({ store })
    t.teardown(() => app.close())
    const user = freshName()
    const headers = { cookie: await logIn(app, user) }
    await app.inject({ url: '/me', headers })
    gets()
    for (let request = 0; request < 20; request += 1) {
      t.match((await app.inject({ url: '/me', headers })).json(), { user })
    }
    t.equal(gets(), 0)
  })

  t.test(`a process reads its own writes at once by ${name}`, async (t) => {
    const store = redisStore({ client: await cachingClient(t, create) })
    for (let round = 0; round < 200; round += 1) {
      const record = recordAt(Date.now())
      await store.create(record)
      await store.get(record.handle)
      await store.update(nextOf(record, {}), 7)
      const updated = await store.get(record.handle)
      await store.delete(record.handle)
      const deleted = await store.get(record.handle)
      if (updated?.version !== 8 || deleted !== undefined) t.fail(`round ${round}`, { updated, deleted })
    }
  })

  t.test(`a logout elsewhere is seen one message later by ${name}`, async (t) => {
    const store = redisStore({ client: await cachingClient(t, create) })
    const delays: number[] = []
    for (let round = 0; round < 100; round += 1) {
      const record = recordAt(Date.now())
      await store.create(record)
      await store.get(record.handle)
      await elsewhere.delete(record.handle)
      const began = performance.now()
      while (atHand(store, record) !== undefined) await nextTurn()
      delays.push(performance.now() - began)
    }
    delays.sort((a, b) => a - b)
    t.comment(`milliseconds: median ${delays[50]?.toFixed(2)}, longest ${delays.at(-1)?.toFixed(2)}`)
    t.ok((delays[50] ?? Infinity) < 100)
  })

  t.test(`a record in the cache ends at its deadline by ${name}`, async (t) => {
    const clock = testClock()
    const store = redisStore({ client: await cachingClient(t, create), clock })
    const app = await smallApp({ store, clock, idleTimeout: '10m' })
    t.teardown(() => app.close())
    const headers = { cookie: await logIn(app, 'ann') }
    const user = async (): Promise<unknown> =>
      (await app.inject({ url: '/me', headers })).json<{ user: unknown }>().user
    t.equal(await user(), 'ann')
    clock.advance(10 * 60_000 - 1)
    t.equal(await user(), 'ann')
    clock.advance('10m')
    t.equal(await user(), null)
  })

  t.test(`a cached record lets a request in, and decides nothing else, by ${name}`, async (t) => {
    const client = await cachingClient(t, create)
    const store = redisStore({ client })
    const app = await smallApp({ store, maxSessions: 3 })
    t.teardown(() => app.close())
    const user = freshName()
    const cookie = await logIn(app, user)
    const handle = cookie.slice(cookie.indexOf('=') + 1, cookie.indexOf('.'))
    await app.inject({ url: '/me', headers: { cookie } })
    const old = await elsewhere.get(handle)
    if (old === undefined) throw new TypeError('no record')
    // The server's word that another process has changed the record is not heard.
    const cache = client.clientSideCache as unknown as { invalidate(key: string): void }
    const hear = cache.invalidate.bind(cache)
    const forgotten: string[] = []
    cache.invalidate = (key) => {
      // The store itself names a key as text; the server names it as bytes.
      if (typeof key === 'string') forgotten.push(key)
      if (typeof key === 'string') hear(key)
    }
    t.ok(await elsewhere.update(nextOf(old, {}), old.version))
    t.match(atHand(store, old), { version: old.version })
    t.match((await app.sessions.list(user))[0], { handle }, 'a list asks the server')
    t.ok(forgotten.includes(`session:s:${handle}`))
    t.equal(await app.sessions.revokeUser(user), 1)
    t.equal(await elsewhere.get(handle), undefined)
  })

  t.test(
    `a cached record turns nobody away: for an id that is newer than the record the server is asked, by ${name}`,
    async (t) => {
      const clock = testClock()
      const client = await cachingClient(t, create)
      const here = await smallApp({ store: redisStore({ client, clock }), clock })
      const there = await smallApp({ store: redisStore({ client: plain, clock }), clock })
      t.teardown(() => Promise.all([here.close(), there.close()]))
      const planted = await here.inject({ method: 'POST', url: '/note', payload: { note: 'mine' } })
      const anonymous = String(planted.headers['set-cookie']).split(';')[0] ?? ''
      await here.inject({ url: '/me', headers: { cookie: anonymous } })
      clock.advance('1m')
      const user = freshName()
      const cache = client.clientSideCache as unknown as { invalidate(key: string): void }
      const hear = cache.invalidate.bind(cache)
      cache.invalidate = (key) => typeof key === 'string' && hear(key)
      const login = await there.inject({
        method: 'POST',
        url: '/login',
        payload: { user },
        headers: { cookie: anonymous },
      })
      const cookie = String(login.headers['set-cookie']).split(';')[0] ?? ''
      const answer = await here.inject({ url: '/me', headers: { cookie } })
      t.match(answer.json(), { user, note: 'mine' })
      t.equal(answer.headers['set-cookie'], undefined)
    },
  )

  t.test(`a server that has gone silent is not believed for longer than it may be, by ${name}`, async (t) => {
    const store = redisStore({ client: await cachingClient(t, create, 200) })
    const record = recordAt(Date.now())
    await store.create(record)
    await store.get(record.handle)
    server.pause()
    try {
      const began = performance.now()
      // The client gives its old answer until it notices; a revocation meanwhile is not heard.
      while (atHand(store, record) !== undefined) await nextTurn()
      t.ok(performance.now() - began < 5000)
    } finally {
      server.resume()
    }
    const back = async (): Promise<unknown> => store.get(record.handle).catch(() => undefined)
    while ((await back()) === undefined) await nextTurn()
  })

  t.test(`a lost connection empties the cache by ${name}`, async (t) => {
    const client = await cachingClient(t, create)
    const store = redisStore({ client })
    const record = recordAt(Date.now())
    await store.create(record)
    await store.get(record.handle)
    t.ok(atHand(store, record), 'it is in the cache')
    const id = await client.clientId()
    // The message that the record is gone has nobody to reach.
    await Promise.all([
      plain.sendCommand(['CLIENT', 'KILL', 'ID', String(id)]),
      plain.sendCommand(['DEL', `session:s:${record.handle}`]),
    ])
    let last: unknown
    for (let isBack = false; !isBack; await nextTurn()) {
      try {
        if (!client.isReady && atHand(store, record) !== undefined) t.fail('the record is served without a connection')
        last = await store.get(record.handle)
        isBack = client.isReady && (await client.clientId()) !== id
      } catch {
        // Not connected: no answer, and above all not the old one.
      }
    }
    t.equal(last, undefined)
    t.equal(await store.get(record.handle), undefined)
  })
}
