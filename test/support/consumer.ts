import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { installedPackages } from './packages.ts'
import { run } from './run.ts'
import type { Tarball } from './tarball.ts'

/** The contents of a consumer project. */
interface Consumer {
  /** The set of packages beside this one, as `installedPackages` names it. */
  packages: string
  /** A folder that is copied into the project. */
  fixtures?: string
  /** Fields of its package.json. */
  manifest?: object
}

const NAME = 'fastify-session-guard'

/**
 * Makes a project that has the packed package installed. The project lies in a temporary folder, so that nothing of
 * this repository resolves in it by accident. The test's teardown removes the folder.
 */
export async function consumerProject(
  t: { teardown(end: () => unknown): unknown },
  tarball: Tarball,
  { packages, fixtures, manifest = {} }: Consumer,
): Promise<string> {
  const project = await mkdtemp(join(tmpdir(), 'session-guard-consumer-'))
  t.teardown(() => rm(project, { recursive: true, force: true }))
  const modules = join(project, 'node_modules')
  await install(tarball, join(modules, NAME))
  await linkAll(await installedPackages(packages), modules)
  await refuseMissing(modules)
  if (fixtures !== undefined) await cp(fixtures, project, { recursive: true })
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type: 'module', ...manifest }))
  return project
}

async function install(tarball: Tarball, folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  await run('tar', ['-xzf', tarball.file, '--strip-components=1'], { cwd: folder })
}

async function linkAll(from: string, to: string): Promise<void> {
  for (const name of await readdir(from)) {
    if (!name.startsWith('.') || name === '.bin') await symlink(join(from, name), join(to, name))
  }
}

/** Rejects if a set lacks a dependency of this package, because npm is not asked to install it. */
async function refuseMissing(modules: string): Promise<void> {
  const { dependencies } = JSON.parse(await readFile(join(modules, NAME, 'package.json'), 'utf8')) as {
    dependencies: Record<string, string>
  }
  for (const name of Object.keys(dependencies)) await readFile(join(modules, name, 'package.json'))
}
