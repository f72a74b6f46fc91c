/** The factory of a store, and the option that takes its driver. */
export interface DriverOption {
  readonly factory: 'redisStore' | 'postgresStore' | 'sqliteStore'
  readonly name: 'client' | 'pool' | 'database'
  /** The fit drivers in words. */
  readonly wanted: string
}

/** Drivers by their methods, and the call that makes a store of each. The first row that fits counts. */
const DRIVERS: readonly (readonly [methods: readonly string[], what: string, call: string])[] = [
  [['evalSha', 'get'], 'a client of node-redis', 'redisStore({ client })'],
  [['evalsha', 'get'], 'a client of ioredis', 'redisStore({ client })'],
  [['totalCount', 'connect'], 'a pool of pg', 'postgresStore({ pool })'],
  [
    ['query', 'connect', 'end'],
    'a single client of pg, which a store cannot share',
    'postgresStore({ pool: new Pool() })',
  ],
  [['prepare', 'exec'], 'a SQLite database', 'sqliteStore({ database })'],
]

/**
 * Throws unless the options of a factory hold a fit driver. The message says what came instead, and what to write.
 * @throws `TypeError`
 */
export function refuseUnfit(option: DriverOption, options: unknown, isFit: (driver: object) => boolean): void {
  const given = memberOf(options, option.name)
  if (typeof given === 'object' && given !== null && isFit(given)) return
  throw new TypeError(`${option.factory}: ${complaintOf(option, options, given)}`)
}

function complaintOf({ factory, name, wanted }: DriverOption, options: unknown, given: unknown): string {
  // ioredis itself has a method `client`.
  const whole = driverOf(options)
  if (whole !== undefined) return `this is ${whole}`
  const right = `Write ${factory}({ ${name} }) with ${wanted}`
  if (given === undefined) return `${name} is missing. ${right}`
  if (typeof given === 'string') return `${name} is a text. ${right}, or openStore(url) for a URL`
  if (typeof memberOf(given, 'then') === 'function') return `${name} is a Promise that nobody awaited. ${right}`
  if (typeof given === 'function') return `${name} is a class or a function. ${right}`
  return `${name} is ${driverOf(given) ?? `of another kind. ${right}`}`
}

/** Names a driver and the call that takes the driver; `undefined` for what is no driver. */
export function driverOf(value: unknown): string | undefined {
  const found = DRIVERS.find(([members]) => members.every((member) => memberOf(value, member) !== undefined))
  return found && `${found[1]}. Write ${found[2]}`
}

function memberOf(value: unknown, name: string): unknown {
  return (value as Record<string, unknown> | null | undefined)?.[name]
}
