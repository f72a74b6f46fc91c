import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker } from 'node:worker_threads'
import { random } from '../support/every-order.ts'
import type { Searched } from '../support/scheduler.ts'
import { ownChance } from './chance.ts'
import { pairs, replay, titleOf, triples } from './explore.ts'
import type { Limits, SearchedScene, SearchWork } from './search-scenes.ts'
import { KINDS } from './kinds.ts'
import type { StoryKind } from './stories/search-stories.ts'
import { replayStory, STORIES } from './stories/search-stories.ts'
import { playInThreads } from './stories/threads.ts'

const HELP = `npm run interleavings -- [options]

  --only TEXT      only scenes whose title holds this text
  --kind NAME      ${KINDS.join(', ')}; several with commas. Default: all
  --triples        triples of acts instead of pairs
  --stories N      N stories instead of pairs
  --overlaps N     N stories that end with two steps at once, instead of pairs
  --most N         runs of one scene without a time-out, after which the rest is sampled. Default 20000
  --faults N       store operations that may time out in one run. Default 1
  --most-failing N runs of one scene with time-outs, after which the rest is sampled. Default 20000
  --samples N      runs drawn by chance for each scene that was not finished. Default 200
  --seed N         the seed of what is drawn. Default 1
  --first          stops at the first counterexample, and plays few runs of every scene before it plays more
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
      stories: { type: 'string' },
      overlaps: { type: 'string' },
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

function countOf(name: 'faults' | 'most' | 'most-failing' | 'samples' | 'seed' | StoryKind): number {
  const count = Number(values[name])
  return Number.isSafeInteger(count) && count >= 0 ? count : refuse(`--${name} takes a whole number`)
}

/** The numbers of some scenes. */
const total = { scenes: 0, finished: 0, whole: 0, runs: 0, interleavings: 0n, crashes: 0, broken: 0 }

/** Searches scenes in threads, each of which has a part of them. Prints each scene as it is done. */
async function search(titles: readonly string[], limits: Limits): Promise<void> {
  const threads = Math.min(availableParallelism(), titles.length)
  const workers = Array.from({ length: threads }, (_none, place) => {
    const part = titles.filter((_title, at) => at % threads === place)
    const work: SearchWork = { titles: part, isTriples: values.triples, ...limits }
    return new Worker(new URL('search-scenes.js', import.meta.url), { workerData: work })
  })
  const stop = async (): Promise<void> => void (await Promise.all(workers.map((worker) => worker.terminate())))
  for (const worker of workers) {
    worker.on('message', (searched: SearchedScene) => {
      add(searched)
      if (values.first && searched.counterexample !== undefined) void stop()
    })
  }
  await Promise.all(workers.map((worker) => once(worker, 'exit')))
}

function add({ title, plain, timed, isWhole, counterexample }: SearchedScene): void {
  // With `--first` few runs of every scene come before more of each, and only what is found is of interest.
  if (!values.first) {
    const rest = isWhole
      ? ''
      : `; then each interruption of one act, and ${values.samples} drawn with seed ${values.seed}`
    const timeouts = timed === undefined ? '' : `; with time-outs ${sizeOf(timed)}`
    console.log(`${title}: ${sizeOf(plain)}, ${plain.crashes} crashes${timeouts}${rest}`)
  }
  if (counterexample !== undefined) {
    console.log([...counterexample.problems, counterexample.trace, ''].join('\n'))
    process.exitCode = 1
  }
  total.scenes += 1
  total.finished += plain.isComplete ? 1 : 0
  total.whole += isWhole ? 1 : 0
  total.runs += plain.runs + (timed?.runs ?? 0)
  total.interleavings += plain.interleavings
  total.crashes += plain.crashes
  total.broken += counterexample === undefined ? 0 : 1
}

/** The stories that are told before each round of a search that stops at the first counterexample. */
const BETWEEN: readonly Readonly<Partial<Record<StoryKind, number>>>[] = [
  { stories: 20_000, overlaps: 8000 },
  {},
  {},
  { stories: 10_000, overlaps: 10_000 },
  {},
  { stories: 60_000, overlaps: 20_000 },
  {},
  { stories: 60_000, overlaps: 25_000 },
  { stories: 100_000, overlaps: 37_000 },
]

/** Pairs of which one act only reads. They are few, so that all their time-outs can come early. */
const OF_ONE = /^\w+: (?:read × [^×]+|[^×]+ × read)$/

/** The share of the scenes in which clients who come later are asked early. They find what concerns every session. */
const FEW = 0.1

/** The bounds of one round of a search, and its scenes. */
interface Round extends Pick<Limits, 'most' | 'failing' | 'samples' | 'crashRuns' | 'isBrief'> {
  readonly scenes: 'all' | 'few' | 'of one act'
}

/** Returns the scenes of a round. */
function taken(titles: readonly string[], { scenes }: Round): readonly string[] {
  if (scenes === 'few') return titles.slice(0, Math.ceil(FEW * titles.length))
  return scenes === 'all' ? titles : titles.filter((title) => OF_ONE.test(title))
}

/** Returns the items in another order, by the seed. */
function shuffled<Item>(items: readonly Item[]): Item[] {
  const draw = random(countOf('seed'))
  return items
    .map((item) => ({ item, rank: draw() }))
    .toSorted((one, other) => one.rank - other.rank)
    .map(({ item }) => item)
}

/** Plays stories. Tells whether one of them went otherwise than the guides say. */
async function tellStories(kind: StoryKind, seed: number, count: number): Promise<boolean> {
  const { bad } = await playInThreads(kind, seed, count)
  if (bad === undefined) return false
  console.log([bad.problem, bad.trace, ''].join('\n'))
  process.exitCode = 1
  return true
}

/** Searches with few runs of each scene first, if the first counterexample is enough. */
async function searchInRounds(titles: readonly string[]): Promise<void> {
  const { most, failing, samples, ...rest } = limitsOf()
  // Clients who come later cost most. Stories know them too.
  const first: Round = { most: 1, failing: 0, samples: 0, crashRuns: 0, isBrief: true, scenes: 'all' }
  const early: readonly Round[] = [
    first,
    { ...first, isBrief: false, scenes: 'few' },
    { ...first, failing: 60, scenes: 'of one act' },
    { ...first, most: 400 },
    { ...first, crashRuns: 1 },
    { ...first, failing: 10, samples: 2 },
    { ...first, isBrief: false },
    { ...first, most: 40, crashRuns: 1, isBrief: false },
  ]
  const rounds = early.filter((round) => values.first && round.most <= most)
  // A fault shows in scenes of many kinds, so that it is found sooner if kinds are mixed.
  const order = values.first ? shuffled(titles) : titles
  const last: Round = { most, failing, samples, crashRuns: Infinity, isBrief: false, scenes: 'all' }
  const isOfAll = values.kind === KINDS.join() && values.only === ''
  for (const [place, round] of [...rounds, last].entries()) {
    const between = values.first && isOfAll ? BETWEEN[place] : undefined
    for (const kind of STORIES) {
      const count = between?.[kind] ?? 0
      if (count > 0 && (await tellStories(kind, countOf('seed') * 100 + place, count))) return
    }
    Object.assign(total, { scenes: 0, finished: 0, whole: 0, runs: 0, interleavings: 0n, crashes: 0 })
    await search(taken(order, round), { ...rest, ...round })
    if (values.first && total.broken > 0) return
  }
  console.log(
    `${total.scenes} scenes, ${total.finished} of them without a bound, and ${total.whole} with time-outs too: ` +
      `${total.runs} runs, ${total.interleavings} interleavings without a time-out, ${total.crashes} crashes, ` +
      `${total.broken} scenes with a broken guarantee`,
  )
}

function limitsOf(): Omit<Limits, 'crashRuns' | 'isBrief'> {
  const [most, failing, samples] = [countOf('most'), countOf('most-failing'), countOf('samples')]
  return { most, failing, samples, faults: countOf('faults'), seed: countOf('seed') }
}

function sizeOf({ runs, interleavings, isComplete }: Searched): string {
  return `${runs} runs for ${interleavings} interleavings (${isComplete ? 'all' : 'bounded'})`
}

ownChance()
const values = read()
const told = STORIES.find((kind) => values[kind] !== undefined)
const replayed = STORIES.find((kind) => values.replay?.startsWith(`${kind} @ `))
if (values.help) console.log(HELP)
else if (told !== undefined) {
  const count = countOf(told) || refuse(`--${told} takes a whole number from 1`)
  if (!(await tellStories(told, countOf('seed'), count))) console.log(`${count} ${told} went as the guides say`)
} else if (replayed !== undefined) {
  const bad = await replayStory(replayed, values.replay?.slice(replayed.length + 3) ?? '').catch(refuse)
  console.log(bad === undefined ? 'the story goes as the guides say' : `${bad.problem}\n${bad.trace}`)
} else if (values.replay !== undefined) {
  const { problems, trace } = await replay(values.replay).catch(refuse)
  console.log([...problems, trace].join('\n'))
} else {
  const kinds = values.kind
    .split(',')
    .map((name) => KINDS.find((kind) => kind === name) ?? refuse(`--kind is one of ${KINDS.join()}`))
  const scenes = kinds.flatMap((kind) => (values.triples ? triples(kind) : pairs(kind)))
  const wanted = scenes.map(titleOf).filter((title) => title.includes(values.only))
  if (wanted.length === 0) refuse('no scene fits --kind and --only')
  await searchInRounds(wanted)
}
