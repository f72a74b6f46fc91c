import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { guide } from './guides.ts'
import { blocksOf } from './markdown.ts'
import { readerBelow } from './readme-runner.ts'

/** The pictures of a refused boot, as paths below the root. */
export const PICTURES = {
  light: '.github/refused-boot-light.svg',
  dark: '.github/refused-boot-dark.svg',
} as const

interface Palette {
  readonly ground: string
  readonly border: string
  readonly text: string
  readonly soft: string
  readonly red: string
  readonly yellow: string
  readonly blue: string
  readonly green: string
}

/** Colours with a contrast of at least 4.5:1 to their ground (WCAG 2.2, 1.4.3). */
const PALETTES: Readonly<Record<keyof typeof PICTURES, Palette>> = {
  light: {
    ground: '#f6f8fa',
    border: '#d1d9e0',
    text: '#1f2328',
    soft: '#59636e',
    red: '#b62324',
    yellow: '#7d4e00',
    blue: '#0550ae',
    green: '#116329',
  },
  dark: {
    ground: '#151b23',
    border: '#3d444d',
    text: '#f0f6fc',
    soft: '#9198a1',
    red: '#ff7b72',
    yellow: '#e3b341',
    blue: '#79c0ff',
    green: '#7ee787',
  },
}

const SIZE = 13
const LINE = 19
const CHARACTER = SIZE * 0.602
const MARGIN = 20

/**
 * Runs the program of the guard's guide in an empty folder below `base`, where this package is installed. Resolves to
 * the lines of its report.
 */
export async function refusedBoot(base: string): Promise<string[]> {
  const reader = await readerBelow(base, 'picture')
  const blocks = blocksOf(guide('lib/guard/README.md'))
  const program = blocks.find(({ attributes }) => attributes['exit'] === '1')
  if (program === undefined) throw new Error('lib/guard/README.md has no program that is refused')
  for (const block of blocks.filter(({ attributes }) => 'file' in attributes)) await reader.write(block)
  const { stderr } = await reader.run(program.attributes['file'] ?? '', program)
  const lines = stderr.split('\n')
  const first = lines.findIndex((line) => line.startsWith('SecureSessionConfigError'))
  const last = lines.findIndex((line) => line.includes('check again:'))
  const { NODE_ENV, file } = program.attributes
  return [`$ NODE_ENV=${NODE_ENV} node ${file}`, ...lines.slice(first, last + 1)]
}

/** Draws lines of a terminal. */
export function pictureOf(lines: readonly string[], theme: keyof typeof PICTURES): string {
  const palette = PALETTES[theme]
  const width = Math.ceil(Math.max(...lines.map((line) => line.length)) * CHARACTER) + 2 * MARGIN
  const height = lines.length * LINE + 2 * MARGIN
  const rows = lines.map((line, index) => {
    const spans = spansOf(line).map(([color, text, isBold]) => {
      const weight = isBold === true ? ' font-weight="700"' : ''
      return `<tspan fill="${palette[color]}"${weight}>${escaped(text)}</tspan>`
    })
    return `<text x="${MARGIN}" y="${MARGIN + SIZE + index * LINE}" xml:space="preserve">${spans.join('')}</text>`
  })
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img" font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, 'DejaVu Sans Mono', monospace" font-size="${SIZE}">`,
    '<title>A boot that the guard refused</title>',
    `<rect x="0.5" y="0.5" width="${width - 1}" height="${height - 1}" rx="8" fill="${palette.ground}" stroke="${palette.border}"/>`,
    ...rows.filter((row) => row.includes('<tspan')),
    '</svg>',
    '',
  ].join('\n')
}

type Span = readonly [color: Exclude<keyof Palette, 'ground' | 'border'>, text: string, isBold?: boolean]

/** Returns the colours of one line, as the command `check` paints it on a terminal. */
function spansOf(line: string): Span[] {
  if (line.trim() === '') return []
  const severity = /^( {2}[✖⚠ℹ] \w+)(\s+session\/.*|.*)$/u.exec(line)
  if (severity !== null) {
    const [, mark = '', rest = ''] = severity
    const color = mark.includes('✖') ? 'red' : mark.includes('⚠') ? 'yellow' : 'blue'
    return [
      [color, mark, true],
      ['text', rest, color === 'red'],
    ]
  }
  const label = /^( {4}(?:at|what|why|fix|see) +)(.*)$/.exec(line)
  if (label !== null) {
    const [, name = '', rest = ''] = label
    return [
      ['soft', name],
      [name.includes('fix') ? 'green' : 'text', rest],
    ]
  }
  if (line.startsWith('SecureSessionConfigError')) return [['red', line, true]]
  return [[/^(\$| {2}\w)/.test(line) ? 'soft' : 'text', line]]
}

/** Writes both pictures into the folder of the repository. */
export async function savePictures(root: string, lines: readonly string[]): Promise<void> {
  for (const theme of ['light', 'dark'] as const) {
    await writeFile(join(root, PICTURES[theme]), pictureOf(lines, theme))
  }
}

function escaped(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')
}
