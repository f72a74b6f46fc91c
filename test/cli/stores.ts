import { join } from 'node:path'
import { Pool } from 'pg'
import { createClient } from 'redis'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { recordAt } from '../../lib/testing/contract/check.ts'
import type { Cutoff, SessionRecord, SessionStore, UserIndex } from '../../types/index.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'

/** One of the stores that `--store` can name, as an app has it open. */
interface NamedStore {
  readonly name: string
  readonly url: string
  readonly store: SessionStore & UserIndex & Cutoff
}

type Test = { teardown(end: () => unknown): void }

/** Starts one store of each kind, on real servers. */
export async function namedStores(t: Test): Promise<NamedStore[]> {
  const [redis, postgres] = await Promise.all([startRedis(t), startPostgres(t)])
  const client = await createClient({ url: redis.url }).connect()
  t.teardown(() => client.destroy())
  const pool = new Pool({ connectionString: postgres.url })
  t.teardown(() => pool.end())
  const file = join(temporaryFolder(t), 'sessions.db')
  const database = betterSqlite.open(file)
  t.teardown(() => database.close())
  return [
    { name: 'SQLite', url: `sqlite:${file}`, store: sqliteStore({ database }) },
    { name: 'Redis', url: redis.url, store: redisStore({ client }) },
    { name: 'PostgreSQL', url: postgres.url, store: postgresStore({ pool, createTable: true }) },
  ]
}

/** Returns a session of a user, as a login leaves it. */
export async function addSession(
  { store }: NamedStore,
  userId: string,
  changes: Partial<SessionRecord> = {},
): Promise<SessionRecord> {
  const record = recordAt(Date.now(), { userId, user: JSON.stringify({ id: userId }), ...changes })
  await store.addToIndex(userId, record.handle, record.absoluteDeadline)
  await store.create(record)
  return record
}
