/** A thing that was given in the place of a store, and the option that was meant. */
export interface MistakenStore {
  /** The thing in words. */
  readonly what: string
  readonly snippet: string
}

/** Things that people give as a store, by their methods. The first row that fits counts. */
const MISTAKES: readonly (readonly [methods: readonly string[], what: string, snippet: string])[] = [
  [['then'], 'a Promise of a store', 'store: await openStore(process.env.SESSION_STORE)'],
  [['evalSha', 'get'], 'a client of node-redis', 'store: redisStore({ client })'],
  [['evalsha', 'get'], 'a client of ioredis', 'store: redisStore({ client })'],
  [['query', 'connect', 'end'], 'a client or pool of pg', 'store: postgresStore({ pool })'],
  [['prepare', 'exec', 'close'], 'a SQLite database', 'store: sqliteStore({ database })'],
  [['get', 'set', 'destroy'], 'a store for express-session, which has another interface', 'store: expressStore(store)'],
]

/** Recognises a thing that is no store; `undefined` for everything else. */
export function mistakenStore(hasMethod: (name: string) => boolean): MistakenStore | undefined {
  const found = MISTAKES.find(([methods]) => methods.every((method) => hasMethod(method)))
  return found && { what: found[1], snippet: found[2] }
}
