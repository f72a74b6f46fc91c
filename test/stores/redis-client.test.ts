import { Redis } from 'ioredis'
import t from 'tap'
import { offerOf } from '../../lib/storage/immediate.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { freshName, IDLE, recordAt } from '../../lib/testing/contract/check.ts'
import { testClock } from '../support/clock.ts'
import { ioRedis6, nodeRedis6, redisDrivers } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'

const server = await startRedis(t, { appendonly: 'no' })

/** Returns how often clients sent `MGET` and `GET` since the last call. */
function readsSent(): { mget: number; get: number } {
  const stats = server.cli('info', 'commandstats')
  server.cli('config', 'resetstat')
  const calls = (name: string): number => Number(new RegExp(`^cmdstat_${name}:calls=(\\d+)`, 'm').exec(stats)?.[1] ?? 0)
  return { mget: calls('mget'), get: calls('get') }
}

for (const driver of [nodeRedis6, ioRedis6]) {
  t.test(`a hundred records are read in one question, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    const store = redisStore({ client, prefix: `${freshName()}:` })
    const records = Array.from({ length: 201 }, () => recordAt(Date.now()))
    await Promise.all(records.map((record) => store.create(record)))
    const handles = records.map(({ handle }) => handle)
    for (const [count, mget] of [
      [100, 1],
      [200, 2],
      [201, 3],
    ]) {
      readsSent()
      t.strictSame(await store.getMany(handles.slice(0, count)), records.slice(0, count))
      t.strictSame(readsSent(), { mget, get: 0 })
    }
  })

  t.test(`a read by ${driver.name} that its client cannot make fails with the words of the driver`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    const store = redisStore({ client })
    await close()
    for (const read of [store.get('a'), store.getMany(['a']), store.readCutoff()] as Promise<unknown>[]) {
      await t.rejects(read, { message: /closed|writeable/ })
    }
  })
}

t.test('records that were read before are not parsed again when many are read', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  const store = redisStore({ client, prefix: `${freshName()}:` })
  const records = Array.from({ length: 150 }, () => recordAt(Date.now(), { deviceKey: null }))
  await Promise.all(records.map((record) => store.create(record)))
  const handles = records.map(({ handle }) => handle)
  const known = await Promise.all(handles.map((handle) => store.get(handle)))
  const read = await store.getMany(handles)
  t.equal(read.length, 150)
  t.ok(read.every((record, at) => record === known[at]))
})

for (const driver of redisDrivers) {
  t.test(`a store that has read nothing yet recalls nothing, by ${driver.name}`, async (t) => {
    const { client, close } = await driver.connect(server.port)
    t.teardown(close)
    t.equal(offerOf(redisStore({ client }))?.recall(freshName()), undefined)
  })
}

t.test('a client that tells no number of its listeners is left alone', async (t) => {
  const nothing = (): void => undefined
  const client = { get: nothing, eval: nothing, evalsha: nothing, on: () => t.fail('a listener was added') }
  redisStore({ client: client as never })
})

t.test('an ioredis prefix of bytes is a prefix as its text is', async (t) => {
  const client = new Redis(server.port, '127.0.0.1', { keyPrefix: Buffer.from('b:') as never })
  t.teardown(() => client.disconnect())
  const store = redisStore({ client, prefix: `${freshName()}:` })
  const record = recordAt(Date.now())
  await store.create(record)
  t.strictSame(await store.listAll({ limit: 10 }), { records: [record] })
})

t.test('a store without a client says what to write', async (t) => {
  t.throws(() => redisStore({} as never), {
    message: /^redisStore: client is missing\. Write redisStore\(\{ client \}\)/,
  })
})

t.test('a record is read until its deadline, and may be written after it', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  const clock = testClock()
  const store = redisStore({ client, clock, prefix: `${freshName()}:` })
  const record = recordAt(clock())
  await store.create(record)
  clock.advance(IDLE - 1)
  t.strictSame(await store.get(record.handle), record)
  clock.advance(1)
  t.equal(await store.get(record.handle), undefined)
  for (const idleDeadline of [clock(), clock() - IDLE]) {
    const late = recordAt(clock(), { idleDeadline })
    t.equal(await store.create(late), true)
    t.equal(await store.get(late.handle), undefined)
  }
})

t.test('an index keeps an expired entry for ten minutes, for a process whose clock is behind', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  const clock = testClock()
  const store = redisStore({ client, clock, prefix: `${freshName()}:` })
  const handles = async (): Promise<string[]> => (await store.listIndex('ann')).map(({ handle }) => handle).toSorted()
  await store.addToIndex('ann', 'old', clock() + 1000)
  clock.advance(1000 + 10 * 60_000 - 1)
  await store.addToIndex('ann', 'new', clock() + IDLE)
  t.strictSame(await handles(), ['new', 'old'])
  clock.advance(1)
  await store.addToIndex('ann', 'new', clock() + IDLE)
  t.strictSame(await handles(), ['new'])
})

t.test('a store that was never told a cutoff has the cutoff 0', async (t) => {
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  t.equal(await redisStore({ client, prefix: `${freshName()}:` }).readCutoff(), 0)
})
