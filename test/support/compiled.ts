import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { dirname, join, relative, resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** Packages are found from here, as from the sources. */
const HOME = join(ROOT, 'node_modules/.cache')

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  module: ts.ModuleKind.ESNext,
  verbatimModuleSyntax: true,
  rewriteRelativeImportExtensions: true,
}

const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*['"](\.[^'"]+)\.js['"]/g

/**
 * Compiles a module and what it imports, and returns the path of the result, which is gone with this process. A process
 * that runs it starts in a second. One that compiles for itself takes ten.
 */
export function compiled(file: string): string {
  mkdirSync(HOME, { recursive: true })
  const home = mkdtempSync(join(HOME, 'compiled-'))
  process.once('exit', () => rmSync(home, { recursive: true, force: true }))
  writeFileSync(join(home, 'package.json'), '{ "type": "module" }')
  const targetOf = (source: string): string => join(home, relative(ROOT, source).replace(/\.ts$/, '.js'))
  const seen = new Set([file])
  for (const source of seen) {
    const { outputText } = ts.transpileModule(readFileSync(source, 'utf8'), { compilerOptions: OPTIONS })
    mkdirSync(dirname(targetOf(source)), { recursive: true })
    writeFileSync(targetOf(source), outputText)
    for (const [, path = ''] of outputText.matchAll(RELATIVE_IMPORT)) seen.add(resolve(dirname(source), `${path}.ts`))
  }
  return targetOf(file)
}

/** Returns this process's environment without what makes a process compile its sources. */
export function plainEnvironment(): NodeJS.ProcessEnv {
  const { NODE_OPTIONS: _left, ...rest } = process.env
  return rest
}
