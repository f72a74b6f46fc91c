import { OPTIONS_SCHEMA } from './schema.ts'
import type { SchemaNode } from './schema-node.ts'
import type { Path } from './show-value.ts'

/** The node for a place in the options; `undefined` where the schema has none. */
export function schemaAt(path: Path): SchemaNode | undefined {
  let node: SchemaNode | undefined = OPTIONS_SCHEMA
  for (const step of path) {
    const has = typeof step === 'number' ? hasItems : hasProperties
    const branch: SchemaNode | undefined = node?.anyOf?.find(has) ?? node
    node = typeof step === 'number' ? branch?.items : ownOf(branch?.properties, step)
  }
  return node
}

/** Names that are known beside a key that is not. */
export function siblingsOf(path: Path): readonly string[] {
  const parent = schemaAt(path.slice(0, -1)) as SchemaNode
  const { properties } = parent.anyOf?.find(hasProperties) ?? parent
  return Object.keys(properties as object)
}

function hasProperties(node: SchemaNode): boolean {
  return node.properties !== undefined
}

function hasItems(node: SchemaNode): boolean {
  return node.items !== undefined
}

function ownOf(properties: SchemaNode['properties'], key: string): SchemaNode | undefined {
  return properties !== undefined && Object.hasOwn(properties, key) ? properties[key] : undefined
}

function ways(node: SchemaNode | undefined): SchemaNode[] {
  return node === undefined ? [] : [node, ...(node.anyOf ?? [])]
}

/** Tells whether a place takes some text, so that no conversion is what a wrong text lacks. */
export function takesText(path: Path): boolean {
  return ways(schemaAt(path)).some(({ type, enum: words, origin, duration: range }) => {
    const isWords = Array.isArray(words) && words.every((word) => typeof word === 'string')
    return type === 'string' || isWords || origin === true || range !== undefined
  })
}

/** Names of the options that hold members of their own, which are read one by one. */
export const OPTIONS_WITH_MEMBERS: readonly string[] = namesOf((node) => ways(node).some(hasProperties))

/** Names of the options that hold lists, which are read element by element. */
export const OPTIONS_WITH_LISTS: readonly string[] = namesOf((node) => ways(node).some(hasItems))

/** Names of the options whose elements hold members. */
export const OPTIONS_WITH_LISTED_MEMBERS: readonly string[] = namesOf((node) =>
  ways(node).some(({ items }) => ways(items).some(hasProperties)),
)

function namesOf(isMeant: (node: SchemaNode) => boolean): string[] {
  return Object.entries(OPTIONS_SCHEMA.properties as object).flatMap(([name, node]) =>
    isMeant(node as SchemaNode) ? [name] : [],
  )
}
