import { writeFileSync } from 'node:fs'
import type { Finding } from '../../types/index.ts'
import { applySteps } from './source/apply-steps.ts'
import type { Project } from './source/project.ts'
import { unifiedDiff } from './source/unified-diff.ts'

/** A fix as a change of the app's files. */
export interface FilePatch {
  readonly rule: string
  /** `safe` has one reading and changes nothing that was right. `review` takes a decision for the author. */
  readonly confidence: 'safe' | 'review'
  /** A unified diff against the files as the patches before this one leave them. */
  readonly diff: string
}

/** The fixes of findings as patches, in the order of the findings. Nothing is written. */
export interface PlannedFixes {
  readonly patches: readonly FilePatch[]
  /** Rules whose fix is no edit of a literal that was found. */
  readonly byHand: readonly string[]
  /** The files as the patches leave them. */
  readonly texts: ReadonlyMap<string, string>
}

/** Plans the fixes that are edits of options which are written literally; with `isSafeOnly`, the safe ones alone. */
export function planFixes(
  project: Project,
  entry: string,
  findings: readonly Finding[],
  { isSafeOnly, nameOf }: { isSafeOnly: boolean; nameOf: (file: string) => string },
): PlannedFixes {
  const patches: FilePatch[] = []
  const byHand: string[] = []
  for (const { rule, fix, silenced } of findings) {
    if (silenced !== undefined || (isSafeOnly && fix.confidence !== 'safe')) continue
    const before = project.edits()
    const safety = fix.patch === undefined ? undefined : applySteps(project, entry, fix.patch)
    const confidence = safety === 'safe' ? (fix.confidence ?? 'review') : 'review'
    if (safety === undefined || (isSafeOnly && confidence !== 'safe')) {
      project.restore(before)
      byHand.push(rule)
      continue
    }
    const diff = diffOf(project, before, nameOf)
    // The fix of a finding before this one may have been the same edit.
    if (diff !== '') patches.push({ rule, confidence, diff })
  }
  return { patches, byHand, texts: project.edits() }
}

function diffOf(project: Project, before: ReadonlyMap<string, string>, nameOf: (file: string) => string): string {
  const diffs = [...project.edits()].map(([file, text]) => {
    return unifiedDiff(nameOf(file), before.get(file) ?? project.original(file), text)
  })
  return diffs.filter((diff) => diff !== '').join('\n')
}

/** Patches as text: each with a line before it that names the rule, which `git apply` skips. */
export function renderPatches({ patches, byHand }: PlannedFixes): string {
  const parts = patches.map(({ rule, confidence, diff }) => `# ${rule} (${confidence})\n${diff}`)
  if (byHand.length > 0) parts.push(`# by hand: ${[...new Set(byHand)].join(', ')}`)
  return parts.length === 0 ? '# Nothing to fix.' : parts.join('\n')
}

/** Writes files; returns how to write what they held before. */
export function writeTexts(project: Project, texts: ReadonlyMap<string, string>): () => void {
  for (const [file, text] of texts) writeFileSync(file, text)
  return () => {
    for (const file of texts.keys()) writeFileSync(file, project.original(file))
  }
}
