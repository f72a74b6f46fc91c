import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT_NAMES } from '../../guard/read/schema.ts'
import {
  bindingOf,
  calleeOf,
  exportNamed,
  importedName,
  literalOf,
  nameOf,
  patternName,
  specifierOf,
} from './bindings.ts'
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
const SOURCE = /\.[cm]?[jt]s$/
const OPTIONS_EXPORTS = ['default', 'options', 'sessionOptions', 'secureSessionOptions', 'session', 'secureSession']

/**
 * Finds where the app of a file registers secureSession, in the file and in those that it imports; or where it exports
 * options.
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

/** Tells whether an expression is the plugin: a name that is imported from the package, or the package itself. */
function isSecureSession(project: Project, module: SourceModule, node: Node): boolean {
  if (node.type === 'MemberExpression') return isSecureSession(project, module, node['object'] as Node)
  if (node.type === 'AwaitExpression') return isSecureSession(project, module, node['argument'] as Node)
  if (node.type !== 'Identifier') return specifierOf(node) === PACKAGE
  const name = nameOf(node)
  return name === 'secureSession' || importsPackage(module, name) || isAlias(project, module, name)
}

function importsPackage({ program }: SourceModule, name: string): boolean {
  for (const node of nodesOf(program)) {
    if (node.type === 'ImportDeclaration' && specifierOf(node) === PACKAGE) {
      const names = (node['specifiers'] as Node[]).map((one) => [nameOf(one['local'] as Node), importedName(one)])
      if (names.some(([local]) => local === name)) return true
    }
    if (node.type !== 'VariableDeclarator' || !isNode(node['init']) || !loadsPackage(node['init'])) continue
    const pattern = node['id'] as Node
    if (pattern['name'] === name) return true
    if (pattern.type === 'ObjectPattern' && patternName(pattern, name) !== undefined) return true
  }
  return false
}

/** `require('…')`, `await import('…')`, and a member of either. */
function loadsPackage(node: Node): boolean {
  const inner = node['object'] ?? node['argument']
  return specifierOf(node) === PACKAGE || (isNode(inner) && loadsPackage(inner))
}

function isAlias(project: Project, module: SourceModule, name: string): boolean {
  const bound = bindingOf(project, module, name)
  return bound?.node.type === 'Identifier' && nameOf(bound.node) === 'secureSession'
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
