import { parseArgs } from 'node:util'

/** The rooms whose tests are measured. */
const ROOMS = ['session', 'connections', 'http', 'storage', 'stores', 'guard'] as const

export const USAGE = `npm run mutants -- [options]

  --room <name>     only this room of lib (repeatable): ${ROOMS.join(', ')}
  --files <path>    only files whose path contains this text (repeatable)
  --tests <path>    only test files whose path contains this text (repeatable)
  --sample <count>  so many mutants, drawn at random
  --seed <number>   draws the same sample again
  --jobs <count>    test files at the same time (2)
  --again           runs the mutants again that survived the last run; killed ones are remembered anyway
  --anew            forgets all results
  --report          runs nothing, and writes the report of what is known
  --root <folder>   another project
  --out <folder>    where to write mutants.md (benchmarks, for whole rooms; otherwise nowhere)

Results are kept in benchmarks/mutants/fates.json until the mutated file changes.
`

/** The run that the command line asks for. */
export interface MutantOptions {
  readonly rooms: readonly string[]
  readonly files: readonly string[]
  readonly tests: readonly string[]
  readonly sample: number | undefined
  readonly seed: number
  readonly jobs: number
  readonly isAgain: boolean
  readonly isAnew: boolean
  readonly isReport: boolean
  readonly root: string
  readonly out: string | undefined
  readonly isHelp: boolean
}

/** Reads the command line; throws on what it does not know. */
export function readOptions(args: string[], root: string): MutantOptions {
  const { values } = parseArgs({
    args,
    options: {
      room: { type: 'string', multiple: true },
      files: { type: 'string', multiple: true, default: [] },
      tests: { type: 'string', multiple: true, default: [] },
      sample: { type: 'string' },
      seed: { type: 'string' },
      jobs: { type: 'string', default: process.env['TAP_JOBS'] ?? '2' },
      again: { type: 'boolean', default: false },
      anew: { type: 'boolean', default: false },
      report: { type: 'boolean', default: false },
      root: { type: 'string', default: root },
      out: { type: 'string' },
      help: { type: 'boolean', default: false },
    },
  })
  const isWhole = values.files.length === 0 && values.tests.length === 0
  for (const room of values.room ?? []) {
    if (!ROOMS.some((name) => name === room)) throw new Error(`no room is named ${room}\n\n${USAGE}`)
  }
  return {
    rooms: values.room ?? ROOMS,
    files: values.files,
    tests: values.tests,
    sample: values.sample === undefined ? undefined : count('sample', values.sample),
    seed: values.seed === undefined ? Math.floor(Math.random() * 1e9) : count('seed', values.seed),
    jobs: count('jobs', values.jobs),
    isAgain: values.again,
    isAnew: values.anew,
    isReport: values.report,
    root: values.root,
    out: values.out ?? (isWhole ? 'benchmarks' : undefined),
    isHelp: values.help,
  }
}

function count(name: string, value: string): number {
  if (/^\d+$/.test(value)) return Number(value)
  throw new Error(`--${name} ${value} is not a whole number\n\n${USAGE}`)
}
