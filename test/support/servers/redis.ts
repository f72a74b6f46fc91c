import type { ChildProcess } from 'node:child_process'
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { delimiter, join } from 'node:path'
import { createInterface } from 'node:readline'
import { setTimeout as wait } from 'node:timers/promises'
import { fileURLToPath } from 'node:url'

/** A Redis of one test file, on a free port of 127.0.0.1, its data in a temporary folder. */
export interface RedisServer {
  readonly port: number
  readonly url: string
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
  /** Starts it again on the same port and data. */
  start(): Promise<void>
  /** Stops it with SIGSTOP: connections stay open, nothing is answered. */
  pause(): void
  resume(): void
  /** Runs one command with redis-cli and returns what it prints. */
  cli(...command: (string | number)[]): string
}

/** A cluster of three masters, without replicas. */
export interface RedisCluster {
  readonly nodes: readonly RedisServer[]
  /** Returns the node that serves the slot of this key. */
  nodeOf(key: string): RedisServer
}

interface Test {
  teardown(end: () => Promise<void>): void
}

type Settings = Record<string, string | number>

const SLOTS = 16_384
const START_ATTEMPTS = 5
/** The number of looks for connections that have to end, every 20 milliseconds. */
const LOOKS = 100

/**
 * Starts a server that is gone, data and all, when the test ends. It keeps what it acknowledged, unless `settings` say
 * otherwise.
 */
export async function startRedis(t: Test, settings: Settings = {}): Promise<RedisServer> {
  const home = mkdtempSync(join(tmpdir(), 'session-guard-redis-'))
  const server = new Server(home, { save: '', appendonly: 'yes', appendfsync: 'always', ...settings })
  t.teardown(async () => {
    await server.stop()
    rmSync(home, { recursive: true, force: true })
  })
  await server.start()
  return server
}

/** Starts three masters that share the slots evenly and know of each other. */
export async function startRedisCluster(t: Test, settings: Settings = { appendonly: 'no' }): Promise<RedisCluster> {
  const shared = { 'cluster-enabled': 'yes', 'cluster-node-timeout': 2000, ...settings }
  const nodes = await Promise.all([0, 1, 2].map(() => startRedis(t, shared)))
  const share = Math.ceil(SLOTS / nodes.length)
  for (const [index, node] of nodes.entries()) {
    node.cli('cluster', 'set-config-epoch', index + 1)
    node.cli('cluster', 'addslotsrange', index * share, Math.min((index + 1) * share, SLOTS) - 1)
  }
  const [first] = nodes
  for (const node of nodes.slice(1)) {
    const bus = /cluster-port\n(\d+)/.exec(node.cli('config', 'get', 'cluster-port'))?.[1] ?? ''
    first?.cli('cluster', 'meet', '127.0.0.1', node.port, bus)
  }
  const isWhole = (node: RedisServer): boolean => {
    const info = node.cli('cluster', 'info')
    return info.includes('cluster_state:ok') && info.includes('cluster_known_nodes:3')
  }
  for (let attempt = 0; !nodes.every(isWhole); attempt += 1) {
    if (attempt === 200) throw new Error('the nodes do not become a cluster')
    await wait(50)
  }
  return {
    nodes,
    nodeOf: (key) => {
      const slot = Number(first?.cli('cluster', 'keyslot', key))
      const node = nodes[Math.floor(slot / share)]
      if (node === undefined) throw new Error(`no node for slot ${slot}`)
      return node
    },
  }
}

class Server implements RedisServer {
  port = 0
  readonly #home: string
  readonly #settings: Settings
  #process: ChildProcess | undefined

  constructor(home: string, settings: Settings) {
    this.#home = home
    this.#settings = settings
  }

  get url(): string {
    return `redis://127.0.0.1:${this.port}`
  }

  async start(): Promise<void> {
    const isFirst = this.port === 0
    for (let attempt = 1; ; attempt += 1) {
      if (isFirst) await this.#choosePorts()
      const child = launch([program('redis-server'), ...this.#flags()])
      this.#process = child
      const log = await ready(child)
      if (log === undefined) return
      if (attempt === START_ATTEMPTS) throw new Error(`redis-server does not start:\n${log}`)
    }
  }

  async kill(): Promise<void> {
    const child = this.#process
    if (child?.pid === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    process.kill(child.pid, 'SIGKILL')
    await ended
  }

  stop(): Promise<void> {
    return this.kill()
  }

  pause(): void {
    this.#signal('SIGSTOP')
  }

  resume(): void {
    this.#signal('SIGCONT')
  }

  cli(...command: (string | number)[]): string {
    const args = ['-h', '127.0.0.1', '-p', String(this.port), ...command.map(String)]
    return execFileSync(program('redis-cli'), args, { encoding: 'utf8', stdio: 'pipe', timeout: 10_000 }).trim()
  }

  #signal(name: NodeJS.Signals): void {
    const pid = this.#process?.pid
    if (pid !== undefined) process.kill(pid, name)
  }

  async #choosePorts(): Promise<void> {
    const [port, bus] = await freePorts(2)
    this.port = port ?? 0
    if (this.#settings['cluster-enabled'] === 'yes') this.#settings['cluster-port'] = bus ?? 0
  }

  #flags(): string[] {
    const all = { bind: '127.0.0.1', port: this.port, dir: this.#home, daemonize: 'no', ...this.#settings }
    return Object.entries(all).flatMap(([name, value]) => [`--${name}`, String(value)])
  }
}

/** Waits until no client is connected but redis-cli. Returns the number of the clients that stay. */
export async function connectionsLeft(server: RedisServer): Promise<number> {
  for (let look = 1; ; look += 1) {
    const left = server.cli('client', 'list', 'type', 'normal').split('\n').length - 1
    if (left === 0 || look === LOOKS) return left
    await wait(20)
  }
}

/** Dies with this process, however this process dies. */
export function launch(command: string[]): ChildProcess {
  return spawn('env', ['-u', 'NODE_OPTIONS', 'setpriv', '--pdeathsig', 'KILL', ...command], {
    stdio: ['ignore', 'pipe', 'ignore'],
    cwd: tmpdir(),
    env: { PATH: process.env['PATH'] },
  })
}

/** `undefined` once connections are accepted, the log of a server that ended instead. */
async function ready(child: ChildProcess): Promise<string | undefined> {
  let log = ''
  if (child.stdout === null) throw new Error('no log to read')
  for await (const line of createInterface(child.stdout)) {
    if (line.includes('eady to accept connections')) {
      child.stdout.resume()
      return undefined
    }
    log += `${line}\n`
  }
  return log
}

export function program(name: string): string {
  const find = (): string | undefined =>
    (process.env['PATH'] ?? '')
      .split(delimiter)
      .map((folder) => join(folder, name))
      .find((path) => existsSync(path))
  const found = find()
  if (found !== undefined) return found
  execFileSync(fileURLToPath(new URL('../services.sh', import.meta.url)), ['redis'], { stdio: 'inherit' })
  const installed = find()
  if (installed === undefined) throw new Error(`no ${name} on this machine; see test/support/services.sh`)
  return installed
}

/** Ports that nobody listened on a moment ago, all different. */
export async function freePorts(count: number): Promise<number[]> {
  const probes = Array.from({ length: count }, () => createServer().listen(0, '127.0.0.1'))
  await Promise.all(probes.map((probe) => once(probe, 'listening')))
  const ports = probes.map((probe) => (probe.address() as AddressInfo).port)
  await Promise.all(probes.map((probe) => once(probe.close(), 'close')))
  return ports
}
