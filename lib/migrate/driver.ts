import { createRequire } from 'node:module'
import { format, join, resolve } from 'node:path'

/**
 * The project of the app, and this package, which a monorepo may keep elsewhere. A CommonJS bundle has no
 * `import.meta`: `format` then gives the project again.
 */
const PLACES = [process.cwd(), resolve(format({ dir: import.meta.dirname, base: '.' }))]

/**
 * Loads the package of an old format from the project.
 * @throws `TypeError` that says what to install
 */
export function loadPackage<Package>(migration: string, name: string): Package {
  for (const require of PLACES.map((folder) => createRequire(join(folder, 'package.json')))) {
    try {
      return require(name) as Package
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error
    }
  }
  throw new TypeError(`${migration} reads old cookies with the package ${name}: npm install ${name}`)
}
