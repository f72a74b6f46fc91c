import { createRequire } from 'node:module'
import { join } from 'node:path'

/** What went wrong with a store, in words that can be printed: no stack, no URL, no password. */
export class StoreUnusable extends Error {}

/** A driver's exports. */
export type DriverModule = Record<string, unknown>

/**
 * The first of these packages that the project in `cwd` has installed.
 * @throws `StoreUnusable` naming the package to install, or the one that does not load
 */
export function loadDriver<Driver = DriverModule>(cwd: string, names: readonly [string, ...string[]]): Driver {
  const require = createRequire(join(cwd, 'package.json'))
  for (const name of names) {
    try {
      return require(name) as Driver
    } catch (error) {
      if (!isMissing(error, name)) throw new StoreUnusable(`The package ${name} does not load: ${firstLine(error)}`)
    }
  }
  const [first, ...others] = names.filter((name) => !name.startsWith('node:'))
  const choice = others.length === 0 ? '' : ` (or ${others.join(', ')})`
  throw new StoreUnusable(
    `This store needs the package ${first}${choice}, which this project does not have: npm install ${first}`,
  )
}

function isMissing(error: unknown, name: string): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_UNKNOWN_BUILTIN_MODULE') return true
  // A driver that misses a package of its own is there, and broken.
  return code === 'MODULE_NOT_FOUND' && firstLine(error).includes(`'${name}'`)
}

/** An error in one line, for people. Errors of several attempts to connect have no message of their own. */
export function firstLine(error: unknown): string {
  const inner = error instanceof AggregateError && error.message === '' ? (error.errors[0] as unknown) : error
  const { message, code } = (inner ?? {}) as { message?: unknown; code?: unknown }
  const [line = ''] = [message, code]
    .filter((text) => typeof text === 'string' && text !== '')
    .join('\n')
    .split('\n')
  return line === '' ? 'unknown error' : line
}
