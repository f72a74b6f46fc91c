import type { FindingLocation } from '../../types/index.ts'
import { applyChanges } from './read/apply-changes.ts'
import { isBag } from './read/read-options.ts'
import type { ReadOptions } from './read/read-options.ts'
import type { Change, Fix } from './rules/fix.ts'
import type { ChooseFix } from './rules/rule.ts'

/** One finding of a trial: which rule, where, whether it refuses the boot, and how to make it go away. */
export interface Trial {
  readonly slug: string
  readonly pointer: string
  readonly isFatal: boolean
  readonly fixes: readonly Fix[]
}

/** The pointer of the place that a finding is mostly about; empty where there is none. */
export function firstPointer(at: readonly FindingLocation[]): string {
  return at
    .slice(0, 1)
    .map(({ pointer }) => pointer)
    .join('')
}

/** Options with a thousand mistakes are judged all the same, but not tried a thousand times. */
const MAX_TRIALS = 250

const MAX_SIZE = 100

/**
 * The number of further fixes that one fix may need, when it uncovers faults that a meaningless value or a relaxed
 * environment hid.
 */
const MAX_EXTENSIONS = 12

/**
 * Picks fixes by trying them. A fix is offered only if its own finding is gone afterwards and no other fatal finding
 * has come. This must hold when the fix is followed alone. This must also hold together with the fixes of the fatal
 * findings before it. A fix that brings no other finding at all comes first. `judge` returns the findings of options.
 */
export function fixChooser(read: ReadOptions, judge: (read: ReadOptions) => readonly Trial[]): ChooseFix {
  const bench = new Bench(read, judge)
  const accepted: Change[] = []
  return ({ slug }, { at, fixes = [] }) => {
    if (fixes.length === 0 || isLarge(read)) return undefined
    const own = keyOf({ slug, pointer: firstPointer(at) })
    const best = bench.plain(own, fixes, accepted) ?? bench.extend(own, fixes, accepted)
    if (best !== undefined && bench.isFatal(own)) accepted.push(...best.fix.changes)
    return best?.fix
  }
}

/** A fix that passed; quiet when no other finding came. */
interface Tried {
  readonly fix: Fix
  readonly isQuiet: boolean
}

/** The findings that changes bring, and the one that they were to take away, where it is left. */
interface News {
  readonly trials: readonly Trial[]
  readonly left: (own: string) => Trial | undefined
}

/** A trial of fixes on one set of options. */
class Bench {
  readonly #read: ReadOptions
  readonly #judge: (read: ReadOptions) => readonly Trial[]
  #before: { readonly trials: readonly Trial[]; readonly counts: Counts } | undefined
  #joint: { readonly length: number; readonly counts: Counts } | undefined
  readonly #known = new WeakMap<readonly Change[], readonly Trial[]>()
  #count = 0

  constructor(read: ReadOptions, judge: (read: ReadOptions) => readonly Trial[]) {
    this.#read = read
    this.#judge = judge
  }

  isFatal(own: string): boolean {
    return this.#start().trials.some((trial) => trial.isFatal && keyOf(trial) === own)
  }

  /** The first fix that passes quietly, or else the first that passes. */
  plain(own: string, fixes: readonly Fix[], accepted: readonly Change[]): Tried | undefined {
    let first: Tried | undefined
    for (const fix of fixes) {
      const tried = this.attempt(own, fix, accepted, 0)
      if (tried?.isQuiet === true) return tried
      first ??= tried
    }
    return first
  }

  /** The first fix of a fatal finding that passes when it brings others along. */
  extend(own: string, fixes: readonly Fix[], accepted: readonly Change[]): Tried | undefined {
    if (!this.isFatal(own)) return undefined
    for (const fix of fixes) {
      const tried = this.attempt(own, fix, accepted, MAX_EXTENSIONS)
      if (tried !== undefined) return tried
    }
    return undefined
  }

  attempt(own: string, fix: Fix, accepted: readonly Change[], extensions: number): Tried | undefined {
    const alone = this.#extend(own, fix.changes, [], extensions)
    const isJoint = accepted.length > 0 && this.isFatal(own)
    const changes = alone !== undefined && isJoint ? this.#extend(own, alone, accepted, extensions) : alone
    if (changes === undefined) return undefined
    const news = this.#news(changes, this.#start().counts)
    if (news === undefined || news.left(own) !== undefined) return undefined
    if (news.trials.some(({ isFatal }) => isFatal)) return undefined
    return { fix: withAll(fix, changes), isQuiet: news.trials.length === 0 }
  }

  /** Adds what makes new fatal findings go away; `undefined` where nothing does. */
  #extend(
    own: string,
    changes: readonly Change[],
    accepted: readonly Change[],
    extensions: number,
  ): readonly Change[] | undefined {
    let extended = changes
    for (let round = 0; round <= extensions; round += 1) {
      const news = this.#news(
        accepted.length === 0 ? extended : [...accepted, ...extended],
        this.#countsAfter(accepted),
      )
      const left = news?.left(own) ?? news?.trials.find(({ isFatal }) => isFatal)
      if (left === undefined) return extended
      const more = left.fixes.slice(0, 1).flatMap((fix) => fix.changes)
      if (more.length === 0) return undefined
      extended = [...extended, ...more.map((change) => beforeRemovals(change, [...accepted, ...extended]))]
    }
    return undefined
  }

  #start(): { readonly trials: readonly Trial[]; readonly counts: Counts } {
    if (this.#before === undefined) {
      const trials = this.#judge(this.#read)
      this.#before = { trials, counts: countOf(trials) }
    }
    return this.#before
  }

  /** Returns the findings after changes. The same list of changes is tried once. */
  #after(changes: readonly Change[]): readonly Trial[] | undefined {
    const known = this.#known.get(changes)
    if (known !== undefined || this.#count >= MAX_TRIALS) return known
    this.#count += 1
    const trials = this.#judge(applyChanges(this.#read, changes))
    this.#known.set(changes, trials)
    return trials
  }

  /** Returns the findings that remain after the earlier fixes. */
  #countsAfter(accepted: readonly Change[]): Counts {
    if (accepted.length === 0) return this.#start().counts
    if (this.#joint?.length !== accepted.length) {
      const counts = countOf(this.#judge(applyChanges(this.#read, accepted)))
      this.#joint = { length: accepted.length, counts }
    }
    return this.#joint.counts
  }

  /** The findings that changes bring; `undefined` when enough was tried. */
  #news(changes: readonly Change[], before: Counts): News | undefined {
    const after = this.#after(changes)
    if (after === undefined) return undefined
    const counts = countOf(after)
    return {
      trials: after.filter((trial) => count(counts, levelOf(trial)) > count(before, levelOf(trial))),
      left: (own) =>
        count(before, own) > 0 && count(counts, own) >= count(before, own)
          ? after.find((trial) => keyOf(trial) === own)
          : undefined,
    }
  }
}

/** A fix with what it brings along. Members that were written for the fix alone do not hold that. */
function withAll({ snippet, ...fix }: Fix, changes: readonly Change[]): Fix {
  if (changes.length > fix.changes.length) {
    return { ...fix, changes, confidence: 'review', ...(snippet === null ? { snippet } : {}) }
  }
  return snippet === undefined ? fix : { ...fix, snippet }
}

/** The index of a list that a change names, counted as before earlier changes removed elements of that list. */
function beforeRemovals(change: Change, earlier: readonly Change[]): Change {
  const [root, index, ...rest] = change.path
  if (root === undefined || typeof index !== 'number') return change
  const removed = earlier.flatMap(({ op, path }) =>
    op === 'remove' && path.length === 2 && path[0] === root ? path[1] : [],
  )
  const before = removed.map(Number).toSorted((left, right) => left - right)
  return {
    ...change,
    path: [root, before.reduce((place, gone) => (gone <= place ? place + 1 : place), index), ...rest],
  }
}

type Counts = ReadonlyMap<string, number>

/** A place with its indexes left out: an element that goes moves those behind it. */
function keyOf({ slug, pointer }: Pick<Trial, 'slug' | 'pointer'>): string {
  return `${slug} ${pointer.replaceAll(/\/\d+/g, '/#')}`
}

/** A warning that becomes fatal is another finding. */
function levelOf(trial: Trial): string {
  return `${trial.isFatal ? 'fatal' : 'other'} ${keyOf(trial)}`
}

function countOf(trials: readonly Trial[]): Counts {
  const counts = new Map<string, number>()
  for (const trial of trials) {
    for (const key of [keyOf(trial), levelOf(trial)]) counts.set(key, count(counts, key) + 1)
  }
  return counts
}

function count(counts: Counts, key: string): number {
  return counts.get(key) ?? 0
}

const MAX_LENGTH = 10_000

/** Tells whether options hold more than anybody writes by hand. */
function isLarge({ root }: ReadOptions): boolean {
  const members = Object.values(root).flatMap((value) => (isBag(value) ? Object.values(value) : [value]))
  return (
    Object.keys(root).length > MAX_SIZE ||
    members.some((value) => (Array.isArray(value) ? value.length > MAX_SIZE : isLong(value)))
  )
}

function isLong(value: unknown): boolean {
  return typeof value === 'string' && value.length > MAX_LENGTH
}
