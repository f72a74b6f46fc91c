import { parseArgs } from 'node:util'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import type { Counterexample } from './explore.ts'
import { explore, pairs, replay, sample, sweep, titleOf, triples } from './explore.ts'
import type { Scene } from './world.ts'
import { KINDS } from './world.ts'

const HELP = `npm run interleavings -- [options]

  --only TEXT      only scenes whose title holds this text
  --kind NAME      shared, guest, devices, cached, bound or registered; several with commas. Default: all
  --triples        triples of acts instead of pairs
  --faults N       store operations that may time out in one run. Default 1
  --most N         runs of one scene after which the rest is sampled. Default 20000
  --samples N      runs drawn by chance for each scene that was not finished. Default 200
  --seed N         the seed of what is drawn. Default 1
  --first          stops at the first counterexample
  --replay TEXT    one run, as a counterexample names it in its first line
`

function refuse(error: unknown): never {
  console.error(`${error instanceof Error ? error.message : String(error)}\n\n${HELP}`)
  process.exit(2)
}

function read(): ReturnType<typeof parse> {
  try {
    return parse()
  } catch (error) {
    return refuse(error)
  }
}

function parse() {
  return parseArgs({
    options: {
      only: { type: 'string', default: '' },
      kind: { type: 'string', default: KINDS.join() },
      triples: { type: 'boolean', default: false },
      faults: { type: 'string', default: '1' },
      most: { type: 'string', default: '20000' },
      samples: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      replay: { type: 'string' },
      first: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values
}

function countOf(name: 'faults' | 'most' | 'samples' | 'seed'): number {
  const count = Number(values[name])
  return Number.isSafeInteger(count) && count >= 0 ? count : refuse(`--${name} takes a whole number`)
}

function report(counterexample: Counterexample | undefined): void {
  if (counterexample === undefined) return
  console.log([...counterexample.problems, counterexample.trace, ''].join('\n'))
  process.exitCode = 1
}

async function search(scenes: readonly Scene[]): Promise<void> {
  const draw = random(countOf('seed'))
  const limits = { faults: countOf('faults'), most: countOf('most') }
  const samples = countOf('samples')
  const total = { scenes: 0, finished: 0, runs: 0, interleavings: 0n, crashes: 0, broken: 0 }
  for (const scene of scenes) {
    const { runs, interleavings, isComplete, crashes, counterexample } = await explore(scene, limits)
    const further = async (): Promise<Counterexample | undefined> =>
      (await sweep(scene)) ?? (await sample(scene, samples, draw, !values.triples))
    const found = counterexample ?? (isComplete ? undefined : await further())
    const bound = isComplete
      ? 'all'
      : `bounded, each interruption of one act, and ${samples} drawn with seed ${values.seed}`
    console.log(`${titleOf(scene)}: ${runs} runs for ${interleavings} interleavings (${bound}), ${crashes} crashes`)
    report(found)
    if (values.first && found !== undefined) return
    total.scenes += 1
    total.finished += isComplete ? 1 : 0
    total.runs += runs
    total.interleavings += interleavings
    total.crashes += crashes
    total.broken += found === undefined ? 0 : 1
  }
  console.log(
    `${total.scenes} scenes, ${total.finished} of them without a bound: ${total.runs} runs for ` +
      `${total.interleavings} interleavings, ${total.crashes} crashes, ${total.broken} scenes with a broken guarantee`,
  )
}

ownChance()
const values = read()
if (values.help) console.log(HELP)
else if (values.replay !== undefined) {
  const { problems, trace } = await replay(values.replay).catch(refuse)
  console.log([...problems, trace].join('\n'))
} else {
  const kinds = values.kind
    .split(',')
    .map((name) => KINDS.find((kind) => kind === name) ?? refuse(`--kind is one of ${KINDS.join()}`))
  const scenes = kinds.flatMap((kind) => (values.triples ? triples(kind) : pairs(kind)))
  const wanted = scenes.filter((scene) => titleOf(scene).includes(values.only))
  if (wanted.length === 0) refuse('no scene fits --kind and --only')
  await search(wanted)
}
