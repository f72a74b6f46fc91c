import type { IncomingMessage } from 'node:http'
import { request } from 'node:http'
import { setTimeout as wait } from 'node:timers/promises'
import { Jar } from '../../test/support/jar.ts'
import type { Answer } from './routes.ts'

/** The response to one request. */
interface Reply {
  readonly status: number
  readonly answer: Partial<Answer>
  readonly setCookies: readonly string[]
}

/** A stream that is being read. */
class OpenStream {
  readonly #response: IncomingMessage
  #count = 0
  #isOver = false

  constructor(response: IncomingMessage) {
    this.#response = response
    response.on('data', () => (this.#count += 1))
    for (const event of ['end', 'close', 'error']) response.once(event, () => (this.#isOver = true))
  }

  /** Waits for so many more messages. Resolves to `false` if the stream ends before. */
  async goesOn(messages: number): Promise<boolean> {
    const enough = this.#count + messages
    while (!this.#isOver && this.#count < enough) await wait(5)
    return !this.#isOver
  }

  close(): void {
    this.#response.destroy()
  }
}

/** A browser that speaks to one app over the proxy that ends TLS. */
export class Client {
  readonly #url: URL
  readonly jar: Jar

  constructor(url: URL, jar = new Jar()) {
    this.#url = url
    this.jar = jar
  }

  /** Returns another browser with the same cookies. */
  copy(): Client {
    return new Client(this.#url, this.jar.copy())
  }

  get cookies(): string {
    return this.jar.header(Date.now())
  }

  get(path: string): Promise<Reply> {
    return this.send('GET', path)
  }

  post(path: string, headers: Record<string, string> = {}): Promise<Reply> {
    return this.send('POST', path, headers)
  }

  /** Opens a stream, and resolves once its first message has come. */
  async open(path: string): Promise<OpenStream> {
    const headers = this.#headers({})
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.#url), { headers, agent: false }, (response) => {
        const stream = new OpenStream(response)
        response.once('data', () => resolve(stream))
        response.once('end', () => resolve(stream))
      })
      asked.once('error', reject)
      asked.end()
    })
  }

  async send(method: string, path: string, headers: Record<string, string> = {}): Promise<Reply> {
    const sent = this.#headers(headers)
    return new Promise((resolve, reject) => {
      const asked = request(new URL(path, this.#url), { method, headers: sent, agent: false }, (response) => {
        let text = ''
        response.setEncoding('utf8').on('data', (part: string) => (text += part))
        response.once('end', () => {
          const setCookies = response.headers['set-cookie'] ?? []
          this.jar.take(setCookies, Date.now())
          resolve({ status: response.statusCode ?? 0, answer: parsed(text), setCookies })
        })
        response.once('error', reject)
      })
      asked.once('error', reject)
      asked.end()
    })
  }

  #headers(headers: Record<string, string>): Record<string, string> {
    const cookie = headers['cookie'] ?? this.cookies
    // Django compares this header with its cookie.
    const csrf = /(?:^|; )csrftoken=([^;]+)/.exec(cookie)?.[1]
    return {
      'x-forwarded-proto': 'https',
      origin: `https://${this.#url.host}`,
      // Older releases of Django want this one.
      referer: `https://${this.#url.host}/`,
      ...(csrf !== undefined && { 'x-csrftoken': csrf }),
      ...headers,
      ...(cookie !== '' && { cookie }),
    }
  }

  async user(): Promise<string | null | undefined> {
    return (await this.get('/me')).answer.user
  }
}

function parsed(text: string): Partial<Answer> {
  try {
    return JSON.parse(text) as Answer
  } catch {
    return {}
  }
}
