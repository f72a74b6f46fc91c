import { fork } from 'node:child_process'
import { once } from 'node:events'
import { fileURLToPath } from 'node:url'
import { Pool } from 'pg'
import { redisStore } from '../../lib/stores/redis.ts'
import { sqliteStore } from '../../lib/stores/sqlite.ts'
import { postgresStore } from '../../lib/stores/postgres.ts'
import type { Duration, SessionStore } from '../../types/index.ts'
import { smallApp } from './small-app.ts'

const FILE = fileURLToPath(import.meta.url)

/** The app that the other process runs. */
interface ProcessOptions {
  /** `postgres://…`, `redis://…` or `sqlite:PATH`. */
  readonly url: string
  readonly renewalTimeout?: Duration
  readonly sweepInterval?: Duration
}

/** An app in a process of its own, on a real port. */
export interface AppProcess {
  request(method: 'GET' | 'POST', url: string, cookie?: string, body?: object): Promise<ProcessAnswer>
  /** Opens a stream, and returns once its first event has come. */
  stream(cookie: string): Promise<OpenStream>
  /** Ends it with SIGKILL. */
  kill(): Promise<void>
}

/** A stream that is being read. */
interface OpenStream {
  readonly ended: Promise<unknown>
}

/** The answer of the other process. */
export interface ProcessAnswer {
  readonly status: number
  readonly body: Record<string, unknown>
  /** The session cookie it set, as a `Cookie` header; `''` when it cleared it, `undefined` when it said nothing. */
  readonly cookie: string | undefined
  /** All `Set-Cookie` lines. */
  readonly setCookies: readonly string[]
}

/** Starts `smallApp` on a store in another process, which ends with the test. */
export async function startAppProcess(
  t: { teardown(end: () => Promise<void>): void },
  options: ProcessOptions,
  environment: NodeJS.ProcessEnv = {},
): Promise<AppProcess> {
  const child = fork(FILE, [JSON.stringify(options)], { env: { ...process.env, ...environment } })
  t.teardown(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return
    const ended = once(child, 'exit')
    child.disconnect()
    await ended
  })
  const [origin] = (await Promise.race([
    once(child, 'message'),
    once(child, 'exit').then(() => Promise.reject(new Error('the app process ended at its start'))),
  ])) as [string]
  return {
    async kill() {
      const ended = once(child, 'exit')
      child.kill('SIGKILL')
      await ended
    },
    async stream(cookie) {
      const response = await fetch(`${origin}/stream`, { headers: { cookie } })
      const reader = (response.body ?? new ReadableStream<Uint8Array>()).getReader()
      await reader.read()
      return { ended: reader.read().catch((error: unknown) => error) }
    },
    async request(method, url, cookie, body) {
      const response = await fetch(`${origin}${url}`, {
        method,
        headers: { ...(cookie && { cookie }), ...(body && { 'content-type': 'application/json' }) },
        ...(body && { body: JSON.stringify(body) }),
      })
      const setCookies = response.headers.getSetCookie()
      const value = setCookies.find((line) => line.startsWith('session='))?.split(';')[0]
      return {
        status: response.status,
        body: (await response.json()) as Record<string, unknown>,
        cookie: value === 'session=' ? '' : value,
        setCookies,
      }
    },
  }
}

/** Serves the app in the other process. */
async function serve({ url, ...options }: ProcessOptions): Promise<void> {
  const { store, close } = await openStore(url)
  const app = await smallApp({ store, ...options })
  const origin = await app.listen({ port: 0, host: '127.0.0.1' })
  process.once('disconnect', () => void app.close().then(close))
  process.send?.(origin)
}

async function openStore(url: string): Promise<{ store: SessionStore; close: () => unknown }> {
  if (url.startsWith('postgres:')) {
    const pool = new Pool({ connectionString: url, connectionTimeoutMillis: 2000 })
    return { store: postgresStore({ pool, createTable: true }), close: () => pool.end() }
  }
  if (url.startsWith('sqlite:')) {
    const { betterSqlite } = await import('./sqlite.ts')
    const database = betterSqlite.open(url.slice('sqlite:'.length))
    return { store: sqliteStore({ database }), close: () => database.close() }
  }
  const { createClient } = await import('redis')
  const client = await createClient({ url }).connect()
  return { store: redisStore({ client }), close: () => client.close() }
}

if (process.argv[1] === FILE) await serve(JSON.parse(process.argv[2] ?? '') as ProcessOptions)
