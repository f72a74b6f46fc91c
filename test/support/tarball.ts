import { cp, mkdir, mkdtemp, readdir, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { run } from './run.ts'
import { ROOT } from './imports.ts'

/** The package that npm would publish, in a temporary folder. */
export interface Tarball {
  /** The .tgz file. */
  file: string
  /** Paths inside, without the leading `package/`. */
  paths: string[]
  /** Removes the folder. */
  remove: () => Promise<void>
}

/** Builds the sources as they are now, away from `dist`, and packs them as `npm publish` would. */
export async function packTarball(): Promise<Tarball> {
  const folder = await mkdtemp(join(tmpdir(), 'session-guard-pack-'))
  const remove = (): Promise<void> => rm(folder, { recursive: true })
  try {
    const packed = await pack(folder)
    return { file: join(folder, packed.filename), paths: packed.files.map(({ path }) => path), remove }
  } catch (error) {
    await remove()
    throw error
  }
}

async function pack(folder: string): Promise<{ filename: string; files: { path: string }[] }> {
  const staging = join(folder, 'staging')
  await buildPackage(staging)
  const npm = ['pack', '--json', '--ignore-scripts', '--pack-destination', folder]
  const { stdout } = await run('npm', npm, { cwd: staging })
  const [packed] = JSON.parse(stdout) as [{ filename: string; files: { path: string }[] }]
  return packed
}

/** Compiles the sources as they are now into a new folder, with the manifest and the papers beside them. */
export async function buildPackage(folder: string): Promise<void> {
  await mkdir(folder, { recursive: true })
  for (const name of await readdir(ROOT)) {
    if (/^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/.test(name)) await cp(join(ROOT, name), join(folder, name))
  }
  const tsc = [join(ROOT, 'node_modules/typescript/bin/tsc'), '-p', join(ROOT, 'tsconfig.json')]
  const to = ['--outDir', join(folder, 'dist'), '--tsBuildInfoFile', join(folder, 'dist/.tsbuildinfo')]
  await run(process.execPath, [...tsc, ...to], { cwd: ROOT })
}
