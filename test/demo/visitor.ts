import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { CUSTOMERS } from '../../lib/demo/accounts.ts'

/** How a browser of the time calls itself. */
export const FIREFOX = 'Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0'

/** A browser at the bank's counter: sends back the cookies it was given, follows no redirect by itself. */
export class Visitor {
  readonly #app: FastifyInstance
  readonly #headers: Record<string, string>
  readonly cookies = new Map<string, string>()

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
    const cookie = Array.from(this.cookies, (pair) => pair.join('=')).join('; ')
    const headers = { ...this.#headers, ...(cookie !== '' && { cookie }), ...more.headers }
    const response = await this.#app.inject({ method, url, ...more, headers })
    for (const { name, value, maxAge, expires } of response.cookies) {
      const isCleared = maxAge === 0 || (expires !== undefined && expires.getTime() <= 0)
      if (isCleared) this.cookies.delete(name)
      else this.cookies.set(name, value)
    }
    return response
  }

  /** Types name and password, as printed on the page. */
  logIn(id: string, more: Record<string, string> = {}): Promise<LightMyRequestResponse> {
    const password = CUSTOMERS.find((customer) => customer.id === id)?.password ?? ''
    return this.post('/login', { name: id, password, ...more })
  }
}

/** The text of a page as a reader sees it, on one line. */
export function textOf(response: LightMyRequestResponse): string {
  return response.body
    .replace(/<[^>]*>/g, ' ')
    .replace(/&#(\d+);/g, (_entity, code: string) => String.fromCharCode(Number(code)))
    .replace(/\s+/g, ' ')
}

/** What `Set-Cookie` says, in all. */
export function setCookies(response: LightMyRequestResponse): string[] {
  return [response.headers['set-cookie'] ?? []].flat()
}
