import { EventEmitter, once } from 'node:events'
import t from 'tap'
import { RedisListing } from '../../lib/stores/redis-listing.ts'
import type { RedisNode } from '../../lib/stores/redis-nodes.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, recordAt } from '../../lib/testing/contract/check.ts'
import type { Announcement } from '../../types/index.ts'
import { ioRedis6, nodeRedis6, redisDrivers } from '../support/redis-drivers.ts'
import { startRedis, startRedisCluster } from '../support/servers/redis.ts'

const server = await startRedis(t, { appendonly: 'no' })

t.test('a listing finds the sessions among many keys of other programs, in pages that may be empty', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  server.cli('eval', "for one = 1, 60000 do redis.call('SET', 'other:' .. one, '') end", 0)
  const store = redisStore({ client, prefix: 'few:' })
  const records = [recordAt(Date.now()), recordAt(Date.now())]
  for (const record of records) await store.create(record)
  const found = new Set<string>()
  let after: string | undefined
  let pages = 0
  do {
    const page = await store.listAll({ after, limit: 10 })
    for (const { handle } of page.records) found.add(handle)
    after = page.next
    pages += 1
  } while (after !== undefined)
  t.ok(pages > 1, 'no page looks at everything')
  t.strictSame(found, new Set(records.map(({ handle }) => handle)))
  t.equal(await store.count(), 2)
  server.cli('flushall')
})

t.test('a prefix with the letters of a pattern lists its own sessions only', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  const [record, other] = [recordAt(Date.now()), recordAt(Date.now())]
  const store = redisStore({ client, prefix: 'a[b]*?\\^:' })
  await store.create(record)
  await redisStore({ client, prefix: 'ab:' }).create(other)
  t.strictSame(await store.listAll({ limit: 10 }), { records: [record] })
  server.cli('flushall')
})

t.test('a place that no page gave is refused', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  const store = redisStore({ client })
  for (const after of ['', 'x', '1', '-1@', '0@a b']) {
    await t.rejects(store.listAll({ after, limit: 1 }), { name: 'RangeError', message: /`next` of the page before/ })
  }
})

t.test('a listing whose node has left the cluster goes on with the following node', async (t) => {
  const asked: string[] = []
  const node = (address: string): RedisNode => ({
    address,
    scan: async (cursor) => {
      asked.push(`${address} ${cursor}`)
      return { cursor: '0', keys: [`p:${address}`] }
    },
  })
  const listing = new RedisListing(() => [node('a:1'), node('c:1')], 'p:')
  t.strictSame(await listing.page({ after: '17@b:1', limit: 10 }), { names: ['c:1'] })
  t.strictSame(await listing.page({ after: '17@d:1', limit: 10 }), { names: [] })
  t.strictSame(await listing.page({ after: '17@a:1', limit: 10 }), { names: ['a:1', 'c:1'] })
  t.strictSame(asked, ['c:1 0', 'a:1 17', 'c:1 0'])
})

t.test('a page takes 200 steps at most, and no step once it is full', async (t) => {
  const counts: number[] = []
  const endless = (keys: (step: number) => string[]): RedisListing => {
    const scan: RedisNode['scan'] = async (_cursor, _pattern, count) => {
      counts.push(count)
      return { cursor: '1', keys: keys(counts.length) }
    }
    return new RedisListing(() => [{ address: '', scan }], 'p:')
  }
  const sparse = endless(() => [])
  t.strictSame(await sparse.page({ limit: 10 }), { names: [], next: '1@' })
  t.strictSame(
    counts.splice(0),
    Array.from({ length: 200 }, () => 100),
  )
  t.strictSame(await sparse.page({ limit: 300 }), { names: [], next: '1@' })
  t.strictSame(
    counts.splice(0),
    Array.from({ length: 200 }, () => 300),
  )
  const full = endless((step) => [`p:${step}`])
  t.strictSame(await full.page({ limit: 3 }), { names: ['1', '2', '3'], next: '1@' })
})

t.test('a count looks at a thousand keys in a step, and a page at a hundred', async (t) => {
  const asked: [cursor: string, count: number][] = []
  const scan: RedisNode['scan'] = async (cursor, _pattern, count) => {
    asked.push([cursor, count])
    return { cursor: cursor === '0' ? '17' : '0', keys: [`p:${cursor}`] }
  }
  const listing = new RedisListing(() => [{ address: '', scan }], 'p:')
  t.equal(await listing.count(), 2)
  t.strictSame(asked.splice(0), [
    ['0', 1000],
    ['17', 1000],
  ])
  t.strictSame(await listing.page({ limit: 10 }), { names: ['0', '17'] })
  t.strictSame(asked, [
    ['0', 100],
    ['17', 100],
  ])
})

t.test('a listing that one driver began goes on with the other driver', async (t) => {
  const [one, other] = [await nodeRedis6.connect(server.port), await ioRedis6.connect(server.port)]
  t.teardown(() => Promise.all([one.close(), other.close()]))
  const prefix = `${freshName()}:`
  const byNodeRedis = redisStore({ client: one.client, prefix })
  const byIoRedis = redisStore({ client: other.client, prefix })
  await Promise.all(Array.from({ length: 500 }, () => byIoRedis.create(recordAt(Date.now()))))
  for (const [first, second] of [
    [byNodeRedis, byIoRedis],
    [byIoRedis, byNodeRedis],
  ] as const) {
    const found = new Set<string>()
    let page = await first.listAll({ limit: 100 })
    for (const { handle } of page.records) found.add(handle)
    while (page.next !== undefined) {
      page = await second.listAll({ after: page.next, limit: 100 })
      for (const { handle } of page.records) found.add(handle)
    }
    t.equal(found.size, 500)
  }
  server.cli('flushall')
})

t.test("a driver's own prefix is part of the listed keys and of the channel", async (t) => {
  const { Redis, Cluster } = await import('ioredis')
  const { createClient } = await import('redis')
  const cluster = await startRedisCluster(t)
  const node = createClient({ url: server.url, keyPrefix: 'kp:' })
  await node.connect()
  const io = new Redis(server.port, '127.0.0.1', { keyPrefix: 'kp:' })
  const ports = cluster.nodes.map(({ port }) => ({ host: '127.0.0.1', port }))
  const many = new Cluster(ports, { redisOptions: { keyPrefix: 'kp:' } })
  const bytes = createClient({ url: server.url, keyPrefix: Buffer.from('kp:') })
  await bytes.connect()
  t.teardown(() => {
    node.destroy()
    io.disconnect()
    many.disconnect()
    bytes.destroy()
  })
  for (const client of [node, io, many, bytes]) {
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const record = recordAt(Date.now())
    await store.create(record)
    t.strictSame(await store.listAll({ limit: 10 }), { records: [record] })
    const heard: Announcement[] = []
    const hearing = new EventEmitter()
    const unsubscribe = await store.subscribe((what) => heard.push(what) && hearing.emit('heard'))
    const isHeard = once(hearing, 'heard')
    await store.delete(record.handle)
    await isHeard
    t.strictSame(heard, [{ handle: record.handle }])
    await unsubscribe()
    t.equal(await store.count(), 0)
  }
})

for (const driver of redisDrivers) {
  t.test(`more sessions than one step gives are all listed and counted, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const records = Array.from({ length: 1500 }, () => recordAt(Date.now()))
    await Promise.all(records.map((record) => store.create(record)))
    t.equal(await store.count(), 1500)
    const found = new Set<string>()
    let after: string | undefined
    do {
      const page = await store.listAll({ after, limit: 300 })
      for (const { handle } of page.records) found.add(handle)
      after = page.next
    } while (after !== undefined)
    t.equal(found.size, 1500)
    server.cli('flushall')
  })
}
