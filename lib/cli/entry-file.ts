import { existsSync, readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { UsageError } from './io.ts'

const USUAL_FILES = [
  'dist/app.js',
  'dist/index.js',
  'dist/server.js',
  'app.js',
  'app.mjs',
  'app.cjs',
  'server.js',
  'server.mjs',
  'server.cjs',
  'index.js',
  'index.mjs',
  'index.cjs',
  'src/app.js',
  'src/server.js',
  'src/index.js',
  'app.ts',
  'server.ts',
  'index.ts',
  'src/app.ts',
  'src/server.ts',
  'src/index.ts',
]

/**
 * Returns the file that was named by path or `file:` URL. For a folder, this is the file that its package.json, or
 * custom, names.
 * @throws UsageError when there is none
 */
export function fileToCheck(given: string | undefined, cwd: string): string {
  const path = given?.startsWith('file:') ? pathOf(given) : given
  // A URL out of its place may hold a password.
  const isNamed = given !== undefined && !given.includes(':')
  const file = resolve(cwd, path ?? '.')
  if (!existsSync(file)) {
    throw new UsageError(isNamed ? `There is no file ${printable(given)}.` : 'There is no such file.')
  }
  if (!statSync(file).isDirectory()) return file
  const found = [...entriesOf(file), ...USUAL_FILES]
    .map((name) => resolve(file, name))
    .find((name) => existsSync(name) && statSync(name).isFile())
  if (found !== undefined) return found
  throw new UsageError(
    path === undefined
      ? 'No file was given, and package.json names none that exists.'
      : 'The folder has no package.json that names a file, and no file with a usual name, like app.js.',
  )
}

/** A path from the command line as it may be printed: control characters could rewrite what a terminal shows. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '?')
}

function pathOf(url: string): string {
  try {
    return fileURLToPath(url)
  } catch {
    throw new UsageError('The file: URL is not valid.')
  }
}

/** Returns the files that package.json names as the package's own module, the likeliest first. */
function entriesOf(folder: string): string[] {
  try {
    const manifest: unknown = JSON.parse(readFileSync(resolve(folder, 'package.json'), 'utf8'))
    if (typeof manifest !== 'object' || manifest === null) return []
    const { main, exports } = manifest as { main?: unknown; exports?: unknown }
    const names = [main, exportOf(exports)].filter((name): name is string => typeof name === 'string')
    // `main` may leave out its extension, as `require` allows.
    return names.flatMap((name) => [name, `${name}.js`, `${name}/index.js`])
  } catch {
    return []
  }
}

const CONDITIONS = ['.', 'node', 'import', 'module-sync', 'require', 'default']

/** The file behind `exports`: a name, conditions, or subpaths with conditions. */
function exportOf(exports: unknown): string | undefined {
  if (typeof exports === 'string') return exports
  if (Array.isArray(exports)) return exportOf(exports[0])
  if (typeof exports !== 'object' || exports === null) return undefined
  for (const condition of CONDITIONS) {
    const found = exportOf(Reflect.get(exports, condition))
    if (found !== undefined) return found
  }
  return undefined
}
