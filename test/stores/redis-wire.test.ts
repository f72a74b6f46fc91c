import { EventEmitter } from 'node:events'
import { Cluster, Redis } from 'ioredis'
import { createClient, createClientPool, createCluster, createSentinel, RESP_TYPES } from 'redis'
import type { Test } from 'tap'
import t from 'tap'
import { encodeRecord } from '../../lib/stores/codec.ts'
import type { NodeRedisClient, RedisClient } from '../../lib/stores/redis.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, IDLE, nextOf, recordAt } from '../../lib/testing/contract/check.ts'
import { ioRedis6, nodeRedis6, redisDrivers } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'
import { logIn, smallApp } from '../support/small-app.ts'

const server = await startRedis(t, { appendonly: 'no' })
const { client, close } = await nodeRedis6.connect(server.port)
t.teardown(close)
const store = redisStore({ client })

/** Returns how often clients called each command since the last call. Commands that a script runs do not count. */
function commandsSent(): Record<string, number> {
  const stats = [...server.cli('info', 'commandstats').matchAll(/^cmdstat_(\S+):calls=(\d+)/gm)]
  server.cli('config', 'resetstat')
  const asked = stats.map(([, name = '', calls]) => [name, Number(calls)] as const)
  return Object.fromEntries(asked.filter(([name]) => ['get', 'evalsha', 'eval'].includes(name)))
}

function pttl(key: string): number {
  return Number(server.cli('pttl', key))
}

t.test('a read is one GET, and everything else one script', async (t) => {
  const record = recordAt(Date.now())
  const userId = freshName()
  const seen = { lastSeenAt: Date.now(), idleDeadline: Date.now() + IDLE }
  const operations: Record<string, () => Promise<unknown>> = {
    create: () => store.create(record),
    update: () => store.update(nextOf(record, {}), 7),
    touch: () => store.touch(record.handle, 8, seen),
    addToIndex: () => store.addToIndex(userId, 'a', Date.now() + IDLE, 1),
    keepInIndex: () => store.keepInIndex(userId, 'a', Date.now() + IDLE),
    listIndex: () => store.listIndex(userId),
    removeFromIndex: () => store.removeFromIndex(userId, 'a'),
    delete: () => store.delete(record.handle),
  }
  for (const operation of Object.values(operations)) await operation()
  for (const [name, operation] of Object.entries(operations)) {
    commandsSent()
    await operation()
    t.equal(commandsSent()['evalsha'], 1, name)
  }
  await store.create(record)
  for (const handle of [record.handle, freshName()]) {
    commandsSent()
    await store.get(handle)
    t.strictSame(commandsSent(), { get: 1 })
  }
})

t.test('a request that only reads is one GET, and one without a session asks nothing', async (t) => {
  const app = await smallApp({ store })
  t.teardown(() => app.close())
  const cookie = await logIn(app, freshName())
  const ask = async (url: string, headers: Record<string, string>): Promise<number> => {
    commandsSent()
    await app.inject({ url, headers })
    const { get = 0, ...others } = commandsSent()
    t.strictSame(others, {})
    return get
  }
  // The process also asks for the cutoff, twice a second, beside the requests.
  const fewest = async (url: string, headers: Record<string, string>): Promise<number> =>
    Math.min(await ask(url, headers), await ask(url, headers), await ask(url, headers))
  t.equal(await fewest('/me', { cookie }), 1)
  t.equal(await fewest('/me', {}), 0)
  t.equal(await fewest('/free', { cookie }), 0)
})

for (const driver of redisDrivers) {
  t.test(`a server that has lost its scripts is told them again by ${driver.name}`, async (t) => {
    const connected = await driver.connect(server.port)
    t.teardown(connected.close)
    const own = redisStore({ client: connected.client })
    const record = recordAt(Date.now())
    server.cli('script', 'flush')
    commandsSent()
    t.equal(await own.create(record), true)
    t.match(commandsSent(), { evalsha: 1, eval: 1 })
    t.equal(await own.create(record), false)
    t.strictSame(commandsSent()['eval'], undefined)
    server.cli('script', 'flush')
    t.strictSame(await Promise.all(Array.from({ length: 10 }, () => own.delete(record.handle, 7))), [
      true,
      ...Array.from({ length: 9 }, () => false),
    ])
  })
}

t.test('the server itself removes a record at its deadline, and an index after its last entry', async (t) => {
  const record = recordAt(Date.now())
  const key = `session:s:${record.handle}`
  const isAbout = (life: number): boolean =>
    t.ok(life > 0 && pttl(key) <= life && pttl(key) > life - 10_000, String(pttl(key)))
  await store.create(record)
  isAbout(IDLE)
  await store.touch(record.handle, 7, { lastSeenAt: Date.now(), idleDeadline: Date.now() + 2 * IDLE })
  isAbout(2 * IDLE)
  await store.touch(record.handle, 7, { lastSeenAt: Date.now(), idleDeadline: Date.now() + IDLE })
  isAbout(2 * IDLE)
  await store.update({ ...nextOf(record, {}), idleDeadline: Date.now() + IDLE / 2 }, 7)
  isAbout(IDLE / 2)

  const userId = freshName()
  await store.addToIndex(userId, 'a', Date.now() + 2 * IDLE)
  await store.addToIndex(userId, 'b', Date.now() + IDLE)
  await store.keepInIndex(userId, 'b', Date.now() + IDLE / 2)
  t.ok(pttl(`session:u:${userId}`) > IDLE && pttl(`session:u:${userId}`) <= 2 * IDLE)
  await store.keepInIndex(userId, 'b', Date.now() + 3 * IDLE)
  t.ok(pttl(`session:u:${userId}`) > 2 * IDLE)
  await store.removeFromIndex(userId, 'a')
  await store.removeFromIndex(userId, 'b')
  t.equal(server.cli('exists', `session:u:${userId}`), '0')

  const brief = recordAt(Date.now(), { idleDeadline: Date.now() + 20 })
  await store.create(brief)
  while (server.cli('exists', `session:s:${brief.handle}`) === '1');
  t.pass('gone without anybody asking for it')
})

t.test('keys are told apart by prefix, and hold no name that is not plain', async (t) => {
  const one = redisStore({ client, prefix: 'one:' })
  const two = redisStore({ client, prefix: '{two}:' })
  const record = recordAt(Date.now())
  await one.create(record)
  t.equal(await two.get(record.handle), undefined)
  t.equal(await two.create(record), true)
  await one.addToIndex('ann@example.com', record.handle, Date.now() + IDLE)
  await one.addToIndex('*?[a] \n', record.handle, Date.now() + IDLE)
  const [named, hashed] = server.cli('--scan', '--pattern', 'one:u:*').split('\n').toSorted().toReversed()
  t.equal(named, 'one:u:ann@example.com')
  t.match(hashed, /^one:u:#[\w-]{43}$/)
  t.equal(server.cli('exists', `{two}:s:${record.handle}`), '1')
})

t.test('a value that is not the whole of its record is damaged', async (t) => {
  const record = recordAt(Date.now())
  const { handle, lastSeenAt, idleDeadline } = record
  const key = `session:s:${handle}`
  const head = `7 ${lastSeenAt} ${idleDeadline} w`
  const damages: Record<string, string> = {
    nothing: '',
    'no head': encodeRecord(record),
    'a head without a record': head,
    'a head and a line break': `${head}\n`,
    'half a record': `${head}\n${encodeRecord(record).slice(0, 300)}`,
    'a deadline that is no number': `7 ${lastSeenAt} soon w\n${encodeRecord(record)}`,
    'an instant that is no number': `7 then ${idleDeadline} w\n${encodeRecord(record)}`,
    'another version than its head says': `8 ${lastSeenAt} ${idleDeadline} w\n${encodeRecord(record)}`,
    "another session's record": `${head}\n${encodeRecord({ ...record, handle: 'other' })}`,
    'data that reaches for a prototype': `${head}\n${encodeRecord({ ...record, data: '{"__proto__":{}}' })}`,
  }
  const heard: string[] = []
  const reports = { onDamaged: (name: string) => void heard.push(name) }
  const seen = { lastSeenAt: Date.now(), idleDeadline: Date.now() + IDLE }
  const find = async (name: string): Promise<void> => {
    t.equal(await store.get(handle, reports), undefined, name)
    t.strictSame(heard.splice(0), [handle], name)
  }
  for (const [name, value] of Object.entries(damages)) {
    server.cli('set', key, value)
    await find(name)
    t.type(await store.touch(handle, 7, seen), 'boolean')
    t.equal(await store.delete(handle, 6), false, name)
    await store.delete(handle)
    t.equal(server.cli('exists', key), '0', name)
  }
  server.cli('rpush', key, 'a')
  await find('no string at all')
  server.cli('del', key)
  server.cli('set', key, 'broken')
  t.equal(await store.create(record), true, 'its handle is free')
})

t.test('a write that the driver sends again after a lost answer is the same write', async (t) => {
  const twice = (real: NodeRedisClient): NodeRedisClient => ({
    get: (key) => real.get(key),
    eval: (lua, options) => real.eval(lua, options),
    evalSha: async (sha, options) => {
      await real.evalSha(sha, options)
      return real.evalSha(sha, options)
    },
  })
  const resending = redisStore({ client: twice(client as NodeRedisClient) })
  const record = recordAt(Date.now())
  t.equal(await resending.create(record), true)
  t.equal(await resending.update(nextOf(record, {}), 7), true)
  t.strictSame(await resending.get(record.handle), nextOf(record, {}))
  t.equal(await resending.create(record), false, 'another create is another write')
  t.equal(await resending.update(nextOf(record, {}), 7), false, 'and another update')
  t.equal(await redisStore({ client }).update(nextOf(record, {}), 7), false)
  t.equal(await resending.touch(record.handle, 8, { lastSeenAt: Date.now(), idleDeadline: Date.now() + IDLE }), true)
  t.equal(await resending.addToIndex(freshName(), 'a', Date.now() + IDLE, 1), true)
})

t.test('a client that answers with buffers, or puts a prefix before each key, works as well', async (t) => {
  const binary = createClient({
    socket: { host: '127.0.0.1', port: server.port },
    commandOptions: { typeMapping: { [RESP_TYPES.BLOB_STRING]: Buffer } },
  })
  await binary.connect()
  const pool = createClientPool({ socket: { host: '127.0.0.1', port: server.port } })
  await pool.connect()
  const prefixed = new Redis(server.port, '127.0.0.1', { keyPrefix: 'p:' })
  t.teardown(() => (binary.destroy(), pool.destroy(), prefixed.disconnect()))
  for (const one of [binary, pool, prefixed] as RedisClient[]) {
    const own = redisStore({ client: one })
    const record = recordAt(Date.now())
    t.equal(await own.create(record), true)
    t.strictSame(await own.get(record.handle), record)
    t.equal(await own.update(nextOf(record, { text: 'ü' }), 7), true)
    t.strictSame(await own.get(record.handle), nextOf(record, { text: 'ü' }))
    t.strictSame(await own.getMany([record.handle]), [nextOf(record, { text: 'ü' })])
    await own.addToIndex('ann', record.handle, record.idleDeadline)
    t.match(await own.listIndex('ann'), [{ handle: record.handle, expiresAt: record.idleDeadline }])
    await own.removeFromIndex('ann', record.handle)
  }
})

t.test('an index of thousands is listed whole, in steps between which the server serves others', async (t) => {
  const expiresAt = Date.now() + IDLE
  const handles = Array.from({ length: 2_500 }, freshName)
  const members = handles.flatMap((handle) => [expiresAt, handle])
  const user = freshName()
  server.cli('zadd', `session:u:${user}`, ...members)
  server.cli('config', 'resetstat')
  const entries = await store.listIndex(user)
  t.strictSame(new Set(entries.map(({ handle }) => handle)), new Set(handles))
  t.ok(entries.every((entry) => entry.expiresAt === expiresAt))
  t.notOk(/^cmdstat_zrange:/m.test(server.cli('info', 'commandstats')), 'nothing lists all of it in one go')
})

t.test('an index whose steps miss an entry, as when a slot of a Cluster moves, is listed at once', async (t) => {
  const handles = Array.from({ length: 1_500 }, freshName)
  const user = freshName()
  server.cli('zadd', `session:u:${user}`, ...handles.flatMap((handle) => [Date.now() + IDLE, handle]))
  const forgetful = Object.assign(Object.create(client) as NodeRedisClient, {
    async evalSha(...[sha, command]: Parameters<NodeRedisClient['evalSha']>) {
      const answer = await (client as NodeRedisClient).evalSha(sha, command)
      const isStep = command.arguments.length === 2
      return isStep ? String(answer).split(' ').slice(0, -2).join(' ') : answer
    },
  })
  const entries = await redisStore({ client: forgetful }).listIndex(user)
  t.strictSame(new Set(entries.map(({ handle }) => handle)), new Set(handles))
})

t.test('a value that is no client of either driver is refused', async (t) => {
  const nothing = (): void => undefined
  for (const wrong of [undefined, null, 'redis://x', {}, { get: nothing }, { evalsha: nothing, eval: nothing }]) {
    t.throws(() => redisStore({ client: wrong as never }), { name: 'TypeError', message: /node-redis.*ioredis/ })
  }
})

t.test('a client that nobody listens to cannot end the process; one with a listener is left alone', async (t) => {
  const methods = { get: () => undefined, eval: () => undefined, evalsha: () => undefined }
  const alone = Object.assign(new EventEmitter(), methods)
  redisStore({ client: alone as never })
  alone.emit('error', new Error('lost'))
  t.equal(alone.listenerCount('error'), 1)
  redisStore({ client: alone as never })
  t.equal(alone.listenerCount('error'), 1)
  redisStore({ client: methods as never })
})

t.test('an error of the server reaches the caller as it is', async (t) => {
  const { client: other, close: end } = await ioRedis6.connect(server.port)
  const own = redisStore({ client: other })
  server.cli('set', 'session:u:eve', 'no set')
  await t.rejects(own.addToIndex('eve', 'a', Date.now() + IDLE), /WRONGTYPE/)
  await end()
  await t.rejects(own.get('a'), Error)
  await t.rejects(own.delete('a'), Error)
  const broken = { get: () => undefined, eval: () => undefined, evalsha: async () => Promise.reject('NOSCRIPT') }
  await t.rejects(redisStore({ client: broken as never }).delete('a'), 'NOSCRIPT')
})

t.test('a store says where its connections go, as far as its client does', async (t) => {
  const hostsOf = (one: object): unknown => redisStore({ client: one as RedisClient }).connections
  const ended = (t: Test, ...clients: { disconnect(): void }[]): void =>
    t.teardown(() => clients.forEach((one) => one.disconnect()))
  t.strictSame(hostsOf(createClient()), [{ host: 'localhost', encrypted: false }])
  t.strictSame(hostsOf(createClient({ url: 'redis://u:p@r.example:7000/1' })), [
    { host: 'r.example', encrypted: false },
  ])
  t.strictSame(hostsOf(createClient({ url: 'rediss://r.example' })), [{ host: 'r.example', encrypted: true }])
  t.strictSame(hostsOf(createClient({ socket: { path: '/run/r.sock', tls: false } })), [
    { host: '/run/r.sock', encrypted: false },
  ])
  const rootNodes = [
    { url: 'redis://a.example:1' },
    { url: 'rediss://b.example' },
    { socket: { host: 'c.example', port: 2 } },
  ]
  t.strictSame(hostsOf(createCluster({ rootNodes })), [
    { host: 'a.example', encrypted: false },
    { host: 'b.example', encrypted: true },
    { host: 'c.example', encrypted: false },
  ])
  t.strictSame(hostsOf(createCluster({ rootNodes, defaults: { socket: { tls: true } } })), [
    { host: 'a.example', encrypted: true },
    { host: 'b.example', encrypted: true },
    { host: 'c.example', encrypted: true },
  ])
  t.strictSame(hostsOf(createClientPool()), [])
  t.strictSame(hostsOf(createSentinel({ name: 'm', sentinelRootNodes: [{ host: 'a', port: 1 }] })), [])

  const lazyConnect = true
  const single = new Redis({ host: 'r.example', lazyConnect })
  const tls = new Redis('rediss://r.example', { lazyConnect })
  const unix = new Redis('/run/r.sock', { lazyConnect })
  const sentinel = new Redis({ sentinels: [{ host: 'a', port: 1 }], name: 'm', lazyConnect })
  const cluster = new Cluster([{ host: 'a.example', port: 1 }, 'rediss://b.example:2', 6380], { lazyConnect })
  const secure = new Cluster([{ host: 'a.example', port: 1 }], { lazyConnect, redisOptions: { tls: {} } })
  ended(t, single, tls, unix, sentinel, cluster, secure)
  t.strictSame(hostsOf(single), [{ host: 'r.example', encrypted: false }])
  t.strictSame(hostsOf(tls), [{ host: 'r.example', encrypted: true }])
  t.strictSame(hostsOf(unix), [{ host: '/run/r.sock', encrypted: false }])
  t.strictSame(hostsOf(sentinel), [])
  t.strictSame(hostsOf(cluster), [
    { host: 'a.example', encrypted: false },
    { host: 'b.example', encrypted: true },
    { host: 'localhost', encrypted: false },
  ])
  t.strictSame(hostsOf(secure), [{ host: 'a.example', encrypted: true }])
})
