import { mkdir, mkdtemp, readdir, rm, symlink } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { ROOT } from './imports.ts'
import { buildPackage } from './tarball.ts'

/** A folder in which this package is installed as it is now, beside everything that this repository has installed. */
interface Installed {
  readonly folder: string
  /** The program that npx runs. */
  readonly program: string
  readonly remove: () => Promise<void>
}

/** Builds the sources into a `node_modules` of a new folder. Nothing is fetched. */
export async function installPackage(): Promise<Installed> {
  const folder = await mkdtemp(join(tmpdir(), 'session-guard-installed-'))
  const modules = join(folder, 'node_modules')
  await mkdir(modules)
  for (const name of await readdir(join(ROOT, 'node_modules'))) {
    if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(modules, name))
  }
  const own = join(modules, 'fastify-session-guard')
  await buildPackage(own)
  return {
    folder,
    program: join(own, 'dist/lib/cli/main.js'),
    remove: () => rm(folder, { recursive: true, force: true }),
  }
}
