import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.ts'
import { Fates } from './fates.ts'
import { Hunt } from './hunt.ts'
import type { MutantOptions } from './options.ts'
import { readOptions, USAGE } from './options.ts'
import { draw, testFiles } from './plan.ts'
import { outdated, readExplanations, reportOf } from './report.ts'

const given = readOptions(process.argv.slice(2), process.cwd())
if (given.isHelp) console.log(USAGE)
else await measure(given)

async function measure(options: MutantOptions): Promise<void> {
  const { rooms, files, root, sample, seed } = options
  const isMutated = (file: string): boolean =>
    rooms.some((room) => file.startsWith(`lib/${room}/`) || file.startsWith(`lib/${room}.`)) &&
    (files.length === 0 || files.some((part) => file.includes(part)))
  // A report leaves alone what another process may be running.
  const target = join(root, options.isReport ? 'dist/mutants-of-report' : 'dist/mutants')
  const { folder, mutants, texts } = build(root, target, isMutated)
  const chosen = sample === undefined ? mutants : draw(mutants, sample, seed)
  console.log(
    `${mutants.length} mutants${sample === undefined ? '' : `, of which ${chosen.length} drawn by --seed ${seed}`}`,
  )

  const fates = new Fates(join(root, 'benchmarks/mutants/fates.json'), mutants, texts, options.isAnew)
  if (!options.isReport) await new Hunt(folder, mutants, chosen, fates, options).run(testFiles(options, chosen))
  const explanations = readExplanations()
  const report = reportOf(mutants, fates, explanations)
  console.log(report)
  for (const name of outdated(mutants, explanations)) console.log(`an explanation that no mutant has any more: ${name}`)
  if (options.out !== undefined) writeFileSync(join(root, options.out, 'mutants.md'), report)
}
