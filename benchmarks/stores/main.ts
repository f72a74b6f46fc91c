import { parseArgs } from 'node:util'
import { startPostgres } from '../../test/support/servers/postgres.ts'
import { startRedis } from '../../test/support/servers/redis.ts'
import type { LoadOptions, Measurement } from '../load.ts'
import { load } from '../load.ts'
import { machine } from '../machine.ts'
import { loginLogout } from '../scenarios/login-logout.ts'
import type { Scenario } from '../scenarios/scenario.ts'
import { session } from '../scenarios/session.ts'
import { user } from '../scenarios/user.ts'
import { write } from '../scenarios/write.ts'
import { ServerProcess, stopAll } from '../server-process.ts'
import { median, ratio } from '../statistics.ts'
import { integer, markdown, times } from '../table.ts'
import { Visitor } from '../visitor.ts'
import type { StorePeer } from './peers.ts'
import { STORE_PEERS } from './peers.ts'
import type { Counter } from '../../test/support/round-trips.ts'
import { countPostgres, countRedis } from '../../test/support/round-trips.ts'
import type { StoreSeries } from './targets.ts'
import { storeTargetsOf } from './targets.ts'
import { sweepPostgres, sweepSqlite } from './sweep.ts'

const SCENARIOS = [user, session, write, loginLogout]

const STORES_USAGE = `npm run benchmark -- stores [options]

  --rounds <count>      how often each pair is measured (9)
  --duration <seconds>  how long each measurement takes (1)
  --connections <count> how many visitors at once (20)
  --warmup <seconds>    load before the first measurement of each pair (3)
  --scenario <name>     only this scenario (repeatable): ${SCENARIOS.map(({ name }) => name).join(', ')}
  --server <name>       only this server (repeatable): redis, postgres
  --peer <name>         only this peer (repeatable): ${STORE_PEERS.map(({ name }) => name).join(', ')}
  --sweep               instead: sweeps expired records from SQLite and PostgreSQL
  --rows <count>        with --sweep: so many (1000000)`

/** The longest time that a sweep may hold the event loop, in milliseconds. */
const LONGEST_PAUSE = 50

/** Requests whose round trips are counted, by one visitor, one after the other. */
const COUNTED = 100

interface Contender {
  readonly peer: StorePeer
  readonly server: ServerProcess
  readonly rounds: Measurement[]
  roundTrips: string
}

interface StoreOptions extends LoadOptions {
  readonly rounds: number
  /** Seconds. */
  readonly warmup: number
  readonly scenarios: readonly Scenario[]
  readonly peers: readonly StorePeer[]
}

const ends: (() => Promise<void>)[] = []

/** Measures the stores as `args` say. Resolves once everything it started is gone. */
export async function benchmarkStores(args: string[]): Promise<void> {
  const { values } = parseArgs({
    args,
    options: {
      rounds: { type: 'string', default: '9' },
      duration: { type: 'string', default: '1' },
      connections: { type: 'string', default: '20' },
      warmup: { type: 'string', default: '3' },
      scenario: { type: 'string', multiple: true },
      server: { type: 'string', multiple: true },
      peer: { type: 'string', multiple: true },
      sweep: { type: 'boolean', default: false },
      rows: { type: 'string', default: '1000000' },
      help: { type: 'boolean', default: false },
    },
  })
  if (values.help) return console.log(STORES_USAGE)
  const options = {
    rounds: positive('rounds', values.rounds),
    duration: positive('duration', values.duration),
    connections: positive('connections', values.connections),
    warmup: positive('warmup', values.warmup),
    amount: undefined,
    scenarios: picked(SCENARIOS, ({ name }) => name, values.scenario, 'scenario'),
    peers: picked(
      picked(STORE_PEERS, ({ server }) => server, values.server, 'server'),
      ({ name }) => name,
      values.peer,
      'peer',
    ),
  }
  try {
    await (values.sweep ? sweeps(positive('rows', values.rows)) : compareStores(options))
  } finally {
    await stopAll()
    for (const end of ends) await end()
  }
}

function positive(name: string, value: string): number {
  if (Number(value) > 0) return Number(value)
  throw new Error(`--${name} ${value} is not a positive number\n\n${STORES_USAGE}`)
}

function picked<Item>(
  all: readonly Item[],
  nameOf: (item: Item) => string,
  names: string[] | undefined,
  what: string,
): readonly Item[] {
  const wrong = names?.find((name) => !all.some((item) => nameOf(item) === name))
  if (wrong !== undefined) throw new Error(`no ${what} is named ${wrong}\n\n${STORES_USAGE}`)
  return all.filter((item) => names?.includes(nameOf(item)) ?? true)
}

async function sweeps(rows: number): Promise<void> {
  const results = [await sweepSqlite(rows), await sweepPostgres(rows)]
  const cells = results.map(({ store, perSecond, longestPause, longestIdlePause }) => {
    const verdict = longestPause < LONGEST_PAUSE ? 'yes' : 'no'
    return [store, integer(rows), integer(perSecond), longestPause.toFixed(1), longestIdlePause.toFixed(1), verdict]
  })
  console.log(`${machine()}\n`)
  const head = ['store', 'expired', 'per second', 'longest pause, ms', 'idle, ms', `under ${LONGEST_PAUSE} ms`]
  console.log(markdown(head, cells, 1))
}

async function compareStores(options: StoreOptions): Promise<void> {
  const t = { teardown: (end: () => Promise<void>) => void ends.push(end) }
  // Both run with their defaults, apart from the folder: a write that they acknowledge survives them.
  const redis = await startRedis(t, { appendfsync: 'everysec' })
  const postgres = await startPostgres(t, {
    shared_preload_libraries: 'pg_stat_statements',
    fsync: 'on',
    max_connections: 100,
  })
  const urls = { redis: redis.url, postgres: postgres.url }
  const counters = { redis: await countRedis(redis.url), postgres: await countPostgres(postgres.url) }
  console.log(`${machine()}, ${options.connections} connections, the median of ${options.rounds} rounds\n`)
  const all: StoreSeries[] = []
  for (const scenario of options.scenarios) {
    const contenders: Contender[] = []
    for (const peer of options.peers) {
      const server = await ServerProcess.start('stores/peer-server', [peer.name, urls[peer.server]])
      const contender = {
        peer,
        server,
        rounds: [],
        roundTrips: await roundTrips(scenario, peer, server, counters[peer.server]),
      }
      await measure(scenario, contender, { ...options, duration: options.warmup })
      contenders.push(contender)
    }
    await counters.redis.close()
    for (let round = 0; round < options.rounds; round += 1) {
      const start = round % contenders.length
      for (const contender of [...contenders.slice(start), ...contenders.slice(0, start)]) {
        contender.rounds.push(await measure(scenario, contender, options))
      }
    }
    counters.redis = await countRedis(redis.url)
    await stopAll()
    console.log(`${tableOf(scenario, contenders)}\n`)
    all.push(...contenders.map(({ peer, rounds }) => ({ scenario, peer, rounds })))
  }
  console.log(storeTargetsOf(all))
  await counters.redis.close()
  await counters.postgres.close()
}

async function measure(scenario: Scenario, { peer, server }: Contender, options: LoadOptions): Promise<Measurement> {
  const visitors = Array.from({ length: options.connections }, (_, index) => visitorOf(peer, server, `u${index}`))
  if (scenario.needsLogin) for (const visitor of visitors) await visitor.send('login')
  return load(
    server,
    visitors.map((visitor) => scenario.requests(visitor)),
    options,
  )
}

/** Returns the commands that one iteration sends to the server, as `1 get` or `1 select, 1 update`. */
async function roundTrips(
  scenario: Scenario,
  peer: StorePeer,
  server: ServerProcess,
  counter: Counter,
): Promise<string> {
  const visitor = visitorOf(peer, server, 'counted')
  await visitor.send('login')
  const requests = scenario.requests(visitor)
  const run = (): Promise<Measurement> => load(server, [requests], { duration: 0, amount: COUNTED * requests.length })
  // The first requests make known scripts, statements and tables.
  await run()
  await counter.take()
  await run()
  const counts = [...(await counter.take())].filter(([, count]) => count >= COUNTED / 10)
  return counts.map(([name, count]) => `${Number((count / COUNTED).toFixed(1))} ${name}`).join(', ') || 'none'
}

function visitorOf(peer: StorePeer, server: ServerProcess, id: string): Visitor {
  return new Visitor(server.ready.port, peer, { id })
}

function tableOf(scenario: Scenario, contenders: readonly Contender[]): string {
  const cells = contenders.map((contender) => {
    const peers = contenders.filter(({ peer }) => !peer.isOwn && peer.server === contender.peer.server)
    const against = (rate: (one: Measurement) => number): string =>
      contender.peer.isOwn
        ? peers.map((peer) => times(ratio(contender.rounds.map(rate), peer.rounds.map(rate)))).join(' / ')
        : ''
    return [
      contender.peer.title,
      integer(median(contender.rounds.map(({ rate }) => rate))),
      against(({ rate }) => rate),
      integer(median(contender.rounds.map(({ cpu }) => cpu))),
      against(({ cpu }) => 1 / cpu),
      contender.roundTrips,
    ]
  })
  const head = [scenario.title, 'per second', '÷ each peer', 'CPU µs', '÷ each peer by CPU', 'round trips']
  return markdown(head, cells, 1)
}
