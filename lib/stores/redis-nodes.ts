import type { RedisClient } from './redis-client.ts'

/** One server that keys can be listed on: each master of a Cluster, or the only server. */
export interface RedisNode {
  /** Host and port in a Cluster, so that a listing goes on with the same node. */
  readonly address: string
  /** One step of a `SCAN`. The cursor `0` begins it and ends it. */
  scan(cursor: string, pattern: string, count: number): Promise<{ readonly cursor: string; readonly keys: string[] }>
}

interface NodeRedisScan {
  scan(cursor: string, options: { MATCH: string; COUNT: number }): Promise<{ cursor: unknown; keys: unknown[] }>
}

interface NodeRedisCluster {
  readonly masters: readonly { readonly address: string }[]
  nodeClient(node: { readonly address: string }): Promise<NodeRedisScan>
}

interface IoRedisScan {
  readonly options: { readonly host?: string; readonly port?: number }
  scan(...command: (string | number)[]): Promise<[cursor: unknown, keys: unknown[]]>
}

interface IoRedisCluster {
  nodes(role: 'master'): IoRedisScan[]
}

/** The servers that hold the keys, always in one order. */
export function nodesOf(client: RedisClient): RedisNode[] {
  return unsorted(client).toSorted((a, b) => (a.address < b.address ? -1 : 1))
}

/** The type of a client names only what every store needs. Its members tell the driver, which has the rest. */
function unsorted(client: RedisClient): RedisNode[] {
  if ('nodeClient' in client) {
    const cluster = client as unknown as NodeRedisCluster
    return cluster.masters.map((node) => nodeRedisNode(node.address, () => cluster.nodeClient(node)))
  }
  if ('evalSha' in client) return [nodeRedisNode('', async () => client as unknown as NodeRedisScan)]
  if ('nodes' in client) {
    const cluster = client as unknown as IoRedisCluster
    return cluster.nodes('master').map((node) => ioRedisNode(`${node.options.host}:${node.options.port}`, node))
  }
  return [ioRedisNode('', client as unknown as IoRedisScan)]
}

function nodeRedisNode(address: string, connect: () => Promise<NodeRedisScan>): RedisNode {
  return {
    address,
    async scan(cursor, pattern, count) {
      const client = await connect()
      const answer = await client.scan(cursor, { MATCH: pattern, COUNT: count })
      return { cursor: String(answer.cursor), keys: answer.keys.map(String) }
    },
  }
}

function ioRedisNode(address: string, client: IoRedisScan): RedisNode {
  return {
    address,
    async scan(cursor, pattern, count) {
      const [next, keys] = await client.scan(cursor, 'MATCH', pattern, 'COUNT', count)
      return { cursor: String(next), keys: keys.map(String) }
    },
  }
}
