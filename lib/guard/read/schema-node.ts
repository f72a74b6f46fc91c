/** A node of the schema: the keywords that messages are made of, and any other. */
export interface SchemaNode {
  /** Completes "must be …". */
  readonly description?: string
  /** Values as source text. */
  readonly examples?: readonly string[]
  readonly properties?: Readonly<Record<string, SchemaNode>>
  readonly items?: SchemaNode
  readonly anyOf?: readonly SchemaNode[]
  readonly [keyword: string]: unknown
}

/** Longest list that is judged element by element; a longer one is refused as it stands. */
export const MAX_ITEMS = 1000

/** Either of two; the example is the safe one. */
export const boolean = (example: boolean): SchemaNode => ({
  type: 'boolean',
  description: 'true or false',
  examples: [String(example)],
})

/** A text with a unit, or 0 where zero is allowed. */
export const duration = (example: string, zero: 'refused' | 'allowed', most?: string): SchemaNode => ({
  duration: { zero, most },
  description: "a duration with its unit, like '15m' or '8h'",
  examples: [`'${example}'`],
})

/** A duration, or a function of the user that returns one. */
export const lifetime = (example: string): SchemaNode => ({
  ...duration(example, 'refused'),
  duration: { zero: 'refused', orFunction: true },
})

/** A function; `together` names what needs it. */
export const func = (example: string, together = ''): SchemaNode => ({
  typeof: 'function',
  description: `a function${together}`,
  examples: [example],
})

/** One of a few words; the first is the example. */
export const choice = (...choices: string[]): SchemaNode => ({
  enum: choices,
  description: choices.map((name) => `'${name}'`).join(' or '),
  examples: [`'${choices[0]}'`],
})

/** Any text. */
export const text: SchemaNode = { type: 'string', description: 'a string' }

/** The number of sessions that one user may have. */
export const limit: SchemaNode & { readonly anyOf: readonly SchemaNode[] } = {
  description: 'a whole number from 1, or a function of the user',
  examples: ['5'],
  anyOf: [{ type: 'integer', minimum: 1 }, { typeof: 'function' }],
}
