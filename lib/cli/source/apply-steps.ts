import type { FixStep } from '../../../types/index.ts'
import { literalOf } from './bindings.ts'
import type { Found, Member } from './bindings.ts'
import { follow, stepsOf } from './locate.ts'
import { optionsSites } from './options-literals.ts'
import { importNames } from './imports.ts'
import { isNode } from './project.ts'
import type { Node, Project, SourceModule } from './project.ts'

/** The safety of an edit: `review` where it replaces an expression that the author computes, or may not win. */
export type EditSafety = 'safe' | 'review'

/**
 * Edits the options where they are written, one step after the other. Returns how safe that was; nothing when a step
 * could not be done, or the file would be none any more. No edit remains then, because a half of a fix may be worse
 * than none.
 */
export function applySteps(project: Project, entry: string, patch: readonly FixStep[]): EditSafety | undefined {
  const before = project.edits()
  const isDoubtful = inOrder(patch).map((step) => applyStep(project, entry, step))
  const isWhole = [...project.edits().keys()].every((file) => project.module(file) !== undefined)
  if (isWhole && !isDoubtful.includes(undefined)) return isDoubtful.includes('review') ? 'review' : 'safe'
  project.restore(before)
  return undefined
}

/** Elements leave a list from its end, so that the positions of the others stay as they were. */
function inOrder(patch: readonly FixStep[]): FixStep[] {
  return [
    ...patch.filter((step) => !isElement(step)),
    ...patch.filter(isElement).toSorted((left, right) => positionOf(right) - positionOf(left)),
  ]
}

function isElement({ op, pointer }: FixStep): boolean {
  return op === 'remove' && /\/\d+$/.test(pointer)
}

function positionOf({ pointer }: FixStep): number {
  return Number(pointer.slice(pointer.lastIndexOf('/') + 1))
}

function applyStep(project: Project, entry: string, step: FixStep): EditSafety | undefined {
  // Two registrations may be two apps: which of them is meant cannot be told.
  const [site, ...others] = optionsSites(project, entry)
  if (site === undefined || others.length > 0) return undefined
  const root = site.literal
  if (root === undefined) return undefined
  if (step.op === 'set') return set(project, root, stepsOf(step.pointer), step.source)
  if (step.op === 'move') return move(project, root, step)
  const member = exactly(project, root, step.pointer)
  if (member === undefined) return undefined
  remove(project, member)
  return safetyOf(member)
}

/** An expression that is no constant is the decision of whoever wrote it. */
function safetyOf({ value }: Member): EditSafety {
  return isConstant(value) ? 'safe' : 'review'
}

function exactly(project: Project, root: Found, pointer: string): Member | undefined {
  const steps = stepsOf(pointer)
  const { member, depth } = follow(project, root, steps)
  return depth === steps.length ? member : undefined
}

function set(project: Project, root: Found, steps: readonly string[], source: string): EditSafety | undefined {
  const { member, depth } = follow(project, root, steps)
  if (depth === steps.length && member !== undefined) {
    const { module, whole, value } = member
    if (isAccessor(member)) return undefined
    const safety = safetyOf(member)
    const isShorthand = whole['shorthand'] === true
    replace(project, module, isShorthand ? whole : value, isShorthand ? `${steps.at(-1)}: ${source}` : source)
    return importNames(project, module.file, source) ? safety : undefined
  }
  const parent = member === undefined ? root : literalOf(project, { module: member.module, node: member.value })
  if (parent?.node.type !== 'ObjectExpression') return undefined
  const [name = '', ...rest] = steps.slice(depth)
  const safety = hasUnknownSpread(project, parent) ? 'review' : 'safe'
  insert(project, parent, `${name}: ${rest.reduceRight((inner, step) => `{ ${step}: ${inner} }`, source)}`)
  return importNames(project, parent.module.file, source) ? safety : undefined
}

/** Members that are not known may hold the option already, for some case. */
function hasUnknownSpread(project: Project, { module, node }: Found): boolean {
  return (node['properties'] as Node[]).some(({ type, argument }) => {
    return type === 'SpreadElement' && literalOf(project, { module, node: argument as Node }) === undefined
  })
}

function isAccessor({ whole }: Member): boolean {
  return whole['method'] === true || (whole['kind'] ?? 'init') !== 'init'
}

function move(project: Project, root: Found, { from, pointer }: FixStep & { op: 'move' }): EditSafety | undefined {
  const member = exactly(project, root, from)
  if (member === undefined) return undefined
  const [steps, old] = [stepsOf(pointer), stepsOf(from)]
  const isRename = steps.length === old.length && steps.slice(0, -1).join() === old.slice(0, -1).join()
  if (isRename && exactly(project, root, pointer) === undefined && member.whole['shorthand'] !== true) {
    replace(project, member.module, member.whole['key'] as Node, steps.at(-1) as string)
    return 'safe'
  }
  if (isAccessor(member)) return undefined
  // The expression goes along as it is written.
  const value = member.module.text.slice(member.value.start, member.value.end)
  remove(project, member)
  return setAgain(project, member.module.file, root, steps, value)
}

/**
 * Sets options again after a removal. The removal has changed the tree, so the options are found by the place where
 * they begin.
 */
function setAgain(
  project: Project,
  file: string,
  root: Found,
  steps: readonly string[],
  source: string,
): EditSafety | undefined {
  // The text parsed with the member, so the text without the member parses too.
  const again = objectAt(project.module(root.module.file) as SourceModule, root.node.start)
  return again !== undefined && file === root.module.file ? set(project, again, steps, source) : undefined
}

function objectAt(module: SourceModule, start: number): Found | undefined {
  const found = findNode(module.program, start)
  return found === undefined ? undefined : { module, node: found }
}

function findNode(node: Node, start: number): Node | undefined {
  if (node.type === 'ObjectExpression' && node.start === start) return node
  for (const child of Object.values(node).flat()) {
    const candidate = child as Node | null
    if (typeof candidate?.type !== 'string' || candidate.start > start || candidate.end <= start) continue
    const found = findNode(candidate, start)
    if (found !== undefined) return found
  }
  return undefined
}

/** Literals, and lists and objects of literals. */
function isConstant(node: Node): boolean {
  if (node.type === 'Literal') return true
  const parts = PARTS[node.type]
  return (
    parts !== undefined && parts.every((part) => [node[part]].flat().every((one) => isNode(one) && isConstant(one)))
  )
}

/** The parts of an expression that make it a constant when they are constants. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  ArrayExpression: ['elements'],
  ObjectExpression: ['properties'],
  Property: ['value'],
  ParenthesizedExpression: ['expression'],
  TemplateLiteral: ['expressions'],
  TSAsExpression: ['expression'],
  TSSatisfiesExpression: ['expression'],
  UnaryExpression: ['argument'],
}

function replace(project: Project, { file, text }: SourceModule, { start, end }: Node, source: string): void {
  project.edit(file, text.slice(0, start) + source + text.slice(end))
}

/** Adds a member behind the last one, on a line of its own where the others have theirs. */
function insert(project: Project, { module, node }: Found, member: string): void {
  const { file, text } = module
  const last = (node['properties'] as Node[]).at(-1)
  if (last === undefined) {
    replace(project, module, node, `{ ${member} }`)
    return
  }
  const lineStart = text.lastIndexOf('\n', last.start) + 1
  const isOnItsLine = lineStart > node.start && text.slice(lineStart, last.start).trim() === ''
  const before = isOnItsLine ? `,\n${text.slice(lineStart, last.start)}` : ', '
  project.edit(file, text.slice(0, last.end) + before + member + text.slice(last.end))
}

/** Takes a member out with its comma, and with its line where it has one. */
function remove(project: Project, { module, whole }: Member): void {
  const { file, text } = module
  let { start, end } = whole
  const comma = /^\s*,/.exec(text.slice(end))
  if (comma !== null) end += comma[0].length
  else start = text.slice(0, start).replace(/,?\s*$/, '').length
  const lineStart = text.lastIndexOf('\n', start - 1) + 1
  const rest = /^[ \t]*\r?\n/.exec(text.slice(end))
  if (comma !== null && rest !== null && text.slice(lineStart, start).trim() === '') {
    start = lineStart
    end += rest[0].length
  } else if (comma !== null) end += text.slice(end).search(/[^ \t]|$/)
  project.edit(file, text.slice(0, start) + text.slice(end))
}
