import { randomBytes } from 'node:crypto'
import { join } from 'node:path'
import { fileURLToPath, pathToFileURL } from 'node:url'
import t from 'tap'
import type { Test } from 'tap'
import { startGuard, startSecureSession } from '../../benchmarks/gauntlet/apps/fastify-apps.ts'
import type { Outcome } from '../../benchmarks/gauntlet/case.ts'
import { runCase } from '../../benchmarks/gauntlet/case.ts'
import { CASES } from '../../benchmarks/gauntlet/cases.ts'
import { Client } from '../../benchmarks/gauntlet/client.ts'
import type { Peer } from '../../benchmarks/gauntlet/peers.ts'
import { PEERS } from '../../benchmarks/gauntlet/peers.ts'
import type { Runnable } from '../../benchmarks/gauntlet/processes.ts'
import { AppProcess, endAll, nodeApp } from '../../benchmarks/gauntlet/processes.ts'
import type { Start } from '../../benchmarks/gauntlet/setting.ts'
import { compiled } from '../support/compiled.ts'
import { startRedis } from '../support/servers/redis.ts'
import * as brokenLogins from './broken-logins.ts'

const APPS = fileURLToPath(new URL('../../benchmarks/gauntlet/apps/', import.meta.url))
const BROKEN = fileURLToPath(new URL('broken-logins.ts', import.meta.url))

const OURS = { ...peerNamed('fastify-session-guard'), ...compiledApp(startGuard, join(APPS, 'fastify-apps.ts')) }
const DURING = 'Restart during a login'
const OUTLIVES = 'Session outlives a restart'

t.setTimeout(300_000)
t.teardown(endAll)

function peerNamed(name: string): Peer {
  const peer = PEERS.find((one) => one.name === name)
  if (peer === undefined) throw new Error(`no peer is named ${name}`)
  return peer
}

/** Returns express-session with a login that is wrong. */
function broken(start: Start): Peer {
  return { ...peerNamed('express-session'), ...compiledApp(start, BROKEN) }
}

function compiledApp(start: Start, file: string): Runnable {
  return nodeApp(start, pathToFileURL(compiled(file)))
}

/** Returns @fastify/secure-session with another key after each start. */
function forgetful(): Peer {
  const app = compiledApp(startSecureSession, join(APPS, 'fastify-apps.ts'))
  const secret = (): string => randomBytes(32).toString('base64url')
  return { ...peerNamed('@fastify/secure-session'), launch: (setting) => app.launch({ ...setting, secret: secret() }) }
}

async function outcomeOf(t: Test, name: string, peer: Peer): Promise<Outcome> {
  const one = CASES.find((each) => each.name === name)
  if (one === undefined) throw new Error(`no case is named ${name}`)
  const { url: redis } = await startRedis(t)
  const app = await AppProcess.start(peer, redis)
  const outcome = await runCase(one, { peer, outage: { isDown: false }, redis, browser: () => new Client(app.url) })
  await app.end()
  return outcome
}

t.test('a process that ends at any instant of a login hands no session over and locks nobody out', async (t) => {
  const { mark, seen } = await outcomeOf(t, DURING, OURS)
  t.equal(mark, 'holds', seen)
  t.ok(Number(/^\d+/.exec(seen)?.[0]) >= 10, `each store operation of a login was cut: ${seen}`)
})

t.test('a session in Redis outlives the process', async (t) => {
  t.strictSame(await outcomeOf(t, OUTLIVES, OURS), { mark: 'holds', seen: 'there, from Redis' })
})

t.test('the gauntlet sees a login that keeps the id from before', async (t) => {
  const { mark, seen } = await outcomeOf(t, DURING, broken(brokenLogins.startWithKeptId))
  t.equal(mark, 'loses')
  t.match(seen, /the cookie from before is alice/)
})

t.test(
  'the gauntlet sees a user in a session whose id is not yet renewed, which a login without a cut hides',
  async (t) => {
    const peer = broken(brokenLogins.startWithLateId)
    t.equal((await outcomeOf(t, 'Fixation', peer)).mark, 'holds')
    const { mark, seen } = await outcomeOf(t, DURING, peer)
    t.equal(mark, 'loses')
    t.match(seen, /the cookie from before the login is alice/)
  },
)

t.test('the gauntlet sees a lock that a cut login leaves behind', async (t) => {
  const { mark, seen } = await outcomeOf(t, DURING, broken(brokenLogins.startWithLock))
  t.equal(mark, 'loses')
  t.match(seen, /a login afterwards gets a 500/)
})

t.test('the gauntlet sees sessions that end with the process', async (t) => {
  const peer = forgetful()
  const during = await outcomeOf(t, DURING, peer)
  t.equal(during.mark, 'loses')
  t.match(during.seen, /the login was answered, and the browser is nobody/)
  const after = await outcomeOf(t, OUTLIVES, peer)
  t.equal(after.mark, 'loses')
  t.match(after.seen, /gone/)
})
