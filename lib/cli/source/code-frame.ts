import type { Finding } from '../../../types/index.ts'
import { isShown, locateOption, placeIn } from './locate.ts'
import type { OptionsSite } from './options-literals.ts'
import { nodesOf } from './project.ts'
import type { Node, Project, SourceModule } from './project.ts'

const MIN_WIDTH = 24

/** Texts that no secret looks like, so that they may be shown where they stand beside an option. */
const HARMLESS =
  /^(lax|strict|none|auto|production|development|test|direct|proxy|evict|refuse|aal[123]|\/|\d{1,4}(ms|s|m|h|d))$/

/**
 * The line on which the first written option of a finding stands, with a caret under the option. Other texts, long
 * numbers and comments of the line are covered, because the option beside may be the secret.
 */
export function codeFrame(
  project: Project,
  sites: readonly OptionsSite[],
  finding: Finding,
  width: number,
): string[] | undefined {
  // The place of such a finding is the secret itself.
  if (finding.phase === 'source') return undefined
  const located = finding.at.map((location) => ({ ...locateOption(project, sites, location), location }))
  const shown = located.find(({ isExact }) => isExact === true) ?? located.find(({ module }) => module !== undefined)
  if (shown?.module === undefined || shown.node === undefined) return undefined
  const { module, node } = shown
  // Values that the finding itself prints need no cover.
  const kept = located.flatMap(({ node: one, location }) =>
    one !== undefined && !location.redacted && isShown(one, location.value) ? [one] : [],
  )
  const { line, column } = placeIn(module, node.start)
  const start = module.text.lastIndexOf('\n', node.start - 1) + 1
  const end = module.text.indexOf('\n', start) === -1 ? module.text.length : module.text.indexOf('\n', start)
  const text = covered(module, start, end, kept).replaceAll(/\p{C}/gu, ' ')
  const length = Math.max(1, Math.min(node.end, start + text.trimEnd().length) - node.start)
  return draw(text.trimEnd(), line, column, length, width)
}

function draw(text: string, line: number, column: number, length: number, width: number): string[] {
  const gutter = String(line)
  const room = Math.max(MIN_WIDTH, width - gutter.length - 3)
  const indent = text.length - text.trimStart().length
  // A line that does not fit is cut around the option.
  const fits = text.length - indent <= room
  const from = fits
    ? Math.min(indent, column - 1)
    : Math.max(Math.min(indent, column - 1), column - Math.floor(room / 2))
  const isCut = from > indent
  const part = (isCut ? '…' : '') + text.slice(from + (isCut ? 1 : 0), from + room)
  const at = column - 1 - from
  const carets = '^'.repeat(Math.max(1, Math.min(length, part.length - at)))
  return [`${gutter} | ${part}`, `${' '.repeat(gutter.length)} | ${' '.repeat(at)}${carets}`]
}

/** The text from `start` to `end` with every character of what could be a secret replaced. */
function covered({ text, program, comments }: SourceModule, start: number, end: number, kept: Node[]): string {
  const covers = [...nodesOf(program)].filter((node) => isDoubtful(node) && !kept.some((one) => isSame(one, node)))
  let line = text.slice(start, end)
  for (const { start: from, end: to } of [...covers.map(inside), ...comments]) {
    if (from >= end || to <= start) continue
    const [first, last] = [Math.max(from - start, 0), Math.min(to - start, line.length)]
    line = line.slice(0, first) + '*'.repeat(last - first) + line.slice(last)
  }
  return line
}

function isSame(kept: Node, { start, end }: Node): boolean {
  return kept.start === start && kept.end === end
}

function isDoubtful({ type, value }: Node): boolean {
  if (type === 'TemplateElement') return true
  if (type !== 'Literal') return false
  if (typeof value === 'string') return !HARMLESS.test(value)
  return typeof value === 'number' ? value > 99_999 : typeof value === 'bigint'
}

/** A string without its quotes. */
function inside({ type, start, end, value }: Node): { start: number; end: number } {
  return type === 'Literal' && typeof value === 'string' ? { start: start + 1, end: end - 1 } : { start, end }
}
