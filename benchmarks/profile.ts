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

/**
 * Time by function, the longest self time first, as shares of the time in which the process was not idle.
 * "Total" counts what a function called as well, up to its first `await`.
 */
function topOf(result: Profiler.Profile): string {
  const nodes = new Map(result.nodes.map((node) => [node.id, node]))
  const callers = new Map(result.nodes.flatMap(({ id, children }) => (children ?? []).map((child) => [child, id])))
  const self = new Map<string, number>()
  const total = new Map<string, number>()
  for (const [index, sampled] of (result.samples ?? []).entries()) {
    const time = result.timeDeltas?.[index] ?? 0
    const stack = new Set<string>()
    for (let id: number | undefined = sampled; id !== undefined; id = callers.get(id)) {
      const node = nodes.get(id)
      if (node !== undefined) stack.add(nameOf(node.callFrame))
    }
    const [top = ''] = stack
    self.set(top, (self.get(top) ?? 0) + time)
    if (top !== '(idle)') for (const name of stack) total.set(name, (total.get(name) ?? 0) + time)
  }
  self.delete('(idle)')
  const all = [...self.values()].reduce((sum, time) => sum + time, 0)
  const percent = (time: number): string => `${((time / all) * 100).toFixed(1)} %`
  const cells = [...self]
    .toSorted(([, a], [, b]) => b - a)
    .slice(0, SHOWN)
    .map(([name, time]) => [percent(time), percent(total.get(name) ?? 0), name])
  return markdown(['self', 'total', 'function'], cells, 0)
}

function nameOf({ functionName, url, lineNumber }: Profiler.Profile['nodes'][number]['callFrame']): string {
  const place = url.replace(/^.*\/node_modules\//, '').replace(/^.*\/(dist\/)?(?=(lib|benchmarks)\/)/, '')
  return place === '' ? functionName : `${functionName || '(anonymous)'} ${place}:${lineNumber + 1}`
}
