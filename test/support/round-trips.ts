import { Client } from 'pg'
import { createClient } from 'redis'

/**
 * Counts what a server is asked, on a connection of its own. The question for the cutoff and the subscription are not
 * counted, because a process asks them beside its requests.
 */
export interface Counter {
  /** Round trips by command since the last call, this one's own not counted. */
  take(): Promise<ReadonlyMap<string, number>>
  close(): Promise<unknown>
}

/** Counts by `MONITOR`. Commands that a script runs inside the server are no round trips. */
export async function countRedis(url: string): Promise<Counter> {
  const monitor = await createClient({ url }).connect()
  const other = await createClient({ url }).connect()
  let counts = new Map<string, number>()
  let seen: (() => void) | undefined
  await monitor.monitor((line) => {
    const [, origin, name = ''] = /\[\d+ (\S+)\] "([^"]*)"/.exec(line) ?? []
    if (name === 'PING') return seen?.()
    if (line.endsWith('cutoff"') || /^(?:subscribe|hello|client)$/i.test(name)) return
    if (origin !== 'lua') counts.set(name.toLowerCase(), (counts.get(name.toLowerCase()) ?? 0) + 1)
  })
  return {
    async take() {
      // This PING is seen after all commands that were sent before it.
      const isSeen = new Promise<void>((resolve) => (seen = resolve))
      await other.ping()
      await isSeen
      const taken = counts
      counts = new Map()
      return taken
    },
    async close() {
      monitor.destroy()
      await other.close()
    },
  }
}

/** Counts round trips by `pg_stat_statements`: one for each call of a statement. */
export async function countPostgres(url: string): Promise<Counter> {
  const client = new Client(url)
  await client.connect()
  await client.query('CREATE EXTENSION IF NOT EXISTS pg_stat_statements')
  return {
    async take() {
      const { rows } = await client.query<{ name: string; calls: string }>(
        `SELECT lower(split_part(query, ' ', 1)) AS name, sum(calls) AS calls FROM pg_stat_statements
         WHERE query !~* 'pg_stat_statements|AS cutoff|^(un)?listen|^select pg_notify' GROUP BY 1`,
      )
      await client.query('SELECT pg_stat_statements_reset()')
      return new Map(rows.map(({ name, calls }) => [name, Number(calls)]))
    },
    close: () => client.end(),
  }
}
