import type { Profiler } from 'node:inspector'
import { run } from './compare.ts'
import type { BenchmarkOptions } from './options.ts'
import { PEERS } from './peers/list.ts'
import { ServerProcess } from './server-process.ts'
import { markdown } from './table.ts'

const SHOWN = 40

/** Prints where one server spends its time in one scenario, once it is warm. */
export async function profile(options: BenchmarkOptions): Promise<void> {
  const peer = PEERS.find(
    ({ name }) => name === (options.peers.length === 1 ? options.peers[0]?.name : 'session-guard'),
  )
  const scenario =
    options.scenarios.length === 1 ? options.scenarios[0] : options.scenarios.find(({ name }) => name === 'user')
  if (peer === undefined || scenario === undefined) return
  const server = await ServerProcess.start('peer-server', [peer.name])
  await run(scenario, { peer, server }, { ...options, duration: options.warmup })
  await server.ask('profile-start')
  const { rate } = await run(scenario, { peer, server }, options)
  const result = await server.ask('profile-stop')
  await server.stop()
  console.log(`${peer.title}, ${scenario.title}: ${Math.round(rate)} per second under the profiler\n`)
  console.log(topOf(result))
}

/** Self time by function, the longest first, as shares of the time in which the process was not idle. */
export function topOf(result: Profiler.Profile): string {
  const times = new Map<string, number>()
  const names = new Map(result.nodes.map(({ id, callFrame }) => [id, nameOf(callFrame)]))
  for (const [index, id] of (result.samples ?? []).entries()) {
    const name = names.get(id) ?? '?'
    times.set(name, (times.get(name) ?? 0) + (result.timeDeltas?.[index] ?? 0))
  }
  times.delete('(idle)')
  const total = [...times.values()].reduce((sum, time) => sum + time, 0)
  const cells = [...times]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, time]) => [`${((time / total) * 100).toFixed(1)} %`, name])
  return markdown(['self', 'function'], cells, 0)
}

function nameOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): string {
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^.*\/(dist\/)?(?=(lib|benchmarks)\/)/, '')
  return place === '' ? functionName : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`
}
