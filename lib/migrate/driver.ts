import { createRequire } from 'node:module'
import { join } from 'node:path'

/** The project of the app, and this package, which a monorepo may keep elsewhere. */
const PLACES = [join(process.cwd(), 'package.json'), import.meta.url]

/**
 * Loads the package of an old format from the project.
 * @throws `TypeError` that says what to install
 */
export function loadPackage<Package>(migration: string, name: string): Package {
  for (const require of PLACES.map((place) => createRequire(place))) {
    try {
      return require(name) as Package
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error
    }
  }
  throw new TypeError(`${migration} reads old cookies with the package ${name}: npm install ${name}`)
}
