import { request as requestHttp } from 'node:http'
import { request as requestHttps } from 'node:https'
import { staysHere } from '../guard/read/store-facts.ts'
import { parseSetCookie } from './set-cookie.ts'
import type { IncomingMessage } from 'node:http'
import type { SetCookie } from './set-cookie.ts'

/** A cookie, and the protocol it came over. */
export interface ReceivedCookie {
  readonly cookie: SetCookie
  readonly protocol: string
}

/** One response on the way to an answer. */
export interface Response {
  readonly url: URL
  readonly status: number
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  readonly cookies: readonly SetCookie[]
}

/** One answer, redirects followed. */
export interface Answer {
  /** The address at the end of all redirects. */
  readonly url: URL
  readonly status: number
  /** The status of the last response. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>
  /** Every response on the way, the last one included. */
  readonly responses: readonly Response[]
  /** The cookies of all responses on the way. */
  readonly cookies: readonly ReceivedCookie[]
  readonly body: string
  /** A redirect that was not followed: where it led, and what it did. */
  readonly leftFor: { readonly protocol: string; readonly what: string } | undefined
}

/** The parts of a request to send. */
export interface Question {
  readonly method?: 'GET' | 'POST'
  readonly headers?: Readonly<Record<string, string>>
  /** Fields of a form. */
  readonly form?: URLSearchParams
  /** The page with the form. */
  readonly from?: URL
}

/** Bounds of a whole scan, shared by all browsers in it. */
export class Budget {
  readonly #deadline: number
  readonly #clock: () => number
  #requests: number
  readonly #signal: AbortSignal

  constructor({ timeout, requests, clock }: { timeout: number; requests: number; clock: () => number }) {
    this.#clock = clock
    this.#deadline = clock() + timeout
    this.#requests = requests
    this.#signal = AbortSignal.timeout(timeout)
  }

  /** @throws ScanError when time or requests are used up */
  spend(): AbortSignal {
    this.#requests -= 1
    if (this.#requests < 0) throw new ScanError('the scan took more requests than it may')
    if (this.#clock() >= this.#deadline) throw new ScanError(TOO_LATE)
    return this.#signal
  }

  get now(): number {
    return this.#clock()
  }
}

const TOO_LATE = 'the scan took longer than it may'

/** The deployment could not be looked at. */
export class ScanError extends Error {}

const MAX_REDIRECTS = 5

const LARGEST_BODY = 524_288

/** Visits one host and no other, and keeps its cookies as long as it lives. */
export class Browser {
  readonly #jar = new Map<string, { value: string; secure: boolean }>()
  readonly #hostname: string
  readonly #budget: Budget
  readonly #ca: string | undefined

  constructor(hostname: string, budget: Budget, ca: string | undefined) {
    this.#hostname = hostname
    this.#budget = budget
    this.#ca = ca
  }

  /** The cookies held now. */
  get cookies(): ReadonlyMap<string, string> {
    return new Map([...this.#jar].map(([name, { value }]) => [name, value]))
  }

  /** Returns another browser that holds the same cookies, or those whose names pass a test. */
  copy(isKept: (name: string) => boolean = () => true): Browser {
    const copy = new Browser(this.#hostname, this.#budget, this.#ca)
    for (const [name, cookie] of this.#jar) if (isKept(name)) copy.#jar.set(name, cookie)
    return copy
  }

  /** @throws ScanError when it is another host, when the host does not answer, or bounds are reached */
  async visit(url: URL, question: Question = {}): Promise<Answer> {
    if (url.hostname !== this.#hostname) throw new ScanError('a page leads to another host, which was not followed')
    return await this.#follow(url, question, [])
  }

  async #follow(url: URL, question: Question, way: readonly Response[], hop = 0): Promise<Answer> {
    const response = await this.#send(url, question)
    const { headers } = response
    const status = Number(response.statusCode)
    const responses = [...way, { url, status, headers, cookies: this.#receive(response) }]
    const body = await bodyOf(response)
    const next = status >= 300 && status < 400 ? targetOf(headers.location, url) : undefined
    const kept = status === 307 || status === 308 ? question : { headers: question.headers ?? {} }
    const what = next === undefined ? undefined : this.#obstacle(url, next, kept, hop)
    if (next === undefined || what !== undefined) {
      const leftFor = next === undefined || what === undefined ? undefined : { protocol: next.protocol, what }
      const cookies = responses.flatMap((one) => one.cookies.map((cookie) => ({ cookie, protocol: one.url.protocol })))
      return { url, status, headers, responses, cookies, body, leftFor }
    }
    return await this.#follow(next, kept, responses, hop + 1)
  }

  /** Returns the reason not to follow a redirect. */
  #obstacle(from: URL, next: URL, { form }: Question, hop: number): string | undefined {
    if (next.hostname !== this.#hostname) return 'leads to another host, which was not followed'
    if (hop === MAX_REDIRECTS) return `redirects more than ${MAX_REDIRECTS} times`
    return form === undefined || mayPass(from, next)
      ? undefined
      : 'leads to another origin, and nothing that was typed was sent there'
  }

  /** A Secure cookie goes over https only, except to this machine, as in browsers. */
  #cookieFor(url: URL): string {
    const isPrivate = url.protocol === 'https:' || staysHere(url.hostname)
    return [...this.#jar]
      .filter(([, { secure }]) => isPrivate || !secure)
      .map(([name, { value }]) => `${name}=${value}`)
      .join('; ')
  }

  #send(url: URL, { method = 'GET', headers = {}, form, from }: Question): Promise<IncomingMessage> {
    const signal = this.#budget.spend()
    const body = form?.toString()
    // Django asks https requests for it; the path is told to the own origin only, as browsers do.
    const referer = from?.origin === url.origin ? from.origin + from.pathname : undefined
    const cookie = this.#cookieFor(url)
    const request = url.protocol === 'https:' ? requestHttps : requestHttp
    return new Promise((resolve, reject) => {
      const sent = request(url, {
        method,
        signal,
        // A connection of its own for each request: a kept one would hold the process.
        agent: false,
        ...(this.#ca === undefined ? {} : { ca: this.#ca }),
        headers: {
          'user-agent': 'fastify-session-guard scan',
          accept: 'text/html,*/*',
          ...(cookie === '' ? {} : { cookie }),
          ...(body === undefined ? {} : { 'content-type': 'application/x-www-form-urlencoded', origin: url.origin }),
          ...(referer === undefined ? {} : { referer }),
          ...headers,
        },
      })
      sent.once('response', resolve)
      sent.once('error', (error: NodeJS.ErrnoException) => {
        reject(new ScanError(signal.aborted ? TOO_LATE : `${url.origin} ${troubleOf(error)}`, { cause: error }))
      })
      sent.end(body)
    })
  }

  #receive(response: IncomingMessage): SetCookie[] {
    const parsed = (response.headers['set-cookie'] ?? []).map((header) => parseSetCookie(header, this.#budget.now))
    const cookies = parsed.filter((cookie) => cookie !== undefined)
    for (const { name, value, secure, isRemoval } of cookies) {
      if (isRemoval) this.#jar.delete(name)
      else this.#jar.set(name, { value, secure })
    }
    return cookies
  }
}

/**
 * Tells whether text that a user typed on one page may be sent to another page. The other page must have the same
 * origin, or the same host by https instead of http.
 */
export function mayPass(from: URL, to: URL): boolean {
  return (
    from.origin === to.origin ||
    (from.hostname === to.hostname && from.protocol === 'http:' && to.protocol === 'https:')
  )
}

function troubleOf({ code = 'no reason given' }: NodeJS.ErrnoException): string {
  const isDoubted = /CERT|SIGNATURE/.test(code)
  return isDoubted
    ? `has a certificate that is not trusted: ${code} (--ca names one to trust)`
    : `does not answer: ${code}`
}

async function bodyOf(response: IncomingMessage): Promise<string> {
  const chunks: Buffer[] = []
  let size = 0
  try {
    for await (const chunk of response as AsyncIterable<Buffer>) {
      chunks.push(chunk)
      size += chunk.length
      if (size >= LARGEST_BODY) break
    }
  } catch {
    // The text that came before the connection broke is used.
  }
  return Buffer.concat(chunks).toString('utf8', 0, LARGEST_BODY)
}

function targetOf(location: string | undefined, base: URL): URL | undefined {
  if (location === undefined || !URL.canParse(location, base.href)) return undefined
  const url = new URL(location, base)
  return url.protocol === 'http:' || url.protocol === 'https:' ? url : undefined
}
