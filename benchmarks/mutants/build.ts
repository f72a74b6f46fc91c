import { cpSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Mutant } from './mutate.ts'
import { compile, mutate } from './mutate.ts'

/** The modules that run beside the tests. */
const TOOL = ['switches', 'root', 'worker']

/** Folders of the tests that no run of mutants needs. */
const SKIPPED = /(?:^|\/)(?:node_modules|packages|examples|bundles|runners|resolution|browser)$/

/** A copy of the project in JavaScript, in which every mutant stands behind a switch. */
interface Build {
  readonly folder: string
  readonly mutants: readonly Mutant[]
  /** The text of each mutated file, by its path. */
  readonly texts: ReadonlyMap<string, string>
}

/** Compiles the project at `root` into `folder`, once for all mutants of the files that `isMutated` names. */
export function build(root: string, folder: string, isMutated: (file: string) => boolean): Build {
  rmSync(folder, { recursive: true, force: true })
  const mutants: Mutant[] = []
  const texts = new Map<string, string>()
  for (const file of ['lib', 'types', 'test', 'benchmarks'].flatMap((name) => filesOf(root, name))) {
    const target = join(folder, file)
    mkdirSync(dirname(target), { recursive: true })
    if (!file.endsWith('.ts') || file.endsWith('.d.ts')) {
      cpSync(join(root, file), target)
      continue
    }
    const source = readFileSync(join(root, file), 'utf8')
    const { code, all } = isMutated(file)
      ? mutate(source, file, mutants.length + 1, toolFrom(file, 'switches'))
      : { code: compile(source, file), all: [] }
    mutants.push(...all)
    if (all.length > 0) texts.set(file, source)
    writeFileSync(target.replace(/\.ts$/, '.js'), file.startsWith('lib/') ? code : asTest(code, file))
  }
  for (const name of TOOL) writeTool(folder, name)
  for (const name of ['package.json', 'README.md', 'CHANGELOG.md']) {
    if (existsSync(join(root, name))) cpSync(join(root, name), join(folder, name))
  }
  return { folder, mutants, texts }
}

/** Returns the files below a folder, from the root of the project. */
function filesOf(root: string, folder: string): string[] {
  if (!existsSync(join(root, folder))) return []
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`
    if (!entry.isDirectory()) return [path]
    return SKIPPED.test(path) ? [] : filesOf(root, path)
  })
}

/** Gives a test the stand-in for `tap`, and compiled files where it names a file as a string. */
function asTest(code: string, file: string): string {
  return code
    .replace(/ from 'tap'/, ` from '${toolFrom(file, 'root')}'`)
    .replaceAll(/(['"])((?:\.{1,2}\/)?[\w./-]+)\.ts\1/g, '$1$2.js$1')
}

function toolFrom(file: string, name: string): string {
  const path = relative(dirname(file), `mutants/${name}.js`)
  return path.startsWith('.') ? path : `./${path}`
}

function writeTool(folder: string, name: string): void {
  const source = [`./${name}.ts`, `./${name}.js`]
    .map((path) => fileURLToPath(new URL(path, import.meta.url)))
    .find(existsSync)
  if (source === undefined) throw new Error(`benchmarks/mutants/${name} is missing`)
  mkdirSync(join(folder, 'mutants'), { recursive: true })
  writeFileSync(join(folder, `mutants/${name}.js`), compile(readFileSync(source, 'utf8'), source))
}
