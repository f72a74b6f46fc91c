import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { attackBothWays } from '../support/attack-suites.ts'
import { ioRedis6 } from '../support/redis-drivers.ts'
import { startRedisCluster } from '../support/servers/redis.ts'

t.setTimeout(900_000)
const cluster = await startRedisCluster(t)
const { client, close } = await ioRedis6.connectCluster(cluster.nodes.map((node) => node.port))
t.teardown(close)

attackBothWays(t, (_t, clock) => redisStore({ client, clock }), 5)
