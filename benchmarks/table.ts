import type { Series } from './compare.ts'
import type { Measurement } from './load.ts'
import type { PeerName } from './peers/peer.ts'
import { median, ratio, spread } from './statistics.ts'

/** One line of the table, in numbers. `NaN` where the run had nothing to compare with. */
export interface Row {
  readonly scenario: string
  readonly peer: PeerName
  readonly scenarioTitle: string
  readonly peerTitle: string
  readonly isFloor: boolean
  /** Median of iterations per second, and how far the middle half of the rounds lies apart as a share of it. */
  readonly rate: number
  readonly spread: number
  /** Relative to Fastify + @fastify/cookie, and to @fastify/session tuned. */
  readonly toCookie: number
  readonly toTuned: number
  /** Median of the server's processor time per iteration, in microseconds. */
  readonly cpu: number
  /**
   * Processor time of Fastify + @fastify/cookie relative to this one's: `toCookie` if nothing else ran on the machine.
   */
  readonly toCookieByCpu: number
  readonly busy: number
}

/** Medians and ratios of everything that was measured. */
export function rowsOf(all: readonly Series[]): Row[] {
  return all.map((one) => {
    const roundsOf = (name: PeerName): readonly Measurement[] =>
      all.find(({ scenario, peer }) => scenario === one.scenario && peer.name === name)?.rounds ?? []
    const rates = one.rounds.map(rateOf)
    const costs = one.rounds.map(cpuOf)
    return {
      scenario: one.scenario.name,
      peer: one.peer.name,
      scenarioTitle: one.scenario.title,
      peerTitle: one.peer.title,
      isFloor: one.peer.isFloor ?? false,
      rate: median(rates),
      spread: spread(rates),
      toCookie: ratio(rates, roundsOf('fastify-cookie').map(rateOf)),
      toTuned: ratio(rates, roundsOf('fastify-session-tuned').map(rateOf)),
      cpu: median(costs),
      toCookieByCpu: 1 / ratio(costs, roundsOf('fastify-cookie').map(cpuOf)),
      busy: median(one.rounds.map(({ busy }) => busy)),
    }
  })
}

function rateOf({ rate }: Measurement): number {
  return rate
}

function cpuOf({ cpu }: Measurement): number {
  return cpu
}

/** Returns the rows as a Markdown table. */
export function tableOf(rows: readonly Row[]): string {
  const cells = rows.map((row) => [
    row.scenarioTitle,
    row.peer === 'session-guard' ? `**${row.peerTitle}**` : row.peerTitle,
    integer(row.rate),
    percent(row.spread),
    times(row.toCookie),
    times(row.toTuned),
    row.cpu.toFixed(0),
    times(row.toCookieByCpu),
    percent(row.busy),
  ])
  const head = [
    'scenario',
    'server',
    'per second',
    'spread',
    '÷ cookie',
    '÷ tuned',
    'CPU µs',
    '÷ cookie by CPU',
    'busy',
  ]
  return markdown(head, cells, 2)
}

/**
 * Returns a Markdown table whose columns stand under each other in plain text, all but the first few of them aligned
 * right.
 */
export function markdown(head: string[], cells: string[][], leftColumns: number): string {
  const widths = head.map((title, column) => Math.max(title.length, ...cells.map((line) => line[column]?.length ?? 0)))
  const line = (texts: string[]): string =>
    `| ${texts.map((text, column) => pad(text, widths[column] ?? 0, column < leftColumns)).join(' | ')} |`
  const rule = `|${widths.map((width, column) => (column < leftColumns ? '-'.repeat(width + 2) : `${'-'.repeat(width + 1)}:`)).join('|')}|`
  return [line(head), rule, ...cells.map(line)].join('\n')
}

function pad(text: string, width: number, isLeft: boolean): string {
  return isLeft ? text.padEnd(width) : text.padStart(width)
}

/** Returns a count with thousands separators. */
export function integer(value: number): string {
  return Math.round(value).toLocaleString('en-US')
}

/** Returns a ratio with two decimals, a dash when there is none. */
export function times(value: number): string {
  return Number.isNaN(value) ? '–' : value.toFixed(2)
}

function percent(share: number): string {
  return `${(share * 100).toFixed(0)} %`
}
