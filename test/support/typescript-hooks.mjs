// Compiles each TypeScript file once, and keeps the result until the file or the compiler changes.
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

const cache = fileURLToPath(new URL('../../node_modules/.cache/typescript/', import.meta.url))
mkdirSync(cache, { recursive: true })
const { version } = createRequire(import.meta.url)('typescript/package.json')

const OPTIONS = {
  target: 'es2023',
  module: 'esnext',
  verbatimModuleSyntax: true,
  inlineSourceMap: true,
  inlineSources: true,
}

export async function load(url, context, next) {
  if (!url.endsWith('.ts')) return next(url, context)
  const path = fileURLToPath(url)
  const text = readFileSync(path, 'utf8')
  const name = createHash('sha256')
    .update(JSON.stringify([version, path, text, OPTIONS]))
    .digest('hex')
  return { format: 'module', source: await readOr(join(cache, name), () => compile(path, text)), shortCircuit: true }
}

async function compile(path, text) {
  const { default: ts } = await import('typescript')
  return ts.transpileModule(text, { fileName: path, compilerOptions: OPTIONS }).outputText
}

/** Returns the text of a file, which is made if it is missing. Other processes may make it at the same time. */
async function readOr(file, make) {
  try {
    return readFileSync(file, 'utf8')
  } catch {
    const text = await make()
    writeFileSync(`${file}.${process.pid}`, text)
    renameSync(`${file}.${process.pid}`, file)
    return text
  }
}
