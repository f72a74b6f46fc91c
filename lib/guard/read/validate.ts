import { Ajv } from 'ajv'
import type { ErrorObject } from 'ajv'
import { parseDuration } from '../../session/duration.ts'
import { DECORATORS } from '../../options.ts'
import { clockFlaw } from './clock-flaw.ts'
import { judgeKey } from './judge-key.ts'
import { isMigration } from './migration-facts.ts'
import { isOrigin } from './origin-syntax.ts'
import { isBag } from './read-options.ts'
import { isWithin, valueAt } from './apply-changes.ts'
import { OPTIONS_SCHEMA } from './schema.ts'
import { schemaAt, siblingsOf } from './schema-places.ts'
import type { StrangeKey } from './judge-key.ts'
import type { Path } from './show-value.ts'
import type { Bag, ReadOptions, Unreadable } from './read-options.ts'

interface TypeFault {
  readonly path: Path
  readonly rule: 'option-type'
  /** Completes "must be …". */
  readonly expected: string
  /** The reason why the place could not be read at all. */
  readonly unreadable?: Unreadable['reason']
}

/** A place of the options that is not what the schema says. */
export type Fault =
  | TypeFault
  | ({ readonly path: Path } & (StrangeKey | { rule: 'duration-unit' | 'samesite-invalid' }))

// `verbose` would put the values, secrets among them, into the errors.
const ajv = new Ajv({ allErrors: true, strict: true, allowUnionTypes: true, coerceTypes: false, messages: false })

ajv.addKeyword({
  keyword: 'typeof',
  schemaType: 'string',
  errors: false,
  validate: (kind: string, value: unknown) => typeof value === kind,
})

ajv.addKeyword({
  keyword: 'duration',
  schemaType: 'object',
  errors: false,
  validate: (range: DurationRange, value: unknown) => {
    if (typeof value === 'function') return range.orFunction === true
    if (value === 0) return range.zero === 'allowed'
    const length = parseDuration(value)
    if (length === undefined) return false
    return length <= (parseDuration(range.most) ?? Infinity) && (length > 0 || range.zero === 'allowed')
  },
})

ajv.addKeyword({
  keyword: 'origin',
  schemaType: 'boolean',
  errors: false,
  validate: (_: true, value: unknown) => isOrigin(value),
})

ajv.addKeyword({
  keyword: 'migration',
  schemaType: 'boolean',
  errors: false,
  validate: (_: true, value: unknown) => isMigration(value),
})

ajv.addKeyword({
  keyword: 'clock',
  schemaType: 'boolean',
  errors: false,
  validate: (_: true, value: unknown) => typeof value === 'function' && clockFlaw(value as () => unknown) === undefined,
})

const validate = ajv.compile<Bag>(OPTIONS_SCHEMA)

/** Everything about the shape of the options that is wrong, one fault a place. */
export function faultsOf({ root, isObject, unreadable }: ReadOptions): Fault[] {
  const faults: Fault[] = unreadable.map(({ path, reason }) => ({ ...typeFault(path), unreadable: reason }))
  if (!isObject) return [...faults, typeFault([])]
  faults.push(...clashes(root['decorators']))
  if (validate(root)) return faults
  const places = new Map<string, Path>()
  for (const error of validate.errors as ErrorObject[]) {
    const path = pathOf(error)
    // A value that could not be read is absent. The schema would report it twice: as missing in the option around it,
    // and as a fault of its own.
    const isUnread = faults.some((fault) => isWithin(fault.path, path) || isWithin(path, fault.path))
    if (!isUnread) places.set(JSON.stringify(path), path)
  }
  for (const path of places.values()) {
    if (!hasDeeper(path, places.values())) faults.push(faultAt(path, root))
  }
  return faults
}

const OF_THE_APP = new Set(['requireLogin', 'sessions'])

/** Names of decorators that another one has already: Fastify would say only that one exists. */
function clashes(decorators: unknown): Fault[] {
  if (!isBag(decorators)) return []
  const all: [string, unknown][] = [['session', 'session'], ...Object.entries({ ...DECORATORS, ...decorators })]
  const isTaken = (key: string): boolean =>
    all.some(
      ([other, name]) =>
        other !== key && name !== '' && name === decorators[key] && OF_THE_APP.has(other) === OF_THE_APP.has(key),
    )
  return Object.keys(DECORATORS)
    .filter((key) => typeof decorators[key] === 'string' && isTaken(key))
    .map((key) => ({ ...typeFault(['decorators', key]), expected: 'a name that no other decorator has' }))
}

function faultAt(path: Path, root: Bag): Fault {
  const node = schemaAt(path)
  if (node === undefined) return { path, ...judgeKey(path, siblingsOf(path)) }
  if (path[0] === 'cookie' && path[1] === 'sameSite') return { path, rule: 'samesite-invalid' }
  const range = node['duration'] as DurationRange | undefined
  const value = valueAt(root, path)
  if (range !== undefined && lacksUnit(value)) return { path, rule: 'duration-unit' }
  return range !== undefined && typeof value === 'string'
    ? { ...typeFault(path), expected: `a duration ${rangeOf(range, value)}` }
    : typeFault(path)
}

/** The lengths that a duration may have. */
interface DurationRange {
  readonly zero: 'refused' | 'allowed'
  readonly most?: string
  readonly orFunction?: boolean
}

/** The longest duration that milliseconds count exactly. */
const LONGEST = `${Math.floor(Number.MAX_SAFE_INTEGER / 86_400_000)}d`

/** Returns the range that a duration with its unit is out of. */
function rangeOf({ zero, most }: DurationRange, value: string): string {
  const isEndless = parseDuration(value) === undefined && !value.startsWith('-')
  const end = most ?? (isEndless ? LONGEST : undefined)
  if (zero === 'allowed') return `from 0s${end === undefined ? '' : ` to ${end}`}`
  return `longer than 0s${end === undefined ? '' : ` and at most ${end}`}`
}

function typeFault(path: Path): TypeFault {
  return { path, rule: 'option-type', expected: schemaAt(path)?.description ?? 'readable' }
}

/**
 * Tells whether a duration is a number, or a text that does not end with a unit. A wrong duration with a unit is too
 * long, negative or zero.
 */
function lacksUnit(value: unknown): boolean {
  if (typeof value === 'number') return Number.isFinite(value) && value >= 0
  return typeof value === 'string' && !/^-?\d+(ms|s|m|h|d)$/.test(value.slice(0, 64))
}

/** Returns the path of an error. Only the root and `silence` nest lists; ajv writes list indexes as digits. */
function pathOf(error: ErrorObject): Path {
  const steps: (string | number)[] = error.instancePath
    .split('/')
    .slice(1)
    .map((step, index) => (index === 1 && /^\d+$/.test(step) ? Number(step) : step))
  const { additionalProperty, missingProperty } = error.params as Record<string, string | undefined>
  const last = additionalProperty ?? missingProperty
  return last === undefined ? steps : [...steps, last]
}

function hasDeeper(path: Path, others: Iterable<Path>): boolean {
  for (const other of others) {
    if (other.length > path.length && isWithin(other, path)) return true
  }
  return false
}
