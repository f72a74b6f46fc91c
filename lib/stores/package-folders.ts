import nodeModule from 'node:module'
import { dirname, format, join, resolve } from 'node:path'

/**
 * The folder of this package, or of the ES module bundle that holds this package. A CommonJS bundle has no
 * `import.meta`: `format` then returns the working directory.
 */
const OWN_FOLDER = resolve(format({ dir: import.meta.dirname, base: '.' }))

/** The folder of the program. A service often has another working directory. */
const PROGRAM_FOLDERS = process.argv.slice(1, 2).map((program) => dirname(resolve(program)))

/** Returns the folders from which the packages of an app can be found, its project first. */
export function packageFolders(project: string = process.cwd()): readonly [string, ...string[]] {
  return [project, OWN_FOLDER, ...PROGRAM_FOLDERS]
}

/** Returns the `require` of a folder. webpack would remove the call of a `createRequire` imported by name. */
export function requireOf(folder: string): NodeJS.Require {
  return nodeModule.createRequire(join(folder, 'package.json'))
}
