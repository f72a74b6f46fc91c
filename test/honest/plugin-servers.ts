import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import Fastify from 'fastify'
import { Readable } from 'node:stream'
import { memoryStore, secureSession } from '../../lib/index.ts'
import type { SessionRecord } from '../../types/index.ts'
import type { Response } from './exchange.ts'
import { exchange } from './exchange.ts'
import type { Answer, Asked, Deployment, Held, Servers } from './server.ts'

const SECRET = 'pJvQ0m3Xr9Wc5TzLk8Yd2NfHs6BgVu4E-aR7iCoMqwI'

/** The number of states of a record that are kept for a failover. */
const HISTORY = 40

/** A request whose handler waits. */
interface Waiting {
  readonly arrived: () => void
  readonly released: Promise<void>
}

/** The status of a stream that ended with its session before its first byte. */
const CUT_OFF = 0

/** The plugin itself, in one app for each server, over one store in memory. */
export class PluginServers implements Servers {
  copied = 0
  renewals = 0
  requests = 0
  readonly #deployment: Deployment
  readonly #apps: FastifyInstance[] = []
  readonly #store: ReturnType<typeof memoryStore>
  readonly #history = new Map<string, { at: number; record: SessionRecord }[]>()
  readonly #waiting = new Map<string, Waiting>()
  #count = 0

  constructor(deployment: Deployment) {
    this.#deployment = deployment
    this.#store = memoryStore({ clock: deployment.now, maxRecords: 1_000_000 })
  }

  static async start(deployment: Deployment): Promise<PluginServers> {
    const servers = new PluginServers(deployment)
    for (const skew of deployment.skews) servers.#apps.push(await servers.#open(skew))
    return servers
  }

  async #open(skew: number): Promise<FastifyInstance> {
    const app = Fastify({ logger: false })
    await app.register(secureSession, {
      environment: 'test',
      secret: SECRET,
      clock: () => this.#deployment.now() + skew,
      storeTimeout: '60s',
      store: this.#store,
    })
    app.sessions.events.on('replay', ({ userId }) => {
      this.copied += 1
      this.#deployment.onCopied?.(userId)
    })
    app.sessions.events.on('renew', () => void (this.renewals += 1))
    app.get('/page', whoAmI)
    app.get('/login', logIn)
    app.get('/logout', (request) => logOut(request, false))
    app.get('/password', (request) => logOut(request, true))
    app.get('/poll', async (request) => {
      await this.#wait(request)
      return whoAmI(request)
    })
    app.get('/stream', (request, reply) => this.#sendStream(request, reply))
    await app.ready()
    return app
  }

  async ask(asked: Asked): Promise<Answer> {
    const answer = answerOf(await this.#exchange(asked, `/${asked.kind}`), true)
    if (this.#deployment.isSetBack === true) await this.#remember(asked.cookie)
    return answer
  }

  async hold(asked: Asked, kind: 'poll' | 'stream'): Promise<Held> {
    const key = String((this.#count += 1))
    let release = (): void => undefined
    const released = new Promise<void>((resolve) => (release = resolve))
    const arrived = new Promise<void>((resolve) => this.#waiting.set(key, { arrived: resolve, released }))
    let early: Response | undefined
    const answered = kind === 'poll' ? this.#exchange(asked, '/poll', { 'x-wait': key }) : this.#stream(asked, key)
    void answered.then((response) => (early = response))
    await Promise.race([arrived, answered])
    // The headers of a stream leave in the turn in which it is sent, or with its first byte.
    await new Promise((resolve) => setImmediate(resolve))
    this.#waiting.delete(key)
    return {
      early: early && kind === 'stream' ? answerOf(early, false) : undefined,
      finish: async () => {
        release()
        return answerOf(await answered, false)
      },
    }
  }

  async setBack(cookie: string, age: number): Promise<void> {
    const handle = /session=([\w-]{22})/.exec(cookie)?.[1] ?? ''
    const then = this.#history.get(handle)?.findLast(({ at }) => at <= this.#deployment.now() - age)
    if (then === undefined || (await this.#store.get(handle)) === undefined) return
    await this.#store.delete(handle)
    await this.#store.create(then.record)
  }

  async close(): Promise<void> {
    for (const app of this.#apps) await app.close()
  }

  #exchange(asked: Asked, url: string, more?: Record<string, string>): Promise<Response> {
    this.requests += 1
    return exchange(this.#apps[asked.server] as FastifyInstance, url, headersOf(asked, more))
  }

  /**
   * Sends a request for a stream, whose response can wait for its first byte. The stream is cut off when its session
   * ends.
   */
  async #stream(asked: Asked, key: string): Promise<Response> {
    this.requests += 1
    const app = this.#apps[asked.server] as FastifyInstance
    const headers = headersOf(asked, { 'x-wait': key })
    try {
      const response = await app.inject({ url: '/stream', headers, payloadAsStream: true })
      response.stream().on('error', () => undefined)
      response.stream().resume()
      return { status: response.statusCode, headers: response.headers, body: '' }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'LIGHT_ECONNRESET') throw error
      return { status: CUT_OFF, headers: {}, body: '' }
    }
  }

  /** Keeps what the store has of the record, for a failover. */
  async #remember(cookie: string): Promise<void> {
    const handle = /session=([\w-]{22})/.exec(cookie)?.[1] ?? ''
    const record = await this.#store.get(handle)
    if (record === undefined) return
    const history = this.#history.get(handle) ?? []
    if (history.at(-1)?.record.version === record.version) return
    history.push({ at: this.#deployment.now(), record })
    if (history.length > HISTORY) history.shift()
    this.#history.set(handle, history)
  }

  async #wait(request: FastifyRequest): Promise<void> {
    const waiting = this.#waiting.get(String(request.headers['x-wait']))
    waiting?.arrived()
    await waiting?.released
  }

  #sendStream(request: FastifyRequest, reply: FastifyReply): FastifyReply {
    const stream = new Readable({ read: () => undefined })
    void request.user
    void this.#wait(request).then(() => {
      stream.push('data: first\n\n')
      stream.push(null)
    })
    return reply.type('text/event-stream').send(stream)
  }
}

function headersOf(asked: Asked, more: Record<string, string> = {}): Record<string, string> {
  const { kind, cookie, userAgent, userId, remember } = asked
  const headers: Record<string, string> = { host: 'app.example', 'user-agent': userAgent, ...more }
  if (cookie !== '') headers['cookie'] = cookie
  return kind === 'login' ? { ...headers, 'x-user': userId, 'x-remember': String(remember) } : headers
}

function whoAmI(request: FastifyRequest): { userId: string | null } {
  return { userId: request.user?.id ?? null }
}

async function logIn(request: FastifyRequest): Promise<{ userId: string | null }> {
  const { 'x-user': id, 'x-remember': remember } = request.headers
  await request.login({ id: String(id) }, { remember: remember === 'true' })
  return whoAmI(request)
}

async function logOut(request: FastifyRequest, everywhere: boolean): Promise<{ userId: string | null }> {
  const answer = whoAmI(request)
  await request.logout({ everywhere })
  return answer
}

function answerOf(response: Response, hasBody: boolean): Answer {
  if (response.status === CUT_OFF) return { userId: null, setCookies: [] }
  if (response.status !== 200) throw new Error(`a simulated request met a ${response.status}: ${response.body}`)
  const setCookies = [response.headers['set-cookie'] ?? []].flat().map(String)
  return { userId: hasBody ? (JSON.parse(response.body) as Answer).userId : null, setCookies }
}
