import { isNode, nodesOf } from './project.ts'
import type { Node, Project, SourceModule } from './project.ts'

/** An expression, and the file that it stands in. */
export interface Found {
  readonly module: SourceModule
  readonly node: Node
}

const MAX_DEPTH = 20

/** Expressions that have the value of another expression. */
const WRAPPERS: Readonly<Record<string, string>> = {
  AwaitExpression: 'argument',
  ChainExpression: 'expression',
  ParenthesizedExpression: 'expression',
  TSAsExpression: 'expression',
  TSNonNullExpression: 'expression',
  TSSatisfiesExpression: 'expression',
  TSTypeAssertion: 'expression',
}

/** Follows names, wrappers, imports and calls to the literal that an expression comes from. */
export function literalOf(project: Project, { module, node }: Found, depth = 0): Found | undefined {
  if (depth > MAX_DEPTH) return undefined
  const follow = (next: unknown, where = module): Found | undefined =>
    isNode(next) ? literalOf(project, { module: where, node: next }, depth + 1) : undefined
  const inner = WRAPPERS[node.type]
  if (inner !== undefined) return follow(node[inner])
  switch (node.type) {
    case 'ObjectExpression':
    case 'ArrayExpression':
      return { module, node }
    case 'Identifier': {
      const bound = bindingOf(project, module, node['name'] as string)
      return bound === undefined ? undefined : follow(bound.node, bound.module)
    }
    case 'MemberExpression': {
      const object = follow(node['object'])
      const member = object === undefined ? undefined : memberOf(project, object, nameOf(node['property'] as Node))
      return member === undefined ? undefined : follow(member.value, member.module)
    }
    case 'CallExpression': {
      const isFreeze = nameOf(calleeOf(node)) === 'freeze'
      return follow(isFreeze ? (node['arguments'] as Node[])[0] : node['callee'])
    }
    case 'ArrowFunctionExpression':
    case 'FunctionExpression':
    case 'FunctionDeclaration':
      return follow(returned(node))
    default:
      return undefined
  }
}

/** A member of an object literal, or an element of a list. */
export interface Member {
  readonly module: SourceModule
  /** The object or the list that it stands in. */
  readonly parent: Node
  /** The whole member with its name; the element itself in a list. */
  readonly whole: Node
  readonly value: Node
}

/** The member that counts: the last one of its name, in the object or in what is spread into it. */
export function memberOf(project: Project, { module, node }: Found, name: string): Member | undefined {
  if (node.type === 'ArrayExpression') {
    const element = (node['elements'] as (Node | null)[])[Number(name)]
    return isNode(element) ? { module, parent: node, whole: element, value: element } : undefined
  }
  for (const property of (node['properties'] as Node[]).toReversed()) {
    if (property.type === 'SpreadElement') {
      const spread = literalOf(project, { module, node: property['argument'] as Node })
      const member = spread?.node.type === 'ObjectExpression' ? memberOf(project, spread, name) : undefined
      if (member !== undefined) return member
    } else if (property['computed'] !== true && nameOf(property['key'] as Node) === name) {
      return { module, parent: node, whole: property, value: property['value'] as Node }
    }
  }
  return undefined
}

/** The name that an identifier or a string literal stands for, or the last one of a path of names. */
export function nameOf(node: Node | undefined): string {
  if (node?.type === 'MemberExpression') return nameOf(node['property'] as Node)
  const name = node?.['name'] ?? node?.['value']
  return typeof name === 'string' || typeof name === 'number' ? String(name) : ''
}

export function calleeOf(call: Node): Node {
  return call['callee'] as Node
}

/** The specifier of `import … from`, `export … from`, `import()` and `require()`. */
export function specifierOf(node: Node): string | undefined {
  const isRequire = node.type === 'CallExpression' && nameOf(calleeOf(node)) === 'require'
  const source = isRequire ? (node['arguments'] as Node[])[0] : node['source']
  const value = isNode(source) ? source['value'] : undefined
  return typeof value === 'string' ? value : undefined
}

/**
 * Returns the value of a name in a module. The value is the initial value of a variable, a function, or an export of
 * another file.
 */
export function bindingOf(project: Project, module: SourceModule, name: string): Found | undefined {
  for (const node of nodesOf(module.program)) {
    if (node.type === 'VariableDeclarator' && isNode(node['init'])) {
      const pattern = node['id'] as Node
      if (pattern['name'] === name) return required(project, module, node['init']) ?? { module, node: node['init'] }
      const imported = pattern.type === 'ObjectPattern' ? patternName(pattern, name) : undefined
      if (imported !== undefined) return required(project, module, node['init'], imported)
    }
    if (node.type === 'FunctionDeclaration' && nameOf(node['id'] as Node) === name) return { module, node }
    if (node.type !== 'ImportDeclaration') continue
    const specifier = (node['specifiers'] as Node[]).find((one) => nameOf(one['local'] as Node) === name)
    if (specifier !== undefined) {
      return exportOf(project, module, specifierOf(node) as string, importedName(specifier))
    }
  }
  return undefined
}

/** The name under which another module exports what a specifier imports. */
export function importedName(specifier: Node): string {
  return specifier.type === 'ImportSpecifier' ? nameOf(specifier['imported'] as Node) : 'default'
}

/** The name in the object that `const { imported: name } = …` takes apart. */
export function patternName(pattern: Node, name: string): string | undefined {
  const property = (pattern['properties'] as Node[]).find(
    (one) => isNode(one['value']) && nameOf(one['value']) === name,
  )
  return property === undefined ? undefined : nameOf(property['key'] as Node)
}

function required(project: Project, module: SourceModule, node: Node, name = 'default'): Found | undefined {
  const specifier = node.type === 'CallExpression' ? specifierOf(node) : undefined
  return specifier === undefined ? undefined : exportOf(project, module, specifier, name)
}

function exportOf(project: Project, module: SourceModule, specifier: string, name: string): Found | undefined {
  const file = project.resolve(specifier, module)
  const other = file === undefined ? undefined : project.module(file)
  return other === undefined ? undefined : exportNamed(project, other, name)
}

/** Returns the export of a module under a name. CommonJS exports everything under `default`. */
export function exportNamed(project: Project, module: SourceModule, name: string): Found | undefined {
  for (const node of nodesOf(module.program)) {
    if (node.type === 'ExportDefaultDeclaration' && name === 'default') {
      return { module, node: node['declaration'] as Node }
    }
    if (node.type === 'ExportNamedDeclaration') {
      const local = exportedLocal(node, name)
      if (local !== undefined) return bindingOf(project, module, local)
    }
    if (node.type !== 'AssignmentExpression') continue
    const target = module.text.slice((node['left'] as Node).start, (node['left'] as Node).end)
    if (target === `exports.${name}` || target === `module.exports.${name}`) {
      return { module, node: node['right'] as Node }
    }
    if (target === 'module.exports') {
      const whole = { module, node: node['right'] as Node }
      const literal = name === 'default' ? undefined : literalOf(project, whole)
      const member = literal?.node.type === 'ObjectExpression' ? memberOf(project, literal, name) : undefined
      if (name === 'default') return whole
      if (member !== undefined) return { module: member.module, node: member.value }
    }
  }
  return undefined
}

function exportedLocal(node: Node, name: string): string | undefined {
  const declaration = node['declaration']
  if (isNode(declaration)) {
    const declared =
      declaration.type === 'VariableDeclaration' ? (declaration['declarations'] as Node[]) : [declaration]
    return declared.some((one) => nameOf(one['id'] as Node) === name) ? name : undefined
  }
  const specifier = (node['specifiers'] as Node[]).find((one) => nameOf(one['exported'] as Node) === name)
  return specifier === undefined ? undefined : nameOf(specifier['local'] as Node)
}

/** Returns the result expression of a function: the body of an arrow, or its first own `return`. */
function returned(node: Node): unknown {
  const body = node['body'] as Node
  if (body.type !== 'BlockStatement') return body
  const statement = (body['body'] as Node[]).find(({ type }) => type === 'ReturnStatement')
  return statement?.['argument']
}
