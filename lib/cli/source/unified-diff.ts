/** One line of a comparison. */
interface Line {
  readonly sign: ' ' | '-' | '+'
  readonly text: string
}

const CONTEXT = 3

/** Beyond this many comparisons the changed part is replaced as a whole. */
const MAX_COMPARISONS = 4_000_000

/** A change of a file in the format that `git apply` and `patch -p1` take; empty when nothing changed. */
export function unifiedDiff(name: string, before: string, after: string): string {
  const lines = compare(splitLines(before), splitLines(after))
  const hunks = hunksOf(lines)
  return hunks.length === 0 ? '' : [`--- a/${name}`, `+++ b/${name}`, ...hunks].join('\n')
}

const NO_NEWLINE = '\\ No newline at end of file'

/** Lines without their break; a last line that has none says so. */
function splitLines(text: string): string[] {
  const lines = text.split('\n')
  const last = lines.pop() as string
  return last === '' ? lines : [...lines, `${last}\n${NO_NEWLINE}`]
}

function compare(before: readonly string[], after: readonly string[]): Line[] {
  let start = 0
  while (start < before.length && before[start] === after[start]) start += 1
  let [oldEnd, newEnd] = [before.length, after.length]
  while (oldEnd > start && newEnd > start && before[oldEnd - 1] === after[newEnd - 1]) {
    oldEnd -= 1
    newEnd -= 1
  }
  return [
    ...signed(' ', before.slice(0, start)),
    ...middle(before.slice(start, oldEnd), after.slice(start, newEnd)),
    ...signed(' ', before.slice(oldEnd)),
  ]
}

function signed(sign: Line['sign'], lines: readonly string[]): Line[] {
  return lines.map((text) => ({ sign, text }))
}

/** The shortest change by the longest common subsequence. */
function middle(before: readonly string[], after: readonly string[]): Line[] {
  if (before.length * after.length > MAX_COMPARISONS) return [...signed('-', before), ...signed('+', after)]
  const width = after.length + 1
  const common = new Uint32Array((before.length + 1) * width)
  const at = (row: number, column: number): number => common[row * width + column] as number
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        before[row] === after[column] ? at(row + 1, column + 1) + 1 : Math.max(at(row + 1, column), at(row, column + 1))
    }
  }
  const lines: Line[] = []
  let [row, column] = [0, 0]
  while (row < before.length && column < after.length) {
    if (before[row] === after[column]) {
      lines.push({ sign: ' ', text: before[row] as string })
      row += 1
      column += 1
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      lines.push({ sign: '-', text: before[row] as string })
      row += 1
    } else {
      lines.push({ sign: '+', text: after[column] as string })
      column += 1
    }
  }
  return [...lines, ...signed('-', before.slice(row)), ...signed('+', after.slice(column))]
}

function hunksOf(lines: readonly Line[]): string[] {
  const changed = lines.flatMap(({ sign }, index) => (sign === ' ' ? [] : [index]))
  const ranges: { from: number; to: number }[] = []
  for (const index of changed) {
    const last = ranges.at(-1)
    if (last !== undefined && index - CONTEXT <= last.to) last.to = Math.min(index + CONTEXT + 1, lines.length)
    else ranges.push({ from: Math.max(0, index - CONTEXT), to: Math.min(index + CONTEXT + 1, lines.length) })
  }
  return ranges.flatMap(({ from, to }) => {
    const part = lines.slice(from, to)
    const head = `@@ -${rangeOf(lines, from, part, '+')} +${rangeOf(lines, from, part, '-')} @@`
    return [head, ...part.map(({ sign, text }) => sign + text)]
  })
}

/** `12,7`: where a hunk begins in one of the two files, and how many of its lines it has. */
function rangeOf(lines: readonly Line[], from: number, part: readonly Line[], other: Line['sign']): string {
  const isThere = ({ sign }: Line): boolean => sign !== other
  const length = part.filter(isThere).length
  const before = lines.slice(0, from).filter(isThere).length
  return `${length === 0 ? before : before + 1},${length}`
}
