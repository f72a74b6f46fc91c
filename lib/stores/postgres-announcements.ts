import { randomBytes } from 'node:crypto'
import { announcementOf } from './announcement-text.ts'
import { complain, inTime } from '../storage/in-time.ts'
import type { Listener, Unsubscribe } from './listeners.ts'
import type { PostgresPool, PostgresQuery } from './postgres-pool.ts'

/** The beginning of the message that tests a new subscription. */
const GREETING = 'hello '

/** The time that a server may take to deliver the first message, in milliseconds. */
const PATIENCE = 3000

/** The first and the longest pause before a lost connection is opened again, in milliseconds. */
const MIN_PAUSE = 100
const MAX_PAUSE = 5000

/** A client of `pg`, as far as it listens. */
interface ListeningClient {
  connect(): Promise<unknown>
  query(text: string): Promise<unknown>
  end(): Promise<void>
  on(event: 'notification', listener: (message: { channel: string; payload?: string }) => void): unknown
  on(event: 'error' | 'end', listener: () => void): unknown
  unref(): void
}

interface ClientMaker {
  readonly Client?: new (options: object) => ListeningClient
  readonly options?: object
}

/**
 * Listens to a channel on a connection of its own, made as the pool makes its connections. It is none of the pool's: a
 * pool of one connection would be empty, and `pool.end()` would wait for it.
 */
export class PostgresSubscription {
  readonly #pool: ClientMaker
  readonly #channel: string
  readonly #hear: (payload: string) => void
  #client: ListeningClient | undefined
  #isClosed = false
  #pause = MIN_PAUSE
  #timer: NodeJS.Timeout | undefined

  /**
   * Resolves once messages arrive. `notify` sends a message by a connection of the pool.
   * @throws when no message arrives, as behind PgBouncer in transaction mode
   */
  static async open(
    pool: PostgresPool,
    channel: string,
    notify: (query: PostgresQuery) => Promise<unknown>,
    tell: Listener,
  ): Promise<Unsubscribe> {
    const greeting = `${GREETING}${randomBytes(9).toString('base64url')}`
    let greeted: (() => void) | undefined
    const isGreeted = new Promise<void>((resolve) => (greeted = resolve))
    const subscription = new PostgresSubscription(pool as ClientMaker, channel, (payload) => {
      if (payload === greeting) greeted?.()
      const what = announcementOf(payload)
      if (what !== undefined) tell(what)
    })
    try {
      await subscription.#connect()
      // By another connection: a pooler may hand a listener its own messages and nobody else's.
      await notify({ text: 'SELECT pg_notify($1, $2)', values: [channel, greeting] })
      await inTime(isGreeted, PATIENCE, complain('no notification arrived: PgBouncer in transaction mode carries none'))
    } catch (error) {
      await subscription.close()
      throw error
    }
    return () => subscription.close()
  }

  private constructor(pool: ClientMaker, channel: string, hear: (payload: string) => void) {
    this.#pool = pool
    this.#channel = channel
    this.#hear = hear
  }

  async close(): Promise<void> {
    this.#isClosed = true
    clearTimeout(this.#timer)
    const client = this.#client
    this.#client = undefined
    await client?.end().catch(ignore)
  }

  async #connect(): Promise<void> {
    const { Client, options } = this.#pool
    if (Client === undefined) throw new TypeError('subscribe: the pool is no Pool of pg')
    const client = new Client({ ...options, keepAlive: true })
    this.#client = client
    client.on('error', ignore)
    client.on('notification', ({ channel, payload = '' }) => {
      if (channel === this.#channel) this.#hear(payload)
    })
    await client.connect()
    client.unref()
    await client.query(`LISTEN "${this.#channel}"`)
    this.#pause = MIN_PAUSE
    client.on('end', () => this.#reconnectLater(client))
  }

  #reconnectLater(lost: ListeningClient | undefined): void {
    if (this.#isClosed || this.#client !== lost) return
    this.#timer = setTimeout(() => {
      this.#connect().catch(() => {
        const failed = this.#client
        void failed?.end().catch(ignore)
        this.#reconnectLater(failed)
      })
    }, this.#pause).unref()
    this.#pause = Math.min(this.#pause * 2, MAX_PAUSE)
  }
}

function ignore(): void {}
