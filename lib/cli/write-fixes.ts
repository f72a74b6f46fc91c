import type { Examination } from './examine.ts'
import { planFixes, writeTexts } from './fixes.ts'
import type { Io } from './io.ts'
import { fileNaming } from './source/file-naming.ts'
import type { Project } from './source/project.ts'

/** Writes the safe fixes and runs the app again. An app that is not better with them gets its files back. */
export async function writeFixes(
  project: Project,
  { file }: { readonly file: string },
  before: Examination,
  again: () => Promise<Examination>,
  io: Pick<Io, 'cwd' | 'err'>,
): Promise<Examination> {
  const { name } = fileNaming(io.cwd, 'pretty')
  const plan = planFixes(project, file, before.findings, { isSafeOnly: true, nameOf: name })
  project.restore(new Map())
  if (plan.patches.length === 0) {
    io.err('Nothing was written: no finding has a safe fix in options that are written literally.')
    return before
  }
  const takeBack = writeTexts(project, plan.texts)
  const after = await again()
  if (isWorse(after, before)) {
    takeBack()
    io.err(
      'Nothing was written: with the safe fixes, the options have findings that they have not now, or are not reached.',
    )
    return before
  }
  project.forget()
  for (const written of plan.texts.keys()) io.err(`Wrote ${name(written)}.`)
  for (const { rule } of plan.patches) io.err(`Fixed ${rule}.`)
  return after
}

/**
 * Tells whether options are worse than before. What later phases find is no sign: an app that was refused did not get
 * there.
 */
function isWorse(after: Examination, before: Examination): boolean {
  const known = new Set(before.findings.map(({ rule }) => rule))
  const isNew = after.findings.some(({ rule, phase }) => phase === 'register' && !known.has(rule))
  return isNew || (after.failure !== undefined && after.findings.length === 0)
}
