import { randomBytes } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { checkConfig } from '../../lib/guard/check.ts'
import { cookieSession } from '../../lib/migrate/cookie-session.ts'
import { expressSession } from '../../lib/migrate/express-session.ts'
import type { CheckContext, EnvironmentInput } from '../../lib/guard/read/environment.ts'
import type { Finding } from '../../types/index.ts'

const method = async (): Promise<undefined> => undefined

/** A store of express-session. */
const STORE_OF_OLD = { get: method, destroy: method }

/** A store as the guard sees one: methods, and nothing to complain about. */
export const STORE = {
  get: method,
  create: method,
  update: method,
  touch: method,
  delete: method,
  addToIndex: method,
  keepInIndex: method,
  removeFromIndex: method,
  listIndex: method,
  raiseCutoff: method,
  readCutoff: method,
  listAll: method,
  count: method,
}

export const SECRET: string = randomBytes(32).toString('base64url')

/** Options that break no rule in production. */
export function good(options: object = {}): Record<string, unknown> {
  return { secret: SECRET, store: STORE, tls: 'proxy', maxSessions: 3, ...options }
}

/** `fatal samesite-invalid`, for each finding that is not silenced. */
export function judge(
  options: unknown,
  environment: EnvironmentInput = 'production',
  context: CheckContext = {},
): string[] {
  return named(checkConfig(options, environment, context))
}

export function named(findings: readonly Finding[]): string[] {
  return findings
    .filter(({ silenced }) => silenced === undefined)
    .map(({ rule, severity }) => `${severity} ${rule.replace('session/', '')}`)
}

/** Source text of an options object's members, run where snippets expect to be pasted. */
export function evaluate(source: string): Record<string, unknown> {
  const names = {
    process: { env: { SESSION_SECRET: SECRET, OLD_SESSION_SECRET: randomBytes(32).toString('base64url') } },
    store: STORE,
    client: {},
    Database: Object,
    sqliteStore: () => STORE,
    redisStore: () => STORE,
    expressStore: () => STORE,
    expressSession,
    cookieSession,
    openStore: () => STORE,
    oldStore: STORE_OF_OLD,
    user: () => null,
  }
  return { ...(runInNewContext(`({ ${source.replaceAll('await openStore', 'openStore')}\n })`, names) as object) }
}

/** Follows the steps of fixes, those of one finding after those of the other. */
export function follow(options: Record<string, unknown>, findings: readonly Finding[]): Record<string, unknown> {
  const changed = copy(options) as Record<string, unknown>
  const gone = new Set<string>()
  for (const step of findings.flatMap(({ fix }) => fix.patch ?? [])) {
    if (step.op === 'set') setAt(changed, step.pointer, evaluate(`value: ${step.source}`)['value'])
    else if (step.op === 'move') setAt(changed, step.pointer, valueAt(changed, step.from))
    // A member that one fix takes out and a later one sets is there in the end.
    if (step.op !== 'remove') gone.delete(step.pointer)
    if (step.op !== 'set') gone.add(step.op === 'move' ? step.from : step.pointer)
  }
  const last = (pointer: string): number => Number(/\/(\d+)$/.exec(pointer)?.[1] ?? Infinity)
  for (const pointer of [...gone].toSorted((left, right) => Math.sign(last(right) - last(left)) || 0)) {
    removeAt(changed, pointer)
  }
  return changed
}

function stepsOf(pointer: string): string[] {
  const steps = pointer.split('/').slice(1)
  return steps.map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'))
}

export function valueAt(options: unknown, pointer: string): unknown {
  return stepsOf(pointer).reduce<unknown>(
    (value, step) => (value as Record<string, unknown> | undefined)?.[step],
    options,
  )
}

function setAt(options: Record<string, unknown>, pointer: string, value: unknown): void {
  const steps = stepsOf(pointer)
  const last = steps.pop() as string
  let container = options
  for (const step of steps) {
    if (typeof container[step] !== 'object' || container[step] === null) container[step] = {}
    container = container[step] as Record<string, unknown>
  }
  container[last] = value
}

function removeAt(options: Record<string, unknown>, pointer: string): void {
  const last = stepsOf(pointer).at(-1) as string
  const container = valueAt(options, pointer.slice(0, pointer.lastIndexOf('/')))
  if (Array.isArray(container)) container.splice(Number(last), 1)
  else if (typeof container === 'object' && container !== null) delete (container as Record<string, unknown>)[last]
}

/** Pastes a finding's snippet as its reader would: members of one name join those that stand there. */
export function paste(options: Record<string, unknown>, finding: Finding): Record<string, unknown> {
  return merge(copy(options) as Record<string, unknown>, evaluate(finding.fix.snippet ?? ''))
}

function merge(into: Record<string, unknown>, from: Record<string, unknown>): Record<string, unknown> {
  for (const [key, value] of Object.entries(from)) {
    const old = into[key]
    into[key] = key !== 'store' && isPlain(old) && isPlain(value) ? merge(old, value) : value
  }
  return into
}

function copy(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(copy)
  if (!isPlain(value)) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, copy(member)]))
}

function isPlain(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}
