import { readFileSync } from 'node:fs'
import { keyOf } from './cache.ts'
import type { Mutant } from './mutate.ts'
import type { Fate } from './run.ts'
import { markdown } from '../table.ts'

/** A mutant and how it ended. */
export interface Judged extends Mutant {
  readonly fate: Fate
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

/** Returns the report: the score of each room and file, and each mutant that survived. */
export function reportOf(all: readonly Judged[], explanations: Explanations, how: string): string {
  const head = ['mutants', 'killed', 'over time', 'survived', 'not reached', 'explained', 'score', 'without explained']
  const rooms = tally(all, explanations, ({ file }) => file.split('/').slice(0, 2).join('/'))
  const files = tally(all, explanations, ({ file }) => file)
  const survivors = all.filter(({ fate }) => !isDead(fate))
  return `# How many faults the tests find

\`npm run mutants\` changes the code in one small place at a time, and runs the tests that reach the place. A change that no test notices is a survivor.
The score is the share of changes that a test noticed. ${how}

${markdown(['room', ...head], rooms, 1)}

${markdown(['file', ...head], files, 1)}

## Survivors

${table(
  ['where', 'code', 'change', 'explanation'],
  survivors.map((mutant) => [
    `${mutant.file}:${mutant.line}`,
    cell(mutant.before),
    mutant.after === '(removed)' ? 'removed' : cell(mutant.after),
    explanations[keyOf(mutant)] ?? (mutant.fate === 'unreached' ? 'no test reaches it' : ''),
  ]),
)}
`
}

/** Long cells make an aligned table unreadable. */
function table(head: string[], cells: string[][]): string {
  return [head, head.map(() => '---'), ...cells].map((line) => `| ${line.join(' | ')} |`).join('\n')
}

function isDead(fate: Fate): boolean {
  return fate === 'killed' || fate === 'timeout'
}

function tally(all: readonly Judged[], explanations: Explanations, groupOf: (mutant: Mutant) => string): string[][] {
  const groups = new Map<string, Judged[]>()
  for (const mutant of all) groups.set(groupOf(mutant), [...(groups.get(groupOf(mutant)) ?? []), mutant])
  return [...groups].map(([name, mutants]) => {
    const count = (fate: Fate): number => mutants.filter((mutant) => mutant.fate === fate).length
    const explained = mutants.filter(
      (mutant) => !isDead(mutant.fate) && explanations[keyOf(mutant)] !== undefined,
    ).length
    const dead = count('killed') + count('timeout')
    const counts = [mutants.length, count('killed'), count('timeout'), count('survived'), count('unreached'), explained]
    return [name, ...counts.map(String), share(dead, mutants.length), share(dead, mutants.length - explained)]
  })
}

function share(part: number, whole: number): string {
  return whole === 0 ? '–' : `${((100 * part) / whole).toFixed(1)} %`
}

function cell(code: string): string {
  return `\`${code.replaceAll('`', "'").replaceAll('|', '\\|')}\``
}
