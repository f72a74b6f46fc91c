import { createRequire } from 'node:module'
import { createClient } from 'redis'

const require = createRequire(import.meta.url)

/** Returns the store that the READMEs of express-session and @fastify/session name for production. */
export async function connectRedis(url: string): Promise<object> {
  // The types of the package are those of express-session, which another file declares.
  const { RedisStore } = require('connect-redis') as { RedisStore: new (options: object) => object }
  return new RedisStore({ client: await createClient({ url }).connect() })
}
