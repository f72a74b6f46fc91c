import { mkdir, writeFile } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import type { Series } from './compare.ts'
import { compare } from './compare.ts'
import { chartOf } from './chart.ts'
import { machine } from './machine.ts'
import type { BenchmarkOptions } from './options.ts'
import { readOptions, USAGE } from './options.ts'
import { stopAll } from './server-process.ts'
import { rowsOf, tableOf } from './table.ts'
import { targetsOf } from './targets.ts'

const LEGEND = `- "per second" counts iterations: one request, or a login and a logout. The median of the rounds.
- "spread" is how far the middle half of the rounds lies apart, as a share of the median.
- "÷ cookie" and "÷ tuned" compare with Fastify + @fastify/cookie and with @fastify/session tuned (\`rolling: false, saveUninitialized: false\`): the median of the ratios, round by round.
- "CPU µs" is the processor time of the server process per iteration, all threads, and "÷ cookie by CPU" the same comparison in that currency, which neither the load generator nor other work on the machine can flatter.
- "busy" is the share of the time in which the server's event loop worked. Well below 100 %, the load generator was the limit and the server could do more.`

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  process.once(signal, () => void stopAll().finally(() => process.exit(130)))
}

try {
  const [first, ...rest] = process.argv.slice(2)
  // This mode alone needs its own servers.
  if (first === 'stores') await (await import('./stores/main.ts')).benchmarkStores(rest)
  else await main(readOptions(process.argv.slice(2)))
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 1
} finally {
  await stopAll()
}

async function main(options: BenchmarkOptions): Promise<void> {
  if (options.mode === 'help') return console.log(USAGE)
  // Each mode brings only what it needs; growth and profile reach into the plugin.
  if (options.mode === 'growth') return (await import('./growth.ts')).growth(options, say)
  if (options.mode === 'profile') return (await import('./profile.ts')).profile(options)
  return compareAll(options)
}

async function compareAll(options: BenchmarkOptions): Promise<void> {
  if (options.before !== undefined) process.env.BENCHMARK_BEFORE = resolve(options.before)
  const all: Series[] = []
  for (const scenario of options.scenarios) all.push(...(await compare(scenario, options, say)))
  const rows = rowsOf(all)
  const text = [
    '# Results',
    `${machine()}. Servers in processes of their own, ${options.connections} connections over loopback, the median of ${options.rounds} rounds; a round measures every server once.`,
    tableOf(rows),
    LEGEND,
    targetsOf(all),
  ]
    .filter((part) => part !== '')
    .join('\n\n')
  console.log(text)
  if (options.out === undefined) return
  await mkdir(options.out, { recursive: true })
  await writeFile(join(options.out, 'results.md'), `${text}\n`)
  await writeFile(join(options.out, 'results.svg'), chartOf(rows))
}

function say(line: string): void {
  console.error(line)
}
