import { parseArgs } from 'node:util'
import { random } from '../support/every-order.ts'
import { ownChance } from './chance.ts'
import type { Counterexample, Explored } from './explore.ts'
import { explore, pairs, replay, sample, sweep, titleOf, triples } from './explore.ts'
import type { Scene } from './world.ts'
import { KINDS } from './kinds.ts'

const HELP = `npm run interleavings -- [options]

  --only TEXT      only scenes whose title holds this text
  --kind NAME      ${KINDS.join(', ')}; several with commas. Default: all
  --triples        triples of acts instead of pairs
  --most N         runs of one scene without a time-out, after which the rest is sampled. Default 20000
  --faults N       store operations that may time out in one run. Default 1
  --most-failing N runs of one scene with time-outs, after which the rest is sampled. Default 20000
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
      'most-failing': { type: 'string', default: '20000' },
      samples: { type: 'string', default: '200' },
      seed: { type: 'string', default: '1' },
      replay: { type: 'string' },
      first: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }).values
}

function countOf(name: 'faults' | 'most' | 'most-failing' | 'samples' | 'seed'): number {
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
  const [most, failing, samples] = [countOf('most'), countOf('most-failing'), countOf('samples')]
  const faults = countOf('faults')
  const total = { scenes: 0, finished: 0, whole: 0, runs: 0, interleavings: 0n, crashes: 0, broken: 0 }
  for (const scene of scenes) {
    const plain = await explore(scene, { faults: 0, most })
    const timed = faults === 0 ? plain : await explore(scene, { faults, most: failing }, 0)
    const isWhole = plain.isComplete && timed.isComplete
    const further = async (): Promise<Counterexample | undefined> =>
      (await sweep(scene)) ?? (await sample(scene, { runs: samples, random: draw, dies: !values.triples }))
    const found = plain.counterexample ?? timed.counterexample ?? (isWhole ? undefined : await further())
    const rest = isWhole ? '' : `; then each interruption of one act, and ${samples} drawn with seed ${values.seed}`
    console.log(
      `${titleOf(scene)}: ${sizeOf(plain)}, ${plain.crashes} crashes` +
        `${faults === 0 ? '' : `; with time-outs ${sizeOf(timed)}`}${rest}`,
    )
    report(found)
    if (values.first && found !== undefined) return
    total.scenes += 1
    total.finished += plain.isComplete ? 1 : 0
    total.whole += isWhole ? 1 : 0
    total.runs += plain.runs + (faults === 0 ? 0 : timed.runs)
    total.interleavings += plain.interleavings
    total.crashes += plain.crashes
    total.broken += found === undefined ? 0 : 1
  }
  console.log(
    `${total.scenes} scenes, ${total.finished} of them without a bound, and ${total.whole} with time-outs too: ` +
      `${total.runs} runs, ${total.interleavings} interleavings without a time-out, ${total.crashes} crashes, ` +
      `${total.broken} scenes with a broken guarantee`,
  )
}

function sizeOf({ runs, interleavings, isComplete }: Explored): string {
  return `${runs} runs for ${interleavings} interleavings (${isComplete ? 'all' : 'bounded'})`
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
