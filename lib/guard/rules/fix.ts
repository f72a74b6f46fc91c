import { randomBytes } from 'node:crypto'
import type { FindingFix, FixStep } from '../../../types/index.ts'
import { literal, pointerOf, showKey } from '../read/show-value.ts'
import { schemaAt } from '../read/schema-places.ts'
import type { MistakenStore } from '../read/mistaken-store.ts'
import type { Path } from '../read/show-value.ts'

/** One step of a fix: a member of the options that gets a value, another name, or goes. */
export type Change =
  | SetChange
  | { readonly op: 'move'; readonly from: Path; readonly path: Path; readonly source: string }
  | { readonly op: 'remove'; readonly path: Path }

/** Writes a value; `value` is what the expression `source` means, as far as judging it goes. */
export interface SetChange {
  readonly op: 'set'
  readonly path: Path
  readonly source: string
  readonly value: unknown
}

/** A way to make a finding go away. */
export interface Fix {
  readonly changes: readonly Change[]
  /** `safe` has one reading and changes nothing that was right; `review` takes a decision for the author. */
  readonly confidence: 'safe' | 'review'
  /** Members to paste, where they are not what the changes set; `null` for none. */
  readonly snippet?: string | null
}

type Literal = string | number | boolean | readonly string[]

/** Gives a member of the options a literal value. */
export function set(path: Path, value: Literal): SetChange {
  return { op: 'set', path, value, source: sourceOf(value) }
}

/** Gives a member of the options an expression; `value` stands in for its value when the fix is tried. */
export function put(path: Path, source: string, value: unknown): SetChange {
  return { op: 'set', path, source, value }
}

/** Takes a member, or an element of a list, out of the options. */
export function remove(path: Path): Change {
  return { op: 'remove', path }
}

/** Moves a member, with the expression that its author wrote. `source` is that value for a snippet. */
export function move(from: Path, path: Path, source: string): Change {
  return { op: 'move', from, path, source }
}

/** A fix that has one reading. A change of the secret never has, because it logs everybody out. */
export function safely(...changes: Change[]): Fix {
  return { changes, confidence: changes.some(({ path }) => path[0] === 'secret') ? 'review' : 'safe' }
}

/** A fix that takes a decision, which its author should see. */
export function perhaps(...changes: Change[]): Fix {
  return { changes, confidence: 'review' }
}

/** A value as a JavaScript literal. */
export function sourceOf(value: Literal): string {
  if (typeof value === 'string') return literal(value)
  return typeof value === 'object' ? `[${value.map(literal).join(', ')}]` : String(value)
}

const GOOD_SECRET = randomBytes(32).toString('base64url')

/** Takes the secret at a path from the environment. */
export function secretFromEnvironment(path: Path): SetChange {
  return put(path, 'process.env.SESSION_SECRET', GOOD_SECRET)
}

/** A method that judges take for one of a store. Nothing calls it. */
const method: unknown = Function.prototype

const CORE = { get: method, create: method, update: method, touch: method, delete: method }

const INDEX = { addToIndex: method, keepInIndex: method, removeFromIndex: method, listIndex: method }

const POWERS = { raiseCutoff: method, readCutoff: method, listAll: method, count: method }

const STORE = { ...CORE, ...INDEX, ...POWERS }

/** Source of a store for one machine, of one that several share, and of one that a URL names. */
export const ONE_MACHINE = "sqliteStore({ database: new Database('sessions.db') })"
export const SHARED = 'redisStore({ client })'
export const OPENED = 'await openStore(process.env.SESSION_STORE)'

/** Takes another store. */
export function putStore(source: string): SetChange {
  return put(['store'], source, STORE)
}

/** Writes the store that was meant. */
export function replaceStore({ source, isIndexed }: MistakenStore): SetChange {
  return put(['store'], source, isIndexed ? STORE : { ...CORE, ...POWERS })
}

/** A fix as a finding has it. A place whose name is not shown cannot be pointed at, so that there are no steps. */
export function describeFix(fix: Fix): Omit<FindingFix, 'text'> {
  const snippet = snippetOf(fix)
  const paths = fix.changes.flatMap((change) => (change.op === 'move' ? [change.path, change.from] : [change.path]))
  const isPointable = paths.flat().every((step) => typeof step === 'number' || showKey(step) === step)
  return {
    ...(snippet === undefined ? {} : { snippet }),
    ...(isPointable ? { patch: fix.changes.map(stepOf), confidence: fix.confidence } : {}),
  }
}

function stepOf(change: Change): FixStep {
  const pointer = pointerOf(change.path)
  if (change.op === 'remove') return { op: 'remove', pointer }
  if (change.op === 'set') return { op: 'set', pointer, source: change.source }
  return { op: 'move', from: pointerOf(change.from), pointer, source: change.source }
}

/**
 * The members that a fix sets, as text to paste; `undefined` where it sets none, or only elements of a list. An option
 * that has to go for the others to be right stands there as `undefined`, because pasting takes nothing out.
 */
function snippetOf({ changes, snippet }: Fix): string | undefined {
  if (snippet !== undefined) return snippet ?? undefined
  const members = new Map<string, string>()
  for (const change of changes) {
    if (change.path.some((step) => typeof step === 'number')) continue
    if (change.op !== 'remove') members.set(change.path.join('.'), change.source)
    else if (schemaAt(change.path) !== undefined) members.set(change.path.join('.'), 'undefined')
  }
  if ([...members.values()].every((source) => source === 'undefined')) return undefined
  const roots = new Set([...members.keys()].map((path) => path.split('.')[0] as string))
  return [...roots].map((root) => `${root}: ${memberOf(root, members)}`).join(', ')
}

/** The value of a member, or the object with the members of that member. */
function memberOf(root: string, members: ReadonlyMap<string, string>): string {
  const inner = [...members].filter(([path]) => path.startsWith(`${root}.`))
  if (inner.length === 0) return members.get(root) as string
  return `{ ${inner.map(([path, source]) => `${path.slice(root.length + 1)}: ${source}`).join(', ')} }`
}
