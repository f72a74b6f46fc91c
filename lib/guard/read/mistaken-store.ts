/** A thing that was given in the place of a store, and the option that was meant. */
export interface MistakenStore {
  /** The thing in words. */
  readonly what: string
  /** The expression that makes a store of it. */
  readonly source: string
  /** Tells whether that store has a user index. */
  readonly isIndexed: boolean
}

/** Things that people give as a store, by their methods. The first row that fits counts. */
const MISTAKES: readonly (readonly [methods: readonly string[], what: string, source: string])[] = [
  [['evalSha', 'get'], 'a client of node-redis', 'redisStore({ client })'],
  [['evalsha', 'get'], 'a client of ioredis', 'redisStore({ client })'],
  [['query', 'connect', 'end'], 'a client or pool of pg', 'postgresStore({ pool })'],
  [['prepare', 'exec', 'close'], 'a SQLite database', 'sqliteStore({ database })'],
  [['get', 'set', 'destroy'], 'a store for express-session, which has another interface', 'expressStore(store)'],
]

/** Recognises a thing that is no store; `undefined` for everything else. */
export function mistakenStore(hasMethod: (name: string) => boolean): MistakenStore | undefined {
  const found = MISTAKES.find(([methods]) => methods.every((method) => hasMethod(method)))
  if (found === undefined) return undefined
  const [, what, source] = found
  return { what, source, isIndexed: !source.startsWith('expressStore') }
}
