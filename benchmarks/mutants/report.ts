import { readFileSync } from 'node:fs'
import type { Fate, Fates } from './fates.ts'
import { keyOf } from './fates.ts'
import type { Mutant } from './mutate.ts'
import { markdown } from '../table.ts'

/** A mutant, and what is known of it. */
interface Judged extends Mutant {
  readonly fate: Fate | undefined
  readonly explanation: string | undefined
}

/** The reasons why surviving mutants are equivalent to the code, by the name of the mutant. */
type Explanations = Readonly<Record<string, string>>

export function readExplanations(): Explanations {
  // The compiled copy of this module stands in dist.
  for (const path of ['./explanations.json', '../../../benchmarks/mutants/explanations.json']) {
    try {
      return JSON.parse(readFileSync(new URL(path, import.meta.url), 'utf8')) as Explanations
    } catch {
      // The next place.
    }
  }
  return {}
}

/** Returns the names of the explanations that no mutant of the files has any more, because the code has changed. */
export function outdated(all: readonly Mutant[], explanations: Explanations): string[] {
  const files = new Set(all.map(({ file }) => file))
  const names = new Set(all.map(keyOf))
  return Object.keys(explanations).filter((name) => files.has(name.split(' | ')[0] ?? '') && !names.has(name))
}

/** Returns the report: the score of each room and file, and each mutant that survived. */
export function reportOf(all: readonly Mutant[], fates: Fates, explanations: Explanations): string {
  const judge = (mutant: Mutant): Judged => ({
    ...mutant,
    fate: fates.get(mutant.id),
    explanation: explanations[keyOf(mutant)],
  })
  const judged = all.map(judge)
  const head = [
    'mutants',
    'not run',
    'in question',
    'killed',
    'over time',
    'survived',
    'not reached',
    'explained',
    'score',
    'with explained',
  ]
  const rooms = tally(judged, ({ file }) => file.split('/').slice(0, 2).join('/'))
  const files = tally(judged, ({ file }) => file)
  const survivors = judged.filter(({ fate }) => fate === 'survived' || fate === 'unreached')
  return `# How many faults the tests find

\`npm run mutants\` changes the code in one small place at a time, and runs the tests that reach the place. A change that no test notices is a survivor.
The score is the share of changes that a test noticed. The last column counts survivors with an explanation, too. What is in question has passed its
first tests and waits for the others, and counts as not noticed until then.

${markdown(['room', ...head], rooms, 1)}

${markdown(
  ['file', 'run on', ...head],
  files.map(([file = '', ...cells]) => [file, fates.dateOf(file), ...cells]),
  2,
)}

## Survivors

${table(
  ['where', 'code', 'change', 'explanation'],
  survivors.map(({ file, line, before, after, fate, explanation }) => [
    `${file}:${line}`,
    cell(before),
    after === '(removed)' ? 'removed' : cell(after),
    explanation ?? (fate === 'unreached' ? 'no test reaches it' : ''),
  ]),
)}
`
}

/** Long cells make an aligned table unreadable. */
function table(head: string[], cells: string[][]): string {
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function tally(all: readonly Judged[], groupOf: (mutant: Mutant) => string): string[][] {
  const groups = new Map<string, Judged[]>()
  for (const mutant of all) groups.set(groupOf(mutant), [...(groups.get(groupOf(mutant)) ?? []), mutant])
  return [...groups].map(([name, mutants]) => {
    const count = (fate: Fate | undefined): number => mutants.filter((mutant) => mutant.fate === fate).length
    const [unknown, open, killed, late, survived, unreached] = [
      count(undefined),
      count('question'),
      count('killed'),
      count('timeout'),
      count('survived'),
      count('unreached'),
    ]
    const explained = mutants.filter(
      ({ fate, explanation }) => (fate === 'survived' || fate === 'unreached') && explanation !== undefined,
    ).length
    const run = mutants.length - unknown
    const counts = [mutants.length, unknown, open, killed, late, survived, unreached, explained]
    return [name, ...counts.map(String), share(killed + late, run), share(killed + late + explained, run)]
  })
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`
}

function cell(code: string): string {
  return `\`${code.replaceAll('`', "'").replaceAll('|', '\\|')}\``
}
