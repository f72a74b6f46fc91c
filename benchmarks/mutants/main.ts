import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { build } from './build.ts'
import { Cache } from './cache.ts'
import { Hunt } from './hunt.ts'
import type { MutantOptions } from './options.ts'
import { readOptions, USAGE } from './options.ts'
import { draw, testFiles } from './plan.ts'
import type { Judged } from './report.ts'
import { readExplanations, reportOf } from './report.ts'

const given = readOptions(process.argv.slice(2), process.cwd())
if (given.isHelp) console.log(USAGE)
else await measure(given)

async function measure(options: MutantOptions): Promise<void> {
  const { rooms, files, root, sample, seed } = options
  const isMutated = (file: string): boolean =>
    rooms.some((room) => file.startsWith(`lib/${room}/`) || file.startsWith(`lib/${room}.`)) &&
    (files.length === 0 || files.some((part) => file.includes(part)))
  const { folder, mutants, texts } = build(root, join(root, 'dist/mutants'), isMutated)
  const chosen = sample === undefined ? mutants : draw(mutants, sample, seed)
  console.log(
    `${mutants.length} mutants${sample === undefined ? '' : `, of which ${chosen.length} drawn by --seed ${seed}`}`,
  )

  const cache = new Cache(join(root, 'node_modules/.cache/mutants/results.json'), mutants, texts, options.isAnew)
  const hunt = new Hunt(folder, mutants, chosen, cache, options)
  await hunt.run(testFiles(options, chosen))

  const judged = chosen
    .map((mutant): Judged => ({ ...mutant, fate: hunt.fateOf(mutant) }))
    .toSorted((a, b) => a.id - b.id)
  const how = [
    `Run on ${new Date().toISOString().slice(0, 10)} with Node ${process.version}.`,
    files.length === 0 ? '' : `Only files with \`${files.join(', ')}\` in their path.`,
    options.tests.length === 0 ? '' : `Only tests with \`${options.tests.join(', ')}\` in their path.`,
    sample === undefined
      ? ''
      : `A sample of ${chosen.length} of ${mutants.length} mutants, drawn by \`--seed ${seed}\`.`,
  ]
  const report = reportOf(judged, readExplanations(), how.filter((part) => part !== '').join(' '))
  console.log(report)
  if (options.out !== undefined) writeFileSync(join(root, options.out, 'mutants.md'), report)
}
