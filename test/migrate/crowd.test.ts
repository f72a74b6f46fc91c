/**
 * Many live sessions of each library move in at once, under parallel first requests. `VISITORS=10000` makes it the load
 * check, which `npm run benchmark:moves` runs.
 */
import { createRequire } from 'node:module'
import { createClient } from 'redis'
import t from 'tap'
import type { Test } from 'tap'
import { redisStore } from '../../lib/stores/redis.ts'
import type { MakeStore } from '../support/app.ts'
import { nodeRedis6 } from '../support/redis-drivers.ts'
import { startRedis } from '../support/servers/redis.ts'
import type { Visitor } from './new-app.ts'
import { newApp } from './new-app.ts'
import type { OldApp, OldCookies, Store } from './old-apps.ts'
import { expressSessionApp, fastifySessionApp, OLD_APPS } from './old-apps.ts'

const VISITORS = Number(process.env['VISITORS'] ?? 200)

/** The requests with which each visitor comes first, all at once, as a page does. */
const FIRST = 3

/** The visitors that come at the same time. */
const AT_ONCE = 50

t.setTimeout(120_000 + VISITORS * 600)

const require = createRequire(import.meta.url)
// The package has types of its own that do not know the clients of this version.
const { RedisStore } = require('connect-redis') as { RedisStore: new (options: object) => Store }

const server = await startRedis(t, { appendonly: 'no' })
const old = await createClient({ url: server.url }).connect()
const { client, close } = await nodeRedis6.connect(server.port)
t.teardown(async () => {
  old.destroy()
  await close()
})

const onRedis: MakeStore = (_t, clock) => redisStore({ client, clock })

const CROWDS: Readonly<Record<string, (t: Test) => OldApp | Promise<OldApp>>> = {
  ...OLD_APPS,
  'express-session': (t) => expressSessionApp(t, new RedisStore({ client: old, prefix: 'express:' })),
  '@fastify/session': (t) => fastifySessionApp(t, new RedisStore({ client: old, prefix: 'fastify:' })),
}

/** Runs work on each of many, some at a time. */
async function onMany<Item>(items: readonly Item[], work: (item: Item) => Promise<void>): Promise<void> {
  const rest = items.values()
  const takeTurns = async (): Promise<void> => {
    for (const item of rest) await work(item)
  }
  await Promise.all(Array.from({ length: AT_ONCE }, takeTurns))
}

/** A visitor of the crowd: who they are, and the cookies that the old app gave them. */
interface Member {
  readonly user: string
  readonly cookies: OldCookies
}

for (const [library, make] of Object.entries(CROWDS)) {
  t.test(`${VISITORS} live sessions of ${library} move in under load: nobody is logged out or mixed up`, async (t) => {
    const app = await make(t)
    const { bench, visitor } = await newApp(t, app, { makeStore: onRedis, session: { maxRecordSize: 4096 } })
    const members: Member[] = []
    const names = Array.from({ length: VISITORS }, (_, number) => `${library}-${number}`)
    await onMany(names, async (user) => void members.push({ user, cookies: await app.open({ userId: user }) }))
    const wrong: string[] = []
    const moved = new Map<string, Visitor>()
    await onMany(members, async ({ user, cookies }) => {
      const tabs = Array.from({ length: FIRST }, () => visitor(cookies))
      const pages = await Promise.all(tabs.map((tab) => tab.visit()))
      for (const page of pages) if (page.userId !== user) wrong.push(`${user} is ${page.userId} (${page.status})`)
      const [tab] = tabs
      if (tab !== undefined) moved.set(user, tab)
    })
    t.strictSame(wrong.slice(0, 5), [], 'logged out or mixed up by the first requests')
    bench.clock.advance('31s')
    let alive = 0
    await onMany(members, async ({ user, cookies }) => {
      if ((await visitor(cookies).visit()).userId !== null) alive += 1
      if (app.isStored && (await app.read(cookies)) !== undefined) alive += 1
      const page = await moved.get(user)?.visit()
      if (page?.userId !== user) wrong.push(`${user} is ${page?.userId} later`)
    })
    t.equal(alive, 0, 'old ids that still lead to a session')
    t.strictSame(wrong.slice(0, 5), [], 'logged out or mixed up later')
    t.equal(bench.takeEvents('migrate').length, VISITORS)
  })
}

for (const library of ['express-session', '@fastify/session'] as const) {
  t.test(`an app with ${library} is swapped for this plugin while its visitors never stop`, async (t) => {
    const app = (await CROWDS[library]?.(t)) as OldApp
    const { visitor } = await newApp(t, app, { makeStore: onRedis })
    const wrong: string[] = []
    let isSwapped = false
    let served = 0
    const visits = Array.from({ length: 40 }, async (_, number) => {
      const user = `swap-${library}-${number}`
      const cookies = await app.open({ userId: user })
      const ann = visitor(cookies)
      for (let request = 0; request < 12; request += 1) {
        const isNew = isSwapped
        const userId = isNew ? (await ann.visit()).userId : (await app.read(cookies))?.['userId']
        // Users who asked the old app during the swap repeat the question at the new one.
        if (userId !== user && (isNew || !isSwapped)) wrong.push(`${user} is ${String(userId)}`)
        served += 1
        if (served === 200) isSwapped = true
      }
      t.equal((await ann.visit()).userId, user)
    })
    await Promise.all(visits)
    t.strictSame(wrong, [])
    t.ok(isSwapped)
  })
}
