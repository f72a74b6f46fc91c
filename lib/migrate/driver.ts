import { packageFolders, requireOf } from '../stores/package-folders.ts'

/**
 * Loads the package of an old format from the project.
 * @throws `TypeError` that says what to install
 */
export function loadPackage<Package>(migration: string, name: string): Package {
  for (const require of packageFolders().map(requireOf)) {
    try {
      return require(name) as Package
    } catch (error) {
      const { code, message } = error as NodeJS.ErrnoException
      if (code !== 'MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw error
    }
  }
  throw new TypeError(`${migration} reads old cookies with the package ${name}: npm install ${name}`)
}
