import t from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import { attackBothWays } from '../support/attack-suites.ts'
import { nodeRedisCached } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'

t.setTimeout(900_000)
const server = await startRedis(t, { appendonly: 'no' })
const { client, close } = await nodeRedisCached.connect(server.port)
t.teardown(close)

attackBothWays(t, (_t, clock) => redisStore({ client, clock }), 4)
