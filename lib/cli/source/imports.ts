import { isNode, nodesOf } from './project.ts'
import type { Node, Project, SourceModule } from './project.ts'

/** The modules of names that fixes use. */
const MODULES: Readonly<Record<string, { readonly from: string; readonly isDefault?: true }>> = {
  Database: { from: 'better-sqlite3', isDefault: true },
  openStore: { from: 'fastify-session-guard/stores/open' },
  redisStore: { from: 'fastify-session-guard/stores/redis' },
  sqliteStore: { from: 'fastify-session-guard/stores/sqlite' },
}

/** Names in fixes for what only the app has. */
const OF_THE_APP = ['client', 'users']

/**
 * Adds the imports that an expression in a file needs, in the style of the file. Returns `false` where the expression
 * uses a name that the file lacks and no module is known for.
 */
export function importNames(project: Project, file: string, source: string): boolean {
  const missing = [...Object.keys(MODULES), ...OF_THE_APP].filter((name) => usesName(source, name))
  for (const name of missing) {
    const module = project.module(file)
    if (module === undefined) return false
    if (isBound(module, name)) continue
    if (!Object.hasOwn(MODULES, name)) return false
    project.edit(file, withImport(module, name))
  }
  return true
}

function usesName(source: string, name: string): boolean {
  return new RegExp(`(?<![\\w$.'"])${name}\\b(?!['":])`).test(source)
}

/** Tells whether a file gives a name a meaning anywhere, as an import, a variable, a function or a parameter. */
function isBound({ program }: SourceModule, name: string): boolean {
  for (const node of nodesOf(program)) {
    const parameters = (node['params'] ?? []) as Node[]
    const places = [node['local'], isDeclaration(node) ? node['id'] : undefined, ...parameters]
    if (places.some((place) => isNode(place) && holdsName(place, name))) return true
  }
  return false
}

function isDeclaration({ type }: Node): boolean {
  return type === 'VariableDeclarator' || type === 'FunctionDeclaration' || type === 'ClassDeclaration'
}

function holdsName(pattern: Node, name: string): boolean {
  return [...nodesOf(pattern)].some((node) => node.type === 'Identifier' && node['name'] === name)
}

function withImport(module: SourceModule, name: string): string {
  const { text, program } = module
  const { from, isDefault } = MODULES[name] as { from: string; isDefault?: true }
  const statements = program['body'] as Node[]
  const loading = statements.filter((statement) => loads(module, statement))
  const last = loading.at(-1)
  const style = last === undefined ? text : text.slice(last.start, last.end)
  const quote = /['"]/.exec(style)?.[0] ?? "'"
  const end = last === undefined ? /;[ \t]*$/m.test(text) : style.endsWith(';')
  const bound = isDefault ? name : `{ ${name} }`
  const specifier = quote + from + quote
  const line = isCommonJs(module) ? `const ${bound} = require(${specifier})` : `import ${bound} from ${specifier}`
  const added = line + (end ? ';' : '')
  if (last !== undefined) return `${text.slice(0, last.end)}\n${added}${text.slice(last.end)}`
  // Directives come first, and so do the comments at the head of a file.
  // A file with options has a statement that holds them.
  const { start } = statements.find((statement) => statement['directive'] === undefined) as Node
  return `${text.slice(0, start)}${added}\n\n${text.slice(start)}`
}

/** Tells whether a statement imports a module, or assigns what `require` returns. */
function loads({ text }: SourceModule, { type, start, end }: Node): boolean {
  if (type === 'ImportDeclaration') return true
  return type === 'VariableDeclaration' && /=\s*(\w+\()?require\(/.test(text.slice(start, end))
}

function isCommonJs({ file, text, program }: SourceModule): boolean {
  const isModule = (program['body'] as Node[]).some(({ type }) => /^(Import|Export)\w*Declaration$/.test(type))
  if (isModule || /\.m[jt]s$/.test(file)) return false
  return /\.c[jt]s$/.test(file) || /\brequire\(|\bexports\b/.test(text)
}
