import { mkdirSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { createCluster } from 'redis'
import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { startRedis, startRedisCluster } from '../support/servers/redis.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import { addSession } from './stores.ts'
import { PROJECT, type } from './terminal.ts'

const PASSWORD = 'nobody-prints-this'

const cluster = await startRedisCluster(t)
for (const node of cluster.nodes) {
  node.cli('acl', 'setuser', 'ops@home', 'on', `>${PASSWORD}`, '~*', '+@all')
  node.cli('config', 'set', 'requirepass', PASSWORD)
}
const rootNodes = cluster.nodes.map(({ port }) => ({ url: `redis://127.0.0.1:${port}` }))
const client = createCluster({ rootNodes, defaults: { password: PASSWORD } })
await client.connect()
t.teardown(() => client.destroy())
const store = redisStore({ client })

/** Returns a project that has one driver only. */
function projectWith(driver: string): string {
  const cwd = temporaryFolder(t)
  mkdirSync(join(cwd, 'node_modules'))
  symlinkSync(join(PROJECT, 'node_modules', driver), join(cwd, 'node_modules', driver))
  return cwd
}

for (const driver of ['redis', 'ioredis']) {
  t.test(`the URL of any node of a cluster stands for all of it, by ${driver}`, async (t) => {
    const cwd = projectWith(driver)
    const accounts = ['', '', 'ops%40home']
    for (const [index, { port }] of cluster.nodes.entries()) {
      const url = `redis://${accounts[index]}:${PASSWORD}@127.0.0.1:${port}`
      // Their records are on different nodes.
      const sessions = await Promise.all([1, 2, 3, 4].map(() => addSession({ name: '', url, store }, 'ann')))
      const listed = await type(['sessions', '--user', 'ann', '--store', url], { cwd })
      t.equal(listed.code, 0, listed.err)
      for (const { handle } of sessions) t.match(listed.out, handle)
      const revoked = await type(['revoke', '--user', 'ann', '--store', url], { cwd })
      t.strictSame(revoked, { code: 0, out: 'Ended 4 sessions of "ann".\n', err: '' })
    }
  })
}

t.test('an account that may not ask what kind of server it is on is served all the same', async (t) => {
  const single = await startRedis(t)
  single.cli('acl', 'setuser', 'shy', 'on', `>${PASSWORD}`, '~*', '+@all', '-info')
  const url = `redis://shy:${PASSWORD}@127.0.0.1:${single.port}`
  t.match(await type(['sessions', '--user', 'ann', '--store', url]), { code: 0, out: '"ann" has no sessions.' })
})

t.test('a cluster has one database, and the URL of another is refused', async (t) => {
  const url = `redis://:${PASSWORD}@127.0.0.1:${cluster.nodes[0]?.port}/1`
  for (const driver of ['redis', 'ioredis']) {
    const printed = await type(['sessions', '--user', 'ann', '--store', url], { cwd: projectWith(driver) })
    t.match(printed, { code: 2, out: '', err: /cluster/i }, driver)
  }
})
