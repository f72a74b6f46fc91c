import assert from 'node:assert/strict'
import { once } from 'node:events'
import { request as open } from 'node:http'
import type { IncomingMessage } from 'node:http'
import { text } from 'node:stream/consumers'
import type { Request } from 'autocannon'
import { DeviceKey } from '../lib/testing/device-key.ts'
import type { Peer, Step, User } from './peers/peer.ts'

/** Headers of a current browser on the same origin, because servers have to parse them. */
const HEADERS = {
  'user-agent': 'Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36',
  accept: 'application/json, text/plain, */*',
  'accept-encoding': 'gzip, deflate, br',
  'accept-language': 'en-GB,en;q=0.9',
  'sec-fetch-dest': 'empty',
  'sec-fetch-mode': 'cors',
  'sec-fetch-site': 'same-origin',
}

const METHODS: Record<Step, 'GET' | 'POST'> = {
  anonymous: 'GET',
  user: 'GET',
  session: 'GET',
  write: 'POST',
  login: 'POST',
  logout: 'POST',
}

/** A browser on one peer: it keeps the cookies, and it does not accept an answer that a working peer would not give. */
export class Visitor {
  readonly user: User
  readonly #origin: string
  readonly #peer: Pick<Peer, 'title' | 'setsCookieOn'>
  /** The `Cookie` header, empty when there is none. */
  cookie: string

  constructor(
    port: number,
    peer: Pick<Peer, 'title' | 'setsCookieOn'>,
    options: { id?: string; cookie?: string } = {},
  ) {
    this.user = { id: options.id ?? 'u1', name: 'Ada Lovelace' }
    this.#origin = `http://127.0.0.1:${port}`
    this.#peer = peer
    this.cookie = options.cookie ?? ''
  }

  /** Returns the request for a step, as the load generator sends it. */
  request(step: Step, cookie: string = this.cookie): Request {
    const method = METHODS[step]
    const headers = {
      ...HEADERS,
      referer: `${this.#origin}/`,
      ...(cookie !== '' && { cookie }),
      ...(method === 'POST' && { origin: this.#origin }),
    }
    // The sender of the request adds the length of a body.
    if (step === 'login') {
      return {
        method,
        path: '/login',
        headers: { ...headers, 'content-type': 'application/json' },
        body: JSON.stringify(this.user),
      }
    }
    return { method, path: `/${step}`, headers: method === 'POST' ? { ...headers, 'content-length': '0' } : headers }
  }

  /**
   * Takes a step and gives its body; rejects unless it is a 200 that carries `Set-Cookie` exactly when it is meant to.
   */
  async send(step: Step): Promise<unknown> {
    const { response, body } = await this.#ask(this.request(step))
    const where = `${this.#peer.title}, ${step}: ${body}`
    assert.equal(response.statusCode, 200, where)
    const setCookie = response.headers['set-cookie']
    assert.equal(setCookie !== undefined, this.#peer.setsCookieOn.includes(step), `Set-Cookie of ${where}`)
    this.cookie = cookiesAfter(this.cookie, setCookie)
    const offer = response.headers['secure-session-registration']
    if (typeof offer === 'string') await this.#bind(offer)
    return JSON.parse(body)
  }

  /** Registers a key, as a browser does that supports device-bound sessions. */
  async #bind(offer: string): Promise<void> {
    const [, path = '', challenge = ''] = /path="([^"]*)";challenge="([^"]*)"/.exec(offer) ?? []
    const { headers } = this.request('logout')
    const proof = { 'secure-session-response': `"${new DeviceKey().registration(challenge)}"` }
    const { response, body } = await this.#ask({ method: 'POST', path, headers: { ...headers, ...proof } })
    assert.equal(response.statusCode, 200, body)
    this.cookie = cookiesAfter(this.cookie, response.headers['set-cookie'])
  }

  /** Returns the status of a step, with the cookies as they are or with others. Keeps none that come back. */
  async statusOf(step: Step, cookie?: string): Promise<number | undefined> {
    const { response } = await this.#ask(this.request(step, cookie))
    return response.statusCode
  }

  async #ask({ method, path, headers, body }: Request): Promise<{ response: IncomingMessage; body: string }> {
    const request = open(this.#origin + path, { method, headers: { ...headers }, agent: false })
    request.end(body)
    const [response] = (await once(request, 'response')) as [IncomingMessage]
    return { response, body: await text(response) }
  }
}

/** Returns the `Cookie` header after a response: newer values replace older ones, and cleared ones go. */
export function cookiesAfter(cookie: string, setCookie: string | string[] | undefined): string {
  const jar = new Map(cookie === '' ? [] : cookie.split('; ').map(nameAndValue))
  for (const line of [setCookie ?? []].flat()) {
    const [name, value] = nameAndValue(line.slice(0, `${line};`.indexOf(';')))
    if (value === '' || /;\s*max-age=0/i.test(line) || isPast(line)) jar.delete(name)
    else jar.set(name, value)
  }
  return [...jar].map(([name, value]) => `${name}=${value}`).join('; ')
}

function nameAndValue(pair: string): [string, string] {
  const end = pair.indexOf('=')
  return [pair.slice(0, end), pair.slice(end + 1)]
}

function isPast(line: string): boolean {
  const expires = /;\s*expires=([^;]+)/i.exec(line)?.[1]
  return expires !== undefined && Date.parse(expires) <= Date.now()
}
