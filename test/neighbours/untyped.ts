import { createRequire } from 'node:module'

/**
 * Returns a package without its types. Those of @fastify/passport and @fastify/jwt declare `request.user` for every
 * file of a program, and all tests are one program. What the types do to each other is seen in test/types.
 */
export function untyped(name: string): unknown {
  return createRequire(import.meta.url)(name)
}
