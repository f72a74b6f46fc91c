import type { Outcome } from './case.ts'
import { CASES } from './cases.ts'

/** One cell with its place. */
export interface Row extends Outcome {
  readonly peer: string
  readonly case: string
}

const SIGNS: Readonly<Record<Outcome['mark'], string>> = { holds: '✓', loses: '✗', 'no promise': '–', none: '·' }
const COLOURS: Readonly<Record<Outcome['mark'], string>> = {
  holds: '#1a7f37',
  loses: '#cf222e',
  'no promise': '#9a6700',
  none: '#8c959f',
}

/** Returns the page with the table, and what was seen in each cell. */
export function pageOf(rows: readonly Row[], versions: Readonly<Record<string, string>>): string {
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const find = (peer: string, name: string): Row | undefined =>
    rows.find((row) => row.peer === peer && row.case === name)
  const signs = CASES.map(({ name }) => {
    const cells = peers.map((peer) => SIGNS[find(peer, name)?.mark ?? 'none'])
    return `| ${name} | ${cells.join(' | ')} |`
  })
  const details = CASES.flatMap(({ name, what }) => [
    `### ${name}\n`,
    `${what}\n`,
    '| library | result | seen |\n|---|---|---|',
    ...peers.map((peer) => {
      const row = find(peer, name)
      return `| ${peer} | ${row?.mark ?? 'none'} | ${row?.seen ?? ''} |`
    }),
    '',
  ])
  return [
    '# The gauntlet\n',
    'The same attacks and races over HTTP, against this package and against other session libraries.\n',
    '`npm run gauntlet` runs all of it again and writes this page. `npm run gauntlet -- --peer Django --case Fixation` runs one cell.\n',
    'Each library is configured as its README shows it, behind a proxy that ends TLS. The apps are in `benchmarks/gauntlet/apps`.\n',
    '✓ holds. ✗ does not hold, and the library sets out to. – does not hold, and the library does not set out to. · the case has no meaning here, or was not tried.\n',
    'Which library sets out to do what is our reading of its guide, kept as `promisedBy` in `benchmarks/gauntlet/cases`. This package is held to every case.\n',
    'A library that keeps the whole session in the cookie cannot end a copy of the cookie. Such a library trades that for having no store.\n',
    `Versions: ${Object.entries(versions)
      .map(([name, version]) => `${name} ${version}`)
      .join(', ')}.\n`,
    `| case | ${peers.join(' | ')} |`,
    `|---|${peers.map(() => ':-:|').join('')}`,
    ...signs,
    '\n## What was seen\n',
    ...details,
  ].join('\n')
}

const CELL = 58
const LEFT = 210
const TOP = 150
const HEIGHT = 26

/** Returns the table as a picture. Readable on light and on dark pages. */
export function pictureOf(rows: readonly Row[]): string {
  const peers = [...new Set(rows.map(({ peer }) => peer))]
  const width = LEFT + peers.length * CELL + 60
  const height = TOP + CASES.length * HEIGHT + 10
  const heads = peers.map((peer, place) => {
    const [x, y] = [LEFT + place * CELL + CELL / 2, TOP - 12]
    return `<text class="t" x="${x}" y="${y}" transform="rotate(-45 ${x} ${y})">${peer}</text>`
  })
  const lines = CASES.flatMap(({ name }, line) => {
    const y = TOP + line * HEIGHT + 16
    const cells = peers.map((peer, place) => {
      const mark = rows.find((row) => row.peer === peer && row.case === name)?.mark ?? 'none'
      const x = LEFT + place * CELL + CELL / 2
      return `<text x="${x}" y="${y}" text-anchor="middle" font-weight="600" fill="${COLOURS[mark]}">${SIGNS[mark]}</text>`
    })
    return [`<text class="t" x="0" y="${y}">${name}</text>`, ...cells]
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="system-ui, sans-serif" font-size="13">`,
    '<title>The gauntlet: which library holds in which case</title>',
    '<style>.t{fill:#1f2328}@media (prefers-color-scheme:dark){.t{fill:#f0f6fc}}</style>',
    ...heads,
    ...lines,
    '</svg>',
    '',
  ].join('\n')
}
