import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { CUSTOMERS } from '../../lib/demo/accounts.ts'
import { Jar } from '../support/jar.ts'

/** The `User-Agent` of a current browser. */
const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A client of the bank that keeps cookies and follows no redirect by itself. */
export class Visitor {
  readonly #app: FastifyInstance
  readonly #headers: Record<string, string>
  readonly cookies = new Jar()

  constructor(app: FastifyInstance, headers: Record<string, string> = { 'user-agent': FIREFOX }) {
    this.#app = app
    this.#headers = headers
  }

  get(url: string): Promise<LightMyRequestResponse> {
    return this.send('GET', url)
  }

  post(url: string, form: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    return this.send('POST', url, {
      payload: new URLSearchParams(form).toString(),
      headers: { 'content-type': 'application/x-www-form-urlencoded', 'sec-fetch-site': 'same-origin' },
    })
  }

  async send(
    method: 'GET' | 'POST',
    url: string,
    more: { payload?: string; headers?: Record<string, string> } = {},
  ): Promise<LightMyRequestResponse> {
    const cookie = this.cookies.header(Date.now(), url)
    const headers = { ...this.#headers, ...(cookie !== '' && { cookie }), ...more.headers }
    const response = await this.#app.inject({ method, url, ...more, headers })
    this.cookies.take(response.headers['set-cookie'], Date.now())
    return response
  }

  /** Sends the login form with the right password. */
  logIn(id: string, more: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const password = CUSTOMERS.find((customer) => customer.id === id)?.password ?? ''
    return this.post('/login', { name: id, password, ...more })
  }
}

/** Returns the text of a page on one line. */
export function textOf(response: LightMyRequestResponse): string {
  return response.body
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ')
}

/** Returns all `Set-Cookie` lines. */
export function setCookies(response: LightMyRequestResponse): string[] {
  return [response.headers['set-cookie'] ?? []].flat()
}
