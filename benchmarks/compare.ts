import type { LoadOptions, Measurement } from './load.ts'
import { load } from './load.ts'
import type { Peer } from './peers/peer.ts'
import type { Scenario } from './scenarios/scenario.ts'
import { ServerProcess } from './server-process.ts'
import { Visitor } from './visitor.ts'

/** All measurements of one peer in one scenario, in the order of the rounds. */
export interface Series {
  readonly scenario: Scenario
  readonly peer: Peer
  readonly rounds: readonly Measurement[]
}

/** The peers of a comparison, and its length. */
interface CompareOptions extends LoadOptions {
  readonly peers: readonly Peer[]
  readonly rounds: number
  /** Seconds. */
  readonly warmup: number
}

interface Contender {
  readonly peer: Peer
  readonly server: ServerProcess
  readonly rounds: Measurement[]
}

/**
 * Measures every peer in one scenario. All peers take part in every round, and each round has another order, because
 * other work on the machine then hits all alike. Each server is fresh, checked, and warm before the first round.
 */
export async function compare(
  scenario: Scenario,
  options: CompareOptions,
  say: (line: string) => void,
): Promise<Series[]> {
  const contenders: Contender[] = []
  for (const peer of options.peers) {
    if (peer.only !== undefined && !peer.only.includes(scenario.name)) continue
    if (scenario.peers !== undefined && !scenario.peers.includes(peer.name)) continue
    const server = await ServerProcess.start('peer-server', [peer.name])
    contenders.push({ peer, server, rounds: [] })
    await scenario.check(new Visitor(server.ready.port, peer), peer)
    await run(scenario, { peer, server }, { ...options, duration: options.warmup })
  }
  for (let round = 0; round < options.rounds; round += 1) {
    say(`${scenario.title}: round ${round + 1} of ${options.rounds}`)
    for (const contender of rotated(contenders, round)) {
      contender.rounds.push(await run(scenario, contender, options))
    }
  }
  for (const { peer, server } of contenders) {
    await scenario.check(new Visitor(server.ready.port, peer), peer)
    await server.stop()
  }
  return contenders.map(({ peer, rounds }) => ({ scenario, peer, rounds }))
}

/** Takes one measurement with its own visitors: one per connection, logged in where the scenario needs a login. */
export async function run(
  scenario: Scenario,
  { peer, server }: Pick<Contender, 'peer' | 'server'>,
  options: LoadOptions,
): Promise<Measurement> {
  const visitors = Array.from(
    { length: options.connections },
    (_, index) => new Visitor(server.ready.port, peer, { id: `u${index + 1}` }),
  )
  if (scenario.needsLogin) for (const visitor of visitors) await visitor.send('login')
  return load(
    server,
    visitors.map((visitor) => scenario.requests(visitor)),
    options,
  )
}

function rotated<Item>(items: readonly Item[], by: number): Item[] {
  const start = by % Math.max(1, items.length)
  return [...items.slice(start), ...items.slice(0, start)]
}
