import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT_NAMES } from '../../guard/read/schema.ts'
import { bindingOf, calleeOf, exportNamed, literalOf, nameOf, patternName, specifierOf } from './bindings.ts'
import type { Found } from './bindings.ts'
import { isNode, nodesOf } from './project.ts'
import type { Node, Project, SourceModule } from './project.ts'

/** The places where an app gives options to the plugin. */
export interface OptionsSite {
  readonly module: SourceModule
  /** The call of `register`, or the export of options. */
  readonly site: Node
  /** The object literal with the options; nothing where there is none, or where none can be found. */
  readonly literal: Found | undefined
}

const AUTOLOAD = '@fastify/autoload'
const PACKAGE = 'fastify-session-guard'
const MAX_FILES = 200
const MAX_DEPTH = 20
const SOURCE = /\.[cm]?[jt]s$/
const OPTIONS_EXPORTS = ['default', 'options', 'sessionOptions', 'secureSessionOptions', 'session', 'secureSession']

/**
 * Finds where the app of a file registers secureSession, or where it exports options. The search covers the file and
 * its imports.
 */
export function optionsSites(project: Project, entry: string): OptionsSite[] {
  const imported = modulesFrom(project, [entry])
  const sites = imported.flatMap((module) => registrations(project, module))
  if (sites.length > 0) return sites
  const module = project.module(entry)
  const exported = module === undefined ? [] : exportedOptions(project, module)
  if (exported.length > 0 || !imported.some(({ text }) => text.includes(AUTOLOAD))) return exported
  // Plugins that are loaded by folder are imported by nobody.
  return modulesFrom(project, filesBelow(dirname(entry))).flatMap((one) => registrations(project, one))
}

/** Returns the files of an app that name the package, however they register it. */
export function filesWithPackage(project: Project, entry: string): SourceModule[] {
  return modulesFrom(project, [entry]).filter(({ text }) => text.includes(PACKAGE))
}

function modulesFrom(project: Project, files: readonly string[]): SourceModule[] {
  const queue = new Set(files)
  const modules: SourceModule[] = []
  for (const file of queue) {
    if (modules.length === MAX_FILES) break
    const module = project.module(file)
    if (module === undefined) continue
    modules.push(module)
    for (const node of nodesOf(module.program)) {
      const specifier = specifierOf(node)
      const next = specifier === undefined ? undefined : project.resolve(specifier, module)
      if (next !== undefined) queue.add(next)
    }
  }
  return modules
}

function filesBelow(folder: string): string[] {
  const files: string[] = []
  const folders = [folder]
  for (const next of folders) {
    for (const entry of readdirSync(next, { withFileTypes: true })) {
      if (entry.name.startsWith('.') || entry.name === 'node_modules') continue
      if (entry.isDirectory() && folders.length < MAX_FILES) folders.push(join(next, entry.name))
      if (entry.isFile() && SOURCE.test(entry.name) && files.length < MAX_FILES) files.push(join(next, entry.name))
    }
  }
  return files
}

function registrations(project: Project, module: SourceModule): OptionsSite[] {
  const sites: OptionsSite[] = []
  for (const node of nodesOf(module.program)) {
    if (node.type !== 'CallExpression' || nameOf(calleeOf(node)) !== 'register') continue
    const [plugin, options] = node['arguments'] as Node[]
    if (plugin === undefined || !isSecureSession(project, module, plugin)) continue
    const literal = options === undefined ? undefined : literalOf(project, { module, node: options })
    sites.push({ module, site: node, literal: literal?.node.type === 'ObjectExpression' ? literal : undefined })
  }
  return sites
}

/** Tells whether an expression is the plugin: what the package exports, in any of the ways that code gets at it. */
function isSecureSession(project: Project, module: SourceModule, node: Node, depth = 0): boolean {
  if (depth > MAX_DEPTH) return false
  if (specifierOf(node) === PACKAGE) return true
  const isIt = (inner: unknown): boolean => isNode(inner) && isSecureSession(project, module, inner, depth + 1)
  if (node.type !== 'Identifier') return innerOf(node).some(isIt)
  const name = nameOf(node)
  if (name === 'secureSession' || isImported(module, name) || isIt(takenApart(module, name))) return true
  const bound = bindingOf(project, module, name)
  return bound !== undefined && isSecureSession(project, bound.module, bound.node, depth + 1)
}

/**
 * The parts of an expression that its value may come from: `s.default`, `s.default ?? s`,
 * `s.__esModule ? s.default : s`, `interopDefault(s)`.
 */
function innerOf(node: Node): unknown[] {
  if (node.type === 'CallExpression') {
    const parameters = node['arguments'] as Node[]
    return parameters.length === 1 ? parameters : []
  }
  return [node['object'], node['argument'], node['expression'], node['left'], node['right'], ...branchesOf(node)]
}

function branchesOf(node: Node): unknown[] {
  return [node['consequent'], node['alternate'], ...((node['expressions'] ?? []) as unknown[])]
}

function isImported({ program }: SourceModule, name: string): boolean {
  for (const node of nodesOf(program)) {
    if (node.type !== 'ImportDeclaration' || specifierOf(node) !== PACKAGE) continue
    if ((node['specifiers'] as Node[]).some((one) => nameOf(one['local'] as Node) === name)) return true
  }
  return false
}

/** The object that `const { member: name } = object` takes the name from. */
function takenApart({ program }: SourceModule, name: string): unknown {
  for (const node of nodesOf(program)) {
    const pattern = node['id']
    if (node.type !== 'VariableDeclarator' || !isNode(pattern) || pattern.type !== 'ObjectPattern') continue
    if (patternName(pattern, name) !== undefined) return node['init']
  }
  return undefined
}

function exportedOptions(project: Project, module: SourceModule): OptionsSite[] {
  for (const name of OPTIONS_EXPORTS) {
    const found = exportNamed(project, module, name)
    const literal = found === undefined ? undefined : literalOf(project, found)
    if (literal !== undefined && hasOption(literal)) return [{ module: literal.module, site: literal.node, literal }]
  }
  return []
}

/** Fastify’s own options are exported under the same names. */
function hasOption({ node }: Found): boolean {
  const properties = (node['properties'] ?? []) as Node[]
  return properties.some((one) => isNode(one['key']) && ROOT_NAMES.includes(nameOf(one['key'])))
}
