import type { Finding, FindingLocation, SourcePlace } from '../../../types/index.ts'
import { literalOf, memberOf } from './bindings.ts'
import type { Found, Member } from './bindings.ts'
import type { OptionsSite } from './options-literals.ts'
import type { Node, Project, SourceModule } from './project.ts'

/** The steps of an RFC 6901 pointer. */
export function stepsOf(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

/** The member that a path of names leads to, and how many names of the path there were. */
export function follow(
  project: Project,
  root: Found,
  steps: readonly string[],
): { member: Member | undefined; depth: number } {
  let member: Member | undefined
  let place: Found | undefined = root
  for (const [depth, step] of steps.entries()) {
    const next: Member | undefined = place === undefined ? undefined : memberOf(project, place, step)
    if (next === undefined) return { member, depth }
    member = next
    place = literalOf(project, { module: next.module, node: next.value })
  }
  return { member, depth: steps.length }
}

/** The source text at the place of a finding. */
export interface LocatedNode {
  readonly module: SourceModule
  readonly node: Node
  /** Tells whether it is the option itself, and not only the object or the call where the option is missing. */
  readonly isExact: boolean
}

/**
 * Finds where an option is written. If there are several registrations, the one that fits the findings of the guard
 * counts.
 */
export function locateOption(
  project: Project,
  sites: readonly OptionsSite[],
  location: Pick<FindingLocation, 'pointer' | 'value'>,
): LocatedNode | undefined {
  const steps = stepsOf(location.pointer)
  const found = sites.map((site) => {
    const { member, depth } =
      site.literal === undefined ? { member: undefined, depth: 0 } : follow(project, site.literal, steps)
    const isExact = depth === steps.length && member !== undefined
    const place =
      member === undefined ? entryOf(site) : { module: member.module, node: isExact ? member.value : member.whole }
    return { ...place, isExact, fit: fitOf(isExact ? place.node : undefined, location.value), depth }
  })
  const [best] = found.toSorted((left, right) => right.fit - left.fit || right.depth - left.depth)
  return best && { module: best.module, node: best.node, isExact: best.isExact }
}

/** Returns how well the source fits the value in a finding. An option that is missing is written nowhere. */
function fitOf(written: Node | undefined, shown: string): number {
  const isMissing = shown === 'missing' || shown.endsWith('(default)')
  if (written === undefined) return isMissing ? 2 : 0
  if (isMissing) return -1
  return isShown(written, shown) ? 3 : 1
}

/** Tells whether a finding prints a literal as it is written. */
export function isShown({ type, value }: Node, shown: string): boolean {
  return type === 'Literal' && JSON.stringify(value) === shown
}

/** A whole call would be a page: its beginning stands for it. */
function entryOf({ module, site }: OptionsSite): { module: SourceModule; node: Node } {
  const [plugin] = (site['arguments'] ?? []) as Node[]
  return { module, node: plugin === undefined ? { ...site, end: site.start + 1 } : { ...site, end: plugin.end } }
}

/** The line and the column of an offset. */
export function placeIn({ file, text }: SourceModule, offset: number): SourcePlace {
  const before = text.slice(0, offset)
  const line = before.split('\n').length
  return { file, line, column: offset - (before.lastIndexOf('\n') + 1) + 1 }
}

/** Adds to findings of the options where each option is written. */
export function locateFindings(
  project: Project,
  sites: readonly OptionsSite[],
  findings: readonly Finding[],
): Finding[] {
  return findings.map((finding) => ({
    ...finding,
    at: finding.at.map((location) => {
      const located = locateOption(project, sites, location)
      return located === undefined ? location : { ...location, source: placeIn(located.module, located.node.start) }
    }),
  }))
}
