import { mkdir, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Grown } from './growth-server.ts'
import type { Measurement } from './load.ts'
import { load } from './load.ts'
import { machine } from './machine.ts'
import type { BenchmarkOptions } from './options.ts'
import { PEERS } from './peers/list.ts'
import { ServerProcess } from './server-process.ts'
import { median, ratio, spread } from './statistics.ts'
import { integer, markdown, times } from './table.ts'
import { Visitor } from './visitor.ts'

/** The number of requests that each connection repeats, each with the cookie of a session chosen at random. */
const REQUESTS_PER_CONNECTION = 500

interface Size {
  readonly count: number
  readonly server: ServerProcess<Grown>
  readonly rounds: Measurement[]
}

/** Throughput and bytes per session at each size of the memory store, one process per size, in interleaved rounds. */
export async function growth(options: BenchmarkOptions, say: (line: string) => void): Promise<void> {
  const sizes: Size[] = []
  for (const count of options.sizes) {
    say(`filling a store with ${integer(count)} sessions`)
    const sample = String(options.connections * REQUESTS_PER_CONNECTION)
    const server = await ServerProcess.start<Grown>(
      'growth-server',
      [String(count), sample],
      ['--expose-gc', '--max-old-space-size=4096'],
    )
    sizes.push({ count, server, rounds: [] })
  }
  for (const { server } of sizes) await measure(server, { ...options, duration: options.warmup })
  for (let round = 0; round < options.rounds; round += 1) {
    say(`round ${round + 1} of ${options.rounds}`)
    const order = round % 2 === 0 ? sizes : sizes.toReversed()
    for (const { server, rounds } of order) rounds.push(await measure(server, options))
  }
  for (const { server } of sizes) await server.stop()
  const text = `# Growth\n\n${machine()}. Requests read \`req.user\` of sessions chosen at random; the median of ${options.rounds} rounds.\n\n${tableOf(sizes)}\n\n${LEGEND}`
  console.log(text)
  if (options.out === undefined) return
  await mkdir(options.out, { recursive: true })
  await writeFile(join(options.out, 'growth.md'), `${text}\n`)
}

const LEGEND =
  '"Ratio" is to the smallest store, round by round. Bytes are heap after a full garbage collection; "with index" adds the entry by which a user\'s sessions are found, which every login writes.'

async function measure(server: ServerProcess<Grown>, options: BenchmarkOptions): Promise<Measurement> {
  const peer = PEERS.find(({ name }) => name === 'session-guard')
  if (peer === undefined) throw new Error('this plugin is not among the peers')
  const { port, cookies } = server.ready
  const requests = cookies.map((cookie) => new Visitor(port, peer, { cookie: `session=${cookie}` }).request('user'))
  const byConnection = Array.from({ length: options.connections }, (_, connection) =>
    requests.slice(connection * REQUESTS_PER_CONNECTION, (connection + 1) * REQUESTS_PER_CONNECTION),
  )
  const result = await load(server, byConnection, options)
  // The requests of one connection are that many iterations here, not one.
  return { ...result, rate: result.rate * REQUESTS_PER_CONNECTION, cpu: result.cpu / REQUESTS_PER_CONNECTION }
}

function tableOf(sizes: readonly Size[]): string {
  const rates = (size: Size | undefined): number[] => size?.rounds.map(({ rate }) => rate) ?? []
  const cells = sizes.map((size) => [
    integer(size.count),
    integer(median(rates(size))),
    `${(spread(rates(size)) * 100).toFixed(0)} %`,
    times(ratio(rates(size), rates(sizes[0]))),
    median(size.rounds.map(({ cpu }) => cpu)).toFixed(0),
    integer(size.server.ready.recordBytes),
    integer(size.server.ready.indexedBytes),
  ])
  const head = ['sessions', 'per second', 'spread', 'ratio', 'CPU µs', 'bytes per session', 'with index']
  return markdown(head, cells, 0)
}
