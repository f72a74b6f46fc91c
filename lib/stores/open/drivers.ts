import { causeOf } from '../../storage/cause.ts'
import { requireOf } from '../package-folders.ts'

/** An error whose message can be printed: it holds no URL and no password. */
export class StoreUnusable extends Error {}

/** A driver's exports. */
export type DriverModule = Record<string, unknown>

/**
 * Loads the first of these packages that a project has installed.
 * @param from folders of projects, the first one before the others
 * @throws `StoreUnusable` naming the package to install, or the one that does not load
 */
export function loadDriver<Driver = DriverModule>(
  from: readonly string[],
  names: readonly [string, ...string[]],
): Driver {
  for (const require of from.map(requireOf)) {
    for (const name of names) {
      try {
        return require(name) as Driver
      } catch (error) {
        if (!isMissing(error, name)) throw new StoreUnusable(`The package ${name} does not load: ${firstLine(error)}`)
      }
    }
  }
  throw new StoreUnusable(missing(names.filter((name) => !name.startsWith('node:'))))
}

function missing([first, ...others]: readonly string[]): string {
  if (first === undefined) return 'This store needs better-sqlite3 13 or later: npm install better-sqlite3@latest'
  const choice = others.length === 0 ? '' : ` (or ${others.join(', ')})`
  return `This store needs the package ${first}${choice}, which this project does not have: npm install ${first}`
}

/** The version of a package that a project has installed; `undefined` for none. */
export function installedVersion(from: readonly string[], name: string): string | undefined {
  for (const require of from.map(requireOf)) {
    try {
      return (require(`${name}/package.json`) as { version: string }).version
    } catch {
      // Another folder may have it; a package that does not show its version is loaded like any other.
    }
  }
  return undefined
}

function isMissing(error: unknown, name: string): boolean {
  const { code } = error as NodeJS.ErrnoException
  if (code === 'ERR_UNKNOWN_BUILTIN_MODULE') return true
  // A driver that lacks a package of its own is installed, but broken.
  return code === 'MODULE_NOT_FOUND' && firstLine(error).includes(`'${name}'`)
}

/** An error in one line, for people. */
export function firstLine(error: unknown): string {
  const [line = ''] = causeOf(error).message.split('\n')
  return line
}
