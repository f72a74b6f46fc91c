import { fill, wordsOf } from '../guard/report/fill.ts'

const MIN_WIDTH = 40
const MAX_WIDTH = 100

/** The width of a help text without a terminal. */
const USUAL_WIDTH = 80

/** One entry of a help text: a label and what stands beside it, or prose. */
interface Entry {
  readonly label: string
  text: string
}

/** Wraps a help text for a terminal: descriptions stay in their column, prose is filled, blank lines remain. */
export function fitHelp(text: string, columns: number | undefined): string {
  const width = Math.min(MAX_WIDTH, Math.max(MIN_WIDTH, columns ?? USUAL_WIDTH))
  return entriesOf(text)
    .flatMap((entry) => linesOf(entry, width))
    .join('\n')
}

/** An option with its value, any other text before a column, or the word before a command line. */
const LABEL = /^( {2}-\S+(?: <[^>]+>)? +| +\S.*? {2,}|Usage: )(\S.*)$/

function entriesOf(text: string): Entry[] {
  const entries: Entry[] = []
  for (const line of text.split('\n')) {
    const last = entries.at(-1)
    const [, label = '', rest = line.trim()] = LABEL.exec(line) ?? []
    const indent = line.length - line.trimStart().length
    const isOpen = label === '' && line !== '' && last !== undefined && last.text !== ''
    if (isOpen && (last.label === '' ? indent === 0 : indent > 4)) last.text += ` ${rest}`
    else entries.push({ label: label === '' ? ' '.repeat(indent) : label, text: rest })
  }
  return entries
}

function linesOf({ label, text }: Entry, width: number): string[] {
  // A label that takes half of the line has a line of its own.
  const isWide = label.length > width / 2
  const indent = ' '.repeat(isWide ? 6 : label.length)
  const lines = fill(wordsOf(text), width - indent.length)
  if (isWide) return [label.trimEnd(), ...lines.map((line) => indent + line)]
  return lines.map((line, index) => ((index === 0 ? label : indent) + line).trimEnd())
}
