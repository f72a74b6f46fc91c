/** The address that a client connects to. */
export interface RedisConnection {
  /** Host name, address, or the path of a unix socket. */
  readonly host: string
  readonly encrypted: boolean
  /** `false` when the certificate of the server is not checked. */
  readonly verified?: boolean
}

/** Returns the address from the options of a client; empty when they do not say, as with a Sentinel or a pool. */
export function connectionsOf(client: object): RedisConnection[] {
  const { options: given, _options: many, startupNodes } = fieldsOf(client)
  const options = fieldsOf(given ?? many)
  // ioredis and node-redis, each on a cluster, then each on one server.
  if (Array.isArray(startupNodes)) return startupNodes.map((node) => connectionOf(node, options['redisOptions']))
  if (Array.isArray(options['rootNodes'])) {
    const { socket } = fieldsOf(options['defaults'])
    return options['rootNodes'].map((node) => connectionOf(fieldsOf(node)['url'] ?? fieldsOf(node)['socket'], socket))
  }
  if (given === undefined || Array.isArray(options['sentinels'])) return []
  return [connectionOf(options['host'] === undefined ? options['socket'] : options, {})]
}

/** A node as a URL, a port of this machine, or options; `shared` are the options of all nodes. */
function connectionOf(node: unknown, shared: unknown): RedisConnection {
  const isAllEncrypted = Boolean(fieldsOf(shared)['tls'])
  const unverified = isVerified(shared) && isVerified(node) ? {} : { verified: false }
  const url = urlOf(node)
  if (url !== undefined) {
    return { host: url.hostname, encrypted: isAllEncrypted || url.protocol === 'rediss:', ...unverified }
  }
  const { path, host, tls } = fieldsOf(node)
  return { host: (path ?? host ?? 'localhost') as string, encrypted: isAllEncrypted || Boolean(tls), ...unverified }
}

/** Returns the URL of a node that is a text. ioredis takes `host:port` too, and a port of this machine. */
function urlOf(node: unknown): URL | undefined {
  if (typeof node !== 'string' || /^\d+$/.test(node)) return undefined
  const url = node.includes('://') ? node : `redis://${node}`
  return URL.canParse(url) ? new URL(url) : undefined
}

/** node-redis has it beside `tls: true`, ioredis among the settings of `tls`. */
function isVerified(options: unknown): boolean {
  const { tls, rejectUnauthorized } = fieldsOf(options)
  return rejectUnauthorized !== false && fieldsOf(tls)['rejectUnauthorized'] !== false
}

function fieldsOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {}
}
