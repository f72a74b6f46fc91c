import { endOfDate } from '../session/date.ts'
import type { Finding, Silence } from '../../types/index.ts'

/** The reason why an entry of `silence` is not obeyed. */
export type SilenceFlaw = 'unknown-rule' | 'no-reason' | 'bad-date' | 'expired' | 'cannot-be-silenced'

/** One entry of `silence`, judged. */
export interface SilenceEntry {
  readonly index: number
  readonly slug: string
  readonly reason: string
  readonly expires: string | null
  readonly flaw: SilenceFlaw | null
}

/** All entries, and whether one of them sets a rule aside. */
export interface Silencing {
  readonly entries: readonly SilenceEntry[]
  /** Names of all rules. */
  readonly slugs: readonly string[]
  covers(slug: string): boolean
}

/** The facts of a rule that silencing needs. */
export interface SilenceableRule {
  readonly slug: string
  readonly silenceable: boolean
}

/**
 * Judges the entries against the catalogue and the clock. Elements that are no entry at all are skipped: their shape is
 * refused.
 */
export function readSilences(list: readonly unknown[], rules: readonly SilenceableRule[], now: number): Silencing {
  const entries = list.flatMap((entry, index) =>
    entry === undefined ? [] : [judge(entry as Partial<Silence>, index, rules, now)],
  )
  return {
    entries,
    slugs: rules.map(({ slug }) => slug),
    covers: (slug) => entries.some((entry) => entry.flaw === null && entry.slug === slug),
  }
}

function judge(
  { rule = '', reason = '', expires }: Partial<Silence>,
  index: number,
  rules: readonly SilenceableRule[],
  now: number,
): SilenceEntry {
  const slug = rule.replace(/^session\//, '')
  const known = rules.find((candidate) => candidate.slug === slug)
  return {
    index,
    slug,
    reason: reason.trim(),
    expires: expires ?? null,
    flaw: flawOf(known, reason, expires, now),
  }
}

function flawOf(
  rule: SilenceableRule | undefined,
  reason: string,
  expires: string | undefined,
  now: number,
): SilenceFlaw | null {
  if (rule === undefined) return 'unknown-rule'
  if (!rule.silenceable) return 'cannot-be-silenced'
  if (reason.trim() === '') return 'no-reason'
  if (expires === undefined) return null
  const end = endOfDate(expires)
  if (end === undefined) return 'bad-date'
  return now >= end ? 'expired' : null
}

/** Marks the findings that an entry sets aside. */
export function silenceFindings(findings: readonly Finding[], { entries }: Silencing): Finding[] {
  return findings.map((finding) => {
    const entry = entries.find(({ flaw, slug }) => flaw === null && `session/${slug}` === finding.rule)
    if (entry === undefined || !finding.silenceable) return finding
    return { ...finding, silenced: { reason: entry.reason.slice(0, 500), expires: entry.expires } }
  })
}
