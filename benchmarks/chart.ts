import type { Row } from './table.ts'

const WIDTH = 760
const LEFT = 210
const RIGHT = 70
const BAR = 16
const GAP = 6
const HEADER = 30
const BETWEEN = 20

const OWN = '#2f81f7'
const FLOOR = '#a8b1bb'
const OTHER = '#768390'

/**
 * Bars of the throughput relative to Fastify + @fastify/cookie, a block per scenario. Readable on light and on dark
 * pages.
 */
export function chartOf(rows: readonly Row[]): string {
  const titles = new Set(rows.map(({ scenarioTitle }) => scenarioTitle))
  const longest = Math.max(...rows.map(shareOf), 1)
  const parts: string[] = []
  let top = 46
  for (const title of titles) {
    parts.push(text(0, top + 14, title, 'class="t" font-weight="600"'))
    top += HEADER - GAP
    for (const row of rows.filter(({ scenarioTitle }) => scenarioTitle === title)) {
      parts.push(barOf(row, top, ((WIDTH - LEFT - RIGHT) * shareOf(row)) / longest))
      top += BAR + GAP
    }
    top += BETWEEN
  }
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${top}" width="${WIDTH}" height="${top}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    '<title>Throughput relative to Fastify + @fastify/cookie</title>',
    '<style>.t{fill:#1f2328}.s{fill:#59636e}@media (prefers-color-scheme:dark){.t{fill:#f0f6fc}.s{fill:#9198a1}}</style>',
    text(0, 16, 'Throughput relative to Fastify + @fastify/cookie', 'class="t" font-weight="600" font-size="15"'),
    text(0, 34, 'Longer is faster. Sessions in memory, real HTTP on loopback.', 'class="s"'),
    ...parts,
    '</svg>',
    '',
  ].join('\n')
}

function barOf(row: Row, top: number, width: number): string {
  const color = row.peer === 'session-guard' ? OWN : row.isFloor ? FLOOR : OTHER
  const weight = row.peer === 'session-guard' ? ' font-weight="600"' : ''
  const baseline = top + BAR - 4
  return [
    text(LEFT - 10, baseline, row.peerTitle, `class="t" text-anchor="end"${weight}`),
    `<rect x="${LEFT}" y="${top}" width="${Math.max(1, width).toFixed(1)}" height="${BAR}" rx="2" fill="${color}"/>`,
    text(LEFT + width + 6, baseline, shareOf(row).toFixed(2), `class="s"${weight}`),
  ].join('')
}

function shareOf(row: Row): number {
  return Number.isNaN(row.toCookie) ? 0 : row.toCookie
}

function text(x: number, y: number, content: string, attributes: string): string {
  const escaped = content.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
  return `<text x="${x.toFixed(1)}" y="${y}" ${attributes}>${escaped}</text>`
}
