import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import type { HonestResult } from './honest.ts'
import type { Ending, Lifetime, Loot, ThiefResult } from './thieves.ts'
import { ENDINGS } from './thieves.ts'

export interface HonestRow extends HonestResult {
  readonly mayEnd: boolean
}

export interface ThiefRow {
  readonly strategy: string
  readonly lifetime: Lifetime
  readonly loot: Loot
  /** Mean minutes of access per copy. */
  readonly minutes: number
  /** Share of the useful copies that no event spoke of. */
  readonly unnoticed: number
  readonly useful: number
}

/** The numbers of an earlier rule, to compare with. */
export interface Baseline {
  /** The thing that the numbers measure. */
  readonly measured: string
  readonly measuredAt: string
  readonly seed: number
  readonly copies: number
  readonly requests: number
  readonly honest: readonly HonestRow[]
  readonly thieves: readonly ThiefRow[]
  readonly late: Partial<Record<Ending, number>>
}

const ENDING_NAMES: Readonly<Record<Ending, string>> = {
  logout: 'a logout',
  password: 'a change of the password',
  login: 'a new login',
}

const START = '<!-- honest:start -->'
const END = '<!-- honest:end -->'

export function rowOf({ strategy, minutes, unnoticed, useful }: ThiefResult, lifetime: Lifetime, loot: Loot): ThiefRow {
  return { strategy, lifetime, loot, minutes: round(minutes), unnoticed: round(unnoticed, 1000), useful }
}

function round(value: number, steps = 10): number {
  return Math.round(value * steps) / steps
}

/** Honest people: sessions that ended as copied. */
export function honestTable(rows: readonly HonestRow[]): string {
  const lines = rows.map(({ name, requests, renewals, copied, strangers, mayEnd }) => {
    const perRequests = ((copied / requests) * 100_000).toFixed(0)
    const asNobody = ((strangers / requests) * 100_000).toFixed(0)
    const perRenewal = renewals === 0 ? '–' : `${((copied / renewals) * 100).toFixed(2)} %`
    return `| ${name}${mayEnd ? ' (may end)' : ''} | ${perRequests} | ${perRenewal} | ${asNobody} |`
  })
  const head =
    '| scenario | ended as copied, per 100,000 requests | of renewals | taken for nobody, per 100,000 requests |'
  return [head, '|---|---:|---:|---:|', ...lines].join('\n')
}

const COLUMNS = [
  ['idle', 'value'],
  ['idle', 'everything'],
  ['remember', 'value'],
  ['remember', 'everything'],
] as const satisfies readonly (readonly [Lifetime, Loot])[]

/** Thieves: minutes of access per copy, and the share of copies that was never noticed; in brackets the baseline. */
export function thievesTable(rows: readonly ThiefRow[], baseline: Baseline, late: Baseline['late']): string {
  const names = [...new Set(rows.map(({ strategy }) => strategy))]
  const lines = names.map((name) => {
    const cells = COLUMNS.map(([lifetime, loot]) => {
      const isCell = (row: ThiefRow): boolean => row.strategy === name && row.lifetime === lifetime && row.loot === loot
      return `${cellOf(rows.find(isCell))} (${cellOf(baseline.thieves.find(isCell))})`
    })
    return `| ${name} | ${cells.join(' | ')} |`
  })
  const answers = ENDINGS.map((ending) => `${late[ending] ?? '–'} after ${ENDING_NAMES[ending]}`).join(', ')
  return [
    '| strategy | 12 h, value alone | 12 h, everything | 14 d, value alone | 14 d, everything |',
    '|---|---:|---:|---:|---:|',
    ...lines,
    '',
    `In brackets: the rule of ${baseline.measuredAt}. Answers to a thief: ${answers}.`,
  ].join('\n')
}

function cellOf(row: ThiefRow | undefined): string {
  if (row === undefined) return '–'
  const minutes = row.minutes < 10 ? row.minutes.toFixed(1) : Math.round(row.minutes).toLocaleString('en')
  return `${minutes} / ${row.useful === 0 ? '–' : `${Math.round(100 * row.unnoticed)} %`}`
}

/** Puts text between the markers of a guide; into a file of its own while there is no such guide. */
export function between(guide: string, otherwise: string, text: string): void {
  const before = existsSync(guide) ? readFileSync(guide, 'utf8') : ''
  const [start, end] = [before.indexOf(START), before.indexOf(END)]
  if (start === -1 || end < start) return writeFileSync(otherwise, `# Honest users and thieves\n\n${text}\n`)
  writeFileSync(guide, `${before.slice(0, start + START.length)}\n\n${text}\n\n${before.slice(end)}`)
}
