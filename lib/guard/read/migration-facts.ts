import type { Migration } from '../../../types/index.ts'

/** Tells whether a value is what a function of `fastify-session-guard/migrate/*` returns. A hostile value is none. */
export function isMigration(value: unknown): value is Migration {
  try {
    const { from, cookieNames, prepare, read, user } = value as Partial<Record<keyof Migration, unknown>>
    return typeof from === 'string' && Array.isArray(cookieNames) && [prepare, read, user].every(isFunction)
  } catch {
    return false
  }
}

function isFunction(value: unknown): boolean {
  return typeof value === 'function'
}
