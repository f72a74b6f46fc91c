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

/** True or false. */
export const boolean = (example: boolean): SchemaNode => ({
  type: 'boolean',
  description: 'true or false',
  examples: [String(example)],
})

/** A duration. `most` is the longest. */
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

/** A function. */
export const func = (example: string, together = ''): SchemaNode => ({
  typeof: 'function',
  description: `a function${together}`,
  examples: [example],
})

/** One of several texts, the first of which is the example. */
export const choice = (...choices: string[]): SchemaNode => ({
  enum: choices,
  description: choices.map((name) => `'${name}'`).join(' or '),
  examples: [`'${choices[0]}'`],
})

/** A text. */
export const text: SchemaNode = { type: 'string', description: 'a string' }
