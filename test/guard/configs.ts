import { randomBytes } from 'node:crypto'
import { runInNewContext } from 'node:vm'
import { checkConfig } from '../../lib/guard/check.ts'
import type { CheckContext, EnvironmentInput } from '../../lib/guard/read/environment.ts'
import type { Finding } from '../../types/index.ts'

const method = async (): Promise<undefined> => undefined

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
  }
  return { ...(runInNewContext(`({ ${source}\n })`, names) as object) }
}

/** Puts a finding's snippet in the place of what the finding is about. */
export function paste(options: Record<string, unknown>, finding: Finding): Record<string, unknown> {
  const pasted = copy(options) as Record<string, unknown>
  for (const { pointer } of finding.at) removeAt(pasted, pointer.split('/').slice(1))
  return merge(pasted, evaluate(finding.fix.snippet ?? ''))
}

function removeAt(container: Record<string, unknown>, [key, ...rest]: string[]): void {
  if (key === undefined) return
  const inner = container[key]
  if (rest.length === 0) delete container[key]
  else if (Array.isArray(inner)) inner.splice(Number(rest[0]), 1)
  else if (isPlain(inner)) removeAt(inner, rest)
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
