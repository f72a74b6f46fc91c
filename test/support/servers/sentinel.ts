import { execFileSync } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { freePorts, launch, program, startRedis } from './redis.ts'
import type { RedisServer } from './redis.ts'

/** A primary with one replica, watched by a sentinel that decides alone. */
interface RedisSentinel {
  readonly port: number
  /** The sentinel's name for the primary. */
  readonly name: string
  /** Returns the server that the sentinel takes for the primary now. */
  primary(): RedisServer
  /** Resolves when the replica has all that the primary had at one look. */
  replicated(): Promise<void>
  /** Lets the primary and its replica change places while both are well. */
  failover(): Promise<void>
  /** Kills the primary, waits for the replica to take over, and starts the killed one, which becomes its replica. */
  fail(): Promise<void>
}

const NAME = 'main'
const PAUSE = 50
/** The silence after which a server counts as down, in milliseconds. A busy machine may be silent for as long. */
const DOWN_AFTER = 500
/** The sentinel asks the servers for their roles, and tells its own view, in this interval, in milliseconds. */
const PERIOD = 200
/** The number of looks for a state that has to come, every `PAUSE` milliseconds. */
const LOOKS = 600

/** Starts the three; they are gone when the test ends. */
export async function startRedisSentinel(
  t: Parameters<typeof startRedis>[0],
  { downAfter = DOWN_AFTER }: { downAfter?: number } = {},
): Promise<RedisSentinel> {
  // A replica that is asked to begin at once need not wait for others to come.
  const servers = await Promise.all([0, 1].map(() => startRedis(t, { 'repl-diskless-sync-delay': 0 })))
  const [first, second] = servers as [RedisServer, RedisServer]
  second.cli('replicaof', '127.0.0.1', first.port)
  const port = await launchSentinel(t, first.port, downAfter)
  const ask = (...command: string[]): string =>
    execFileSync(program('redis-cli'), ['-p', String(port), 'sentinel', ...command], {
      encoding: 'utf8',
      stdio: 'pipe',
    })
  const primary = (): RedisServer => {
    // The sentinel is asked once because its answer may change between two questions.
    const address = ask('get-master-addr-by-name', NAME)
    const found = servers.find((one) => address.includes(String(one.port)))
    if (found === undefined) throw new Error('the sentinel knows no primary')
    return found
  }
  const other = (): RedisServer => (primary() === first ? second : first)
  const isWatched = (): boolean => /flags\nslave\n/.test(ask('replicas', NAME))
  const hasAll = (): boolean => {
    const offset = offsetOf(primary())
    return isLinked(other()) && offsetOf(other()) >= offset
  }
  const replicated = (): Promise<void> => until('the replica catches up', hasAll)
  await until('the sentinel answers', () => ask('get-master-addr-by-name', NAME) !== '')
  // By default the sentinel learns of a new role after 10 seconds, and waits 8 more before it makes a replica of an old
  // primary.
  ask('debug', 'info-period', String(PERIOD), 'publish-period', String(PERIOD))
  await until('the sentinel finds the replica', isWatched)
  return {
    port,
    name: NAME,
    primary,
    replicated,
    async fail() {
      const lost = primary()
      await until('the sentinel finds the replica', isWatched)
      await lost.kill()
      ask('set', NAME, 'down-after-milliseconds', String(DOWN_AFTER))
      await until('the replica takes over', () => primary() !== lost)
      ask('set', NAME, 'down-after-milliseconds', String(downAfter))
      await lost.start()
      await replicated()
    },
    async failover() {
      const before = primary()
      await until('the sentinel finds the replica', isWatched)
      ask('failover', NAME)
      await until('the two change places', () => primary() !== before)
      await until('the old primary follows', () => before.cli('info', 'replication').includes('role:slave'))
    },
  }
}

async function launchSentinel(
  t: Parameters<typeof startRedis>[0],
  primary: number,
  downAfter: number,
): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), 'session-guard-sentinel-'))
  const [port = 0] = await freePorts(1)
  const lines = [
    `port ${port}`,
    'bind 127.0.0.1',
    `dir ${home}`,
    `sentinel monitor ${NAME} 127.0.0.1 ${primary} 1`,
    `sentinel down-after-milliseconds ${NAME} ${downAfter}`,
    `sentinel failover-timeout ${NAME} 2000`,
  ]
  const file = join(home, 'sentinel.conf')
  writeFileSync(file, lines.join('\n'))
  const child = launch([program('redis-server'), file, '--sentinel'])
  child.stdout?.resume()
  t.teardown(async () => {
    const ended = once(child, 'exit')
    if (child.exitCode === null && child.kill('SIGKILL')) await ended
    rmSync(home, { recursive: true, force: true })
  })
  return port
}

function isLinked(server: RedisServer): boolean {
  return server.cli('info', 'replication').includes('master_link_status:up')
}

function offsetOf(server: RedisServer): number {
  return Number(/master_repl_offset:(\d+)/.exec(server.cli('info', 'replication'))?.[1])
}

/** A server that changes its role cuts all connections, so a look that fails is tried again. */
async function until(what: string, isSo: () => boolean): Promise<void> {
  let cause: unknown
  for (let look = 0; look < LOOKS; look += 1) {
    try {
      if (isSo()) return
      cause = undefined
    } catch (error) {
      cause = error
    }
    await wait(PAUSE)
  }
  throw new Error(`waited in vain: ${what}`, { cause })
}
