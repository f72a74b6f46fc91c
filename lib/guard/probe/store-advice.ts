import { adviceOf } from '../../storage/cause.ts'

/** The number of causes that are looked into. */
const MAX_DEPTH = 8

/** Errors of Redis and its clients, by the beginning of the message or by the name, in words that say what to do. */
const REDIS: Readonly<Record<string, string>> = {
  NOAUTH: 'The server wants a password: give the client one',
  WRONGPASS: 'The user name or the password of the client is wrong',
  NOPERM: 'The user of the client may not do that: grant the user the keys of the prefix, and scripts',
  READONLY: 'The server only reads: connect to the primary, not to a replica',
  LOADING: 'The server loads its data: start the app later',
  MISCONF: 'The server cannot write its data to the disk, and takes no writes',
  MASTERDOWN: 'The server is a replica that has lost its primary',
  CLUSTERDOWN: 'The Cluster lacks nodes',
  MOVED: 'The server is a node of a Cluster: make the client with createCluster, or with Cluster of ioredis',
  ClientClosedError: 'The client is not connected: await client.connect() before the app is ready',
}

/** ioredis says so of a client without a queue that nobody connected, or that lost its server. */
const NOT_WRITABLE = "Stream isn't writeable"

/** Returns what is wrong with a store and what to do, in words of this package; `undefined` where that is not known. */
export function adviceAbout(error: unknown): string | undefined {
  let one: unknown = error
  for (let depth = 0; depth < MAX_DEPTH && one instanceof Error; depth += 1) {
    const advice = adviceOf(one) ?? wordsOf(one)
    if (advice !== undefined) return advice
    one = one.cause
  }
  return undefined
}

function wordsOf({ name, message }: Error): string | undefined {
  if (message.startsWith(NOT_WRITABLE)) return REDIS['ClientClosedError']
  const [code = ''] = message.split(' ', 1)
  return [code, name].map((key) => (Object.hasOwn(REDIS, key) ? REDIS[key] : undefined)).find(Boolean)
}
