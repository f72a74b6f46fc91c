import type { FastifyInstance } from 'fastify'
import { Jar } from '../support/jar.ts'

export type Answer = Awaited<ReturnType<FastifyInstance['inject']>>

/** The facts of a site that a client needs. */
interface Place {
  readonly app: FastifyInstance
  readonly clock: () => number
  readonly cookieName: string
}

interface Sent {
  readonly payload?: object | string
  readonly headers?: Record<string, string>
}

/** A browser, or an attacker with a cookie jar. */
export class Client {
  readonly #site: Place
  readonly jar: Jar

  constructor(site: Place, jar: Jar = new Jar()) {
    this.#site = site
    this.jar = jar
  }

  /** The value of the session cookie. */
  get cookie(): string {
    return this.jar.get(this.#site.cookieName) ?? ''
  }

  set cookie(value: string) {
    this.jar.set(this.#site.cookieName, value)
  }

  /** Returns another client with the same cookies: a stolen jar, or a second tab that started earlier. */
  copy(): Client {
    return new Client(this.#site, this.jar.copy())
  }

  async get(url: string, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send('GET', url, { headers })
  }

  async post(url: string, payload: object | string = {}, headers: Record<string, string> = {}): Promise<Answer> {
    return this.#send('POST', url, { payload, headers })
  }

  login(user: string): Promise<Answer> {
    return this.post('/login', { user })
  }

  /** Asks the site who is logged in. */
  async me(headers: Record<string, string> = {}): Promise<unknown> {
    const answer = await this.get('/me', headers)
    return answer.statusCode === 200 ? answer.json<{ user: unknown }>().user : `status ${answer.statusCode}`
  }

  /** Asks the site what the session holds. */
  async note(headers: Record<string, string> = {}): Promise<Record<string, unknown>> {
    return (await this.get('/note', headers)).json()
  }

  /** Throws unless this user is logged in: an attack on a site that does not work proves nothing. */
  async must(user: string | null): Promise<void> {
    const found = await this.me()
    if (found !== user) throw new Error(`${String(user)} should be logged in, and it is ${String(found)}`)
  }

  async #send(method: 'GET' | 'POST', url: string, { payload, headers }: Sent): Promise<Answer> {
    const now = this.#site.clock()
    const cookie = this.jar.header(now)
    const answer = await this.#site.app.inject({
      method,
      url,
      ...(payload !== undefined && { payload }),
      headers: { ...(cookie !== '' && { cookie }), ...headers },
    })
    this.jar.take(answer.headers['set-cookie'], now)
    return answer
  }
}
