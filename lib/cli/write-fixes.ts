import type { Finding } from '../../types/index.ts'
import type { Examination } from './examine.ts'
import { planFixes, writeTexts } from './fixes.ts'
import type { PlannedFixes } from './fixes.ts'
import type { Io } from './io.ts'
import { fileNaming } from './source/file-naming.ts'
import type { Project } from './source/project.ts'

/** Every fix that is tried on its own runs the app once. */
const MAX_SINGLE = 20

interface Attempt {
  readonly project: Project
  readonly file: string
  readonly again: () => Promise<Examination>
  readonly nameOf: (file: string) => string
}

/**
 * Writes the safe fixes and runs the app again. Where the app is worse with all of them, each is tried on its own, and
 * those stay that make nothing worse.
 */
export async function writeFixes(
  project: Project,
  { file }: { readonly file: string },
  before: Examination,
  again: () => Promise<Examination>,
  io: Pick<Io, 'cwd' | 'err'>,
): Promise<Examination> {
  const { name } = fileNaming(io.cwd, 'pretty')
  const attempt: Attempt = { project, file, again, nameOf: name }
  const plan = planSafe(attempt, before.findings)
  if (plan.patches.length === 0) {
    io.err('Nothing was written: no finding has a safe fix in options that are written literally.')
    return before
  }
  const whole = await tryOut(attempt, plan, before)
  if (whole !== undefined) {
    sayWritten(plan.texts.keys(), plan, name, io)
    return whole
  }
  return writeSingly(attempt, before, io)
}

/** Plans the safe fixes of findings; no edit remains. */
function planSafe({ project, file, nameOf }: Attempt, findings: readonly Finding[]): PlannedFixes {
  const plan = planFixes(project, file, findings, { isSafeOnly: true, nameOf })
  project.restore(new Map())
  return plan
}

/** Writes a plan; returns what is found with it, or takes it back where that is worse. */
async function tryOut(
  attempt: Attempt,
  { texts }: PlannedFixes,
  before: Examination,
): Promise<Examination | undefined> {
  const takeBack = writeTexts(attempt.project, texts)
  const after = await attempt.again()
  const isKept = !isWorse(after, before)
  if (!isKept) takeBack()
  attempt.project.forget()
  return isKept ? after : undefined
}

async function writeSingly(attempt: Attempt, before: Examination, io: Pick<Io, 'err'>): Promise<Examination> {
  const written = new Set<string>()
  const left: string[] = []
  let found = before
  const tried = before.findings.slice(0, MAX_SINGLE)
  for (const finding of tried) {
    const plan = planSafe(attempt, [finding])
    if (plan.patches.length === 0) continue
    const after = await tryOut(attempt, plan, found)
    if (after === undefined) {
      left.push(finding.rule)
      continue
    }
    found = after
    for (const file of plan.texts.keys()) written.add(file)
    io.err(`Fixed ${finding.rule}.`)
  }
  for (const file of written) io.err(`Wrote ${attempt.nameOf(file)}.`)
  for (const rule of left) {
    io.err(`Left ${rule} as it is: with its fix, the options have findings that they have not now, or are not reached.`)
  }
  return found
}

function sayWritten(
  files: Iterable<string>,
  { patches }: PlannedFixes,
  nameOf: (file: string) => string,
  io: Pick<Io, 'err'>,
): void {
  for (const written of files) io.err(`Wrote ${nameOf(written)}.`)
  for (const { rule } of patches) io.err(`Fixed ${rule}.`)
}

/**
 * Tells whether options are worse than before. They are worse when the app does not reach them, or when something new
 * refuses the boot. A new warning is worse too, unless something that refused the boot is gone. Findings of later
 * phases do not count, because a refused app did not reach these phases.
 */
function isWorse(after: Examination, before: Examination): boolean {
  if (after.failure !== undefined && after.findings.length === 0 && after.settings === null) return true
  const [was, is] = [countsOf(before), countsOf(after)]
  const more = [...is].filter(([key, count]) => count > (was.get(key) ?? 0)).map(([key]) => key)
  return more.some((key) => key.startsWith('fatal')) || (more.length > 0 && fatalIn(is) >= fatalIn(was))
}

/** Counts the findings at registration, by severity and rule. */
function countsOf({ findings }: Examination): Map<string, number> {
  const counts = new Map<string, number>()
  for (const { severity, rule, phase, silenced } of findings) {
    if (phase !== 'register' || silenced !== undefined) continue
    const key = `${severity} ${rule}`
    counts.set(key, (counts.get(key) ?? 0) + 1)
  }
  return counts
}

function fatalIn(counts: ReadonlyMap<string, number>): number {
  return [...counts].reduce((sum, [key, count]) => (key.startsWith('fatal') ? sum + count : sum), 0)
}
