import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import type { OwnStore } from '../../../lib/stores/open.ts'
import { openStore } from '../../../lib/stores/open.ts'
import { recordAt } from '../../../lib/testing/contract/check.ts'
import { makeCertificate } from '../../support/certificate.ts'
import { projectWith } from '../../support/projects.ts'
import type { RedisServer } from '../../support/servers/redis.ts'
import { connectionsLeft, freePorts, startRedis, startRedisCluster } from '../../support/servers/redis.ts'
import { temporaryFolder } from '../../support/sqlite.ts'

const cluster = await startRedisCluster(t)
const [first] = cluster.nodes as [RedisServer, ...RedisServer[]]

/** Checks that a store keeps so many records that each node has some. */
async function keepsRecords(t: Test, store: OwnStore): Promise<void> {
  const records = Array.from({ length: 16 }, () => recordAt(Date.now()))
  for (const record of records) await store.create(record)
  for (const record of records) t.strictSame(await store.get(record.handle), record)
}

for (const driver of ['redis', 'ioredis']) {
  t.test(`a Cluster has no databases but 0, by ${driver}`, async (t) => {
    const message =
      driver === 'redis' ? /SELECT is not allowed in cluster mode/ : /^openStore: a Cluster has no databases but 0\.$/
    await t.rejects(openStore(`${first.url}/1`, { cwd: projectWith(t, driver) }), { message })
    t.equal(await connectionsLeft(first), 0)
    const store = await openStore(`${first.url}/0`, { cwd: projectWith(t, driver) })
    await store.close()
    for (const node of cluster.nodes) t.equal(await connectionsLeft(node), 0)
  })

  t.test(`all nodes of a Cluster are asked with the user of the URL, by ${driver}`, async (t) => {
    for (const node of cluster.nodes) {
      node.cli('acl', 'setuser', 'shop@app', 'on', '>p@ss', '~*', '&*', '+@all')
      node.cli('acl', 'setuser', 'default', 'resetkeys')
      t.teardown(() => void node.cli('acl', 'setuser', 'default', 'allkeys'))
      t.teardown(() => void node.cli('acl', 'deluser', 'shop@app'))
    }
    const store = await openStore(first.url.replace('//', '//shop%40app:p%40ss@'), { cwd: projectWith(t, driver) })
    t.teardown(() => store.close())
    await keepsRecords(t, store)
  })

  t.test(`all nodes of a Cluster are asked with the password of the URL, by ${driver}`, async (t) => {
    for (const node of cluster.nodes) {
      node.cli('config', 'set', 'requirepass', 'p@ss')
      t.teardown(() => void node.cli('-a', 'p@ss', '--no-auth-warning', 'config', 'set', 'requirepass', ''))
    }
    const store = await openStore(first.url.replace('//', '//:p%40ss@'), { cwd: projectWith(t, driver) })
    t.teardown(() => store.close())
    await keepsRecords(t, store)
  })

  t.test(`a Cluster is asked by TLS when the URL says so, by ${driver}`, async (t) => {
    const home = temporaryFolder(t)
    const certificate = makeCertificate()
    for (const part of ['key', 'cert'] as const) writeFileSync(join(home, part), certificate[part])
    const [port = 0] = await freePorts(1)
    const node = await startRedis(t, {
      'cluster-enabled': 'yes',
      'tls-port': port,
      'tls-key-file': join(home, 'key'),
      'tls-cert-file': join(home, 'cert'),
      'tls-ca-cert-file': join(home, 'cert'),
      'tls-auth-clients': 'no',
      'tls-cluster': 'yes',
      'cluster-announce-ip': '127.0.0.1',
    })
    node.cli('cluster', 'addslotsrange', 0, 16_383)
    while (!node.cli('cluster', 'info').includes('cluster_state:ok'));
    const { NODE_TLS_REJECT_UNAUTHORIZED: before } = process.env
    process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = '0'
    t.teardown(() => {
      if (before === undefined) delete process.env['NODE_TLS_REJECT_UNAUTHORIZED']
      else process.env['NODE_TLS_REJECT_UNAUTHORIZED'] = before
    })
    const store = await openStore(`rediss://127.0.0.1:${port}`, { cwd: projectWith(t, driver) })
    t.teardown(() => store.close())
    await keepsRecords(t, store)
  })
}

t.test('a command for a lost node of a Cluster does not wait in a queue of node-redis', async (t) => {
  const broken = await startRedisCluster(t)
  const [{ url }] = broken.nodes as [RedisServer, ...RedisServer[]]
  const store = await openStore(url, { cwd: projectWith(t, 'redis') })
  t.teardown(() => store.close())
  const record = recordAt(Date.now())
  await store.create(record)
  await broken.nodeOf(`session:s:${record.handle}`).kill()
  await t.rejects(store.get(record.handle))
  await t.rejects(store.get(record.handle), { message: /offline/ })
})
