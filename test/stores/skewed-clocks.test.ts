import { join } from 'node:path'
import { Pool } from 'pg'
import type { Test } from 'tap'
import t from 'tap'
import { leavingOf } from '../../lib/session/places.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import type { Bench, MakeStore } from '../support/app.ts'
import { boot, handleOf, loginAs, someone } from '../support/app.ts'
import { nodeRedis6 } from '../support/redis-drivers.ts'
import { startPostgres } from '../support/servers/postgres.ts'
import { startRedis } from '../support/servers/redis.ts'
import { betterSqlite, temporaryFolder } from '../support/sqlite.ts'

const MINUTE = 60_000
const HOUR = 60 * MINUTE

/** Milliseconds by which the clock of the revoking process is ahead of the other process's clock. */
const SKEWS = [-24 * HOUR, -2 * MINUTE, -35_000, 35_000, 2 * MINUTE, HOUR, 24 * HOUR]

/** Returns two processes of one app, each with a store and a clock of its own, on one server. */
async function twoProcesses(t: Test, makeStore: MakeStore, skew: number): Promise<{ one: Bench; other: Bench }> {
  const one = await boot(t, makeStore)
  const other = await boot(t, makeStore)
  other.clock.set(one.clock() + skew)
  return { one, other }
}

function skewed(t: Test, makeStore: MakeStore): void {
  for (const skew of SKEWS) {
    const apart = `by a process whose clock is ${skew / 1000} s ahead`

    t.test(`a login that is under way is revoked ${apart}`, async (t) => {
      for (const pause of ['create', 'keepInIndex'] as const) {
        const { one, other } = await twoProcesses(t, makeStore, skew)
        const ann = someone('ann')
        const browser = one.browser()
        const caught = one.gate.hold(pause, { by: 'login' })
        const login = one.gate.as('login', () => browser.visit(loginAs(ann)))
        await caught.arrived
        await other.app.sessions.revokeUser(ann.id)
        caught.release()
        await login
        t.equal((await browser.me()).userId, null, pause)
        t.strictSame(await one.living(), [], 'no record is left')
      }
    })

    t.test(`a session is revoked ${apart}`, async (t) => {
      const { one, other } = await twoProcesses(t, makeStore, skew)
      const ann = someone('ann')
      const browser = await one.loggedIn(ann)
      await other.app.sessions.revokeUser(ann.id)
      t.equal((await browser.me()).userId, null)
      t.equal(await one.record(handleOf(browser.cookie)), undefined)
    })

    t.test(`a session that has expired for a process is never out of reach, looked for ${apart}`, async (t) => {
      for (const look of ['list', 'revoke'] as const) {
        const { one, other } = await twoProcesses(t, makeStore, skew)
        const ann = someone('ann')
        const browser = await one.loggedIn(ann)
        const handle = handleOf(browser.cookie)
        for (const { clock } of [one, other]) clock.advance(30 * MINUTE - 10_000)
        if (look === 'list') await other.app.sessions.list(ann.id)
        else await other.app.sessions.revoke(handle, { userId: ann.id })
        await browser.me()
        await one.app.sessions.revokeUser(ann.id)
        t.equal((await browser.me()).userId, null, look)
      }
    })

    t.test(`a session whose entry a dead process removed is revoked ${apart}`, async (t) => {
      const { one, other } = await twoProcesses(t, makeStore, skew)
      const ann = someone('ann')
      const browser = await one.loggedIn(ann)
      const handle = handleOf(browser.cookie)
      await one.gate.store.addToIndex?.(leavingOf(ann.id), handle, one.clock() + 12 * HOUR)
      await one.gate.store.removeFromIndex?.(ann.id, handle)
      await other.app.sessions.revokeUser(ann.id)
      t.equal((await browser.me()).userId, null)
    })

    t.test(`a list of sessions leaves a login alone that is under way, asked ${apart}`, async (t) => {
      const { one, other } = await twoProcesses(t, makeStore, Math.sign(skew) * Math.min(Math.abs(skew), 2 * MINUTE))
      const ann = someone('ann')
      const browser = one.browser()
      const caught = one.gate.hold('create', { by: 'login' })
      const login = one.gate.as('login', () => browser.visit(loginAs(ann)))
      await caught.arrived
      t.strictSame(await other.app.sessions.list(ann.id), [])
      await other.loggedIn(ann)
      caught.release()
      t.equal((await login).status, 200)
      t.equal((await browser.me()).userId, ann.id)
    })
  }
}

t.test('SQLite', async (t) => {
  const file = join(temporaryFolder(t), 'sessions.db')
  skewed(t, (t, clock) => {
    const database = betterSqlite.open(file)
    t.teardown(() => database.close())
    return sqliteStore({ database, clock })
  })
})

t.test('Redis', async (t) => {
  const server = await startRedis(t, { appendonly: 'no' })
  const { client, close } = await nodeRedis6.connect(server.port)
  t.teardown(close)
  skewed(t, (_t, clock) => redisStore({ client, clock }))
})

t.test('PostgreSQL', async (t) => {
  const pool = new Pool({ connectionString: (await startPostgres(t)).url, connectionTimeoutMillis: 5000 })
  t.teardown(() => pool.end())
  skewed(t, (_t, clock) => postgresStore({ pool, createTable: true, clock, timeout: '60s' }))
})
