import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join, relative, resolve, sep } from 'node:path'
import { fileURLToPath } from 'node:url'
import ts from 'typescript'

/** The folder of package.json, with a slash at its end. */
export const ROOT = fileURLToPath(new URL('../../', import.meta.url))

/** One import, export-from, `import()` or `require()` of a module. */
export interface Import {
  /** The importing file, relative to the root, with forward slashes. */
  from: string
  /** The imported module: a file relative to the root, `node:x`, or a package. */
  to: string
  /** Tells whether the import is gone from the emitted JavaScript. */
  isType: boolean
}

/** TypeScript files below a folder, relative to the root, with forward slashes. */
export function sourceFiles(folder: string): string[] {
  return readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => fromRoot(join(entry.parentPath, entry.name)))
    .toSorted()
}

/** Returns everything that a file imports, in the order of the file. */
export function importsOf(file: string): Import[] {
  const found: Import[] = []
  const add = (specifier: ts.Node | undefined, isType: boolean): void => {
    if (specifier === undefined || !ts.isStringLiteralLike(specifier)) return
    found.push({ from: file, to: target(file, specifier.text), isType })
  }
  const visit = (node: ts.Node): void => {
    if (ts.isImportDeclaration(node)) {
      add(node.moduleSpecifier, node.importClause?.isTypeOnly === true)
    } else if (ts.isExportDeclaration(node)) {
      add(node.moduleSpecifier, node.isTypeOnly)
    } else if (ts.isImportTypeNode(node)) {
      add(ts.isLiteralTypeNode(node.argument) ? node.argument.literal : undefined, true)
    } else if (ts.isCallExpression(node) && isLoader(node.expression)) {
      add(node.arguments[0], false)
    }
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}

/** Tells whether nothing of the file is left when its types are erased. */
export function isTypesOnly(file: string): boolean {
  return parse(file).statements.every(
    (statement) =>
      ts.isInterfaceDeclaration(statement) ||
      ts.isTypeAliasDeclaration(statement) ||
      (ts.isImportDeclaration(statement) && statement.importClause?.isTypeOnly === true) ||
      (ts.isExportDeclaration(statement) && statement.isTypeOnly) ||
      (ts.isModuleDeclaration(statement) && ts.isStringLiteral(statement.name)),
  )
}

/** String literals of a file, for the paths that it hands to other processes. */
export function stringsOf(file: string): string[] {
  const found: string[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node)) found.push(node.text)
    ts.forEachChild(node, visit)
  }
  visit(parse(file))
  return found
}

/** Packages, not files of this repository and not part of Node. */
export function isPackage(to: string): boolean {
  return !to.startsWith('node:') && !/^(lib|types|test|benchmarks)\//.test(to)
}

/** `@fastify/session` for `@fastify/session/lib/store.js`. */
export function packageName(specifier: string): string {
  return specifier.split('/', specifier.startsWith('@') ? 2 : 1).join('/')
}

/** Returns the shortest circle through these imports, as the files along it; `undefined` when there is none. */
export function circleIn(imports: readonly Import[]): string[] | undefined {
  const circles = [...new Set(imports.map(({ from }) => from))].map((start) => wayBack(imports, start))
  return circles.filter((circle) => circle !== undefined).toSorted((a, b) => a.length - b.length)[0]
}

function wayBack(imports: readonly Import[], start: string): string[] | undefined {
  const ways = [[start]]
  const seen = new Set<string>()
  for (const way of ways) {
    for (const { to } of imports.filter(({ from }) => from === way.at(-1))) {
      if (to === start) return [...way, to]
      if (!seen.has(to)) ways.push([...way, to])
      seen.add(to)
    }
  }
  return undefined
}

function isLoader(callee: ts.Expression): boolean {
  if (callee.kind === ts.SyntaxKind.ImportKeyword) return true
  if (ts.isIdentifier(callee)) return callee.text === 'require'
  return ts.isPropertyAccessExpression(callee) && callee.getText().startsWith('require.')
}

/** Returns the syntax tree of a file, whose path is relative to the root. */
export function parse(file: string): ts.SourceFile {
  return ts.createSourceFile(file, readFileSync(join(ROOT, file), 'utf8'), ts.ScriptTarget.ESNext, true)
}

function target(file: string, specifier: string): string {
  return specifier.startsWith('.') ? fromRoot(resolve(ROOT, dirname(file), specifier)) : specifier
}

function fromRoot(path: string): string {
  return relative(ROOT, path).split(sep).join('/')
}
