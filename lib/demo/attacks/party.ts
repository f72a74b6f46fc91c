import { ALICE } from '../accounts.ts'
import { fingerprintOf } from '../fingerprint.ts'
import type { Answer, SentRequest, ServerCertificate } from './http.ts'
import { LOOPBACK, send } from './http.ts'
import { maskCookie, maskPassword, maskProof } from './masking.ts'
import type { Exchange, Step } from './step.ts'

/** The headers that a browser adds to a form of the bank's own page. */
const OWN_PAGE = { 'Sec-Fetch-Site': 'same-origin' }

/** A person whose browser has a place for the cookies of one session. Every exchange is noted as a step. */
export class Party {
  readonly #port: number
  readonly #steps: Step[]
  readonly #certificate: ServerCertificate
  /** The session cookie as `name=value`; empty without a cookie. */
  cookie = ''
  /** The cookie of a device-bound session's device as `name=value`; empty without such a cookie. */
  boundCookie = ''

  constructor(port: number, steps: Step[], certificate?: ServerCertificate) {
    this.#port = port
    this.#steps = steps
    this.#certificate = certificate
  }

  get(path: string, words: string): Promise<Exchange> {
    return this.#exchange({ method: 'GET', path, headers: {}, body: '' }, words)
  }

  /** Sends a form. `headers` says which page the form is on; default a page of the bank. */
  post(
    path: string,
    form: Readonly<Record<string, string>>,
    words: string,
    headers: Readonly<Record<string, string>> = OWN_PAGE,
  ): Promise<Exchange> {
    const type = { 'Content-Type': 'application/x-www-form-urlencoded' }
    const body = new URLSearchParams(form).toString()
    return this.#exchange({ method: 'POST', path, headers: { ...headers, ...type }, body }, words)
  }

  /** Sends the form of the login page with the name and the password of Alice. */
  logIn(words: string): Promise<Exchange> {
    return this.post('/login', { name: ALICE.id, password: ALICE.password }, words)
  }

  /** Sends a request of the protocol of device-bound sessions, which no page can make. */
  ask(path: string, headers: Readonly<Record<string, string>>, words: string): Promise<Exchange> {
    return this.#exchange({ method: 'POST', path, headers, body: '' }, words)
  }

  async #exchange(asked: SentRequest, words: string): Promise<Exchange> {
    const { cookie } = this
    const host = { Host: `${LOOPBACK}:${this.#port}` }
    const cookies = [cookie, this.boundCookie].filter((one) => one !== '').join('; ')
    const sent = { ...asked, headers: { ...host, ...asked.headers, ...(cookies !== '' && { Cookie: cookies }) } }
    const answer = await send(this.#port, sent, this.#certificate)
    for (const line of answer.cookies) this.#keep(line)
    const exchange: Exchange = {
      kind: 'exchange',
      words,
      request: requestText(sent),
      answer: answerText(answer),
      status: answer.status,
      location: answer.location,
      heading: /<h1>([^<]*)<\/h1>/.exec(answer.page)?.[1],
      fingerprint: cookie === '' ? undefined : fingerprintOf(cookie),
      page: answer.page,
      offer: answer.offer,
      challenge: answer.challenge,
    }
    this.#steps.push(exchange)
    return exchange
  }

  /** Keeps a cookie, or removes it when its value is empty. */
  #keep(line: string): void {
    const pair = line.replace(/;.*/, '')
    const kept = pair.endsWith('=') ? '' : pair
    if (pair.includes('-bound=')) this.boundCookie = kept
    else this.cookie = kept
  }
}

function requestText({ method, path, headers, body }: SentRequest): string {
  const lines = Object.entries(headers).map(
    ([name, value]) => `${name}: ${name === 'Cookie' ? maskCookie(value) : maskProof(value)}`,
  )
  return [`${method} ${path} HTTP/1.1`, ...lines, ...(body === '' ? [] : ['', maskPassword(body)])].join('\n')
}

function answerText({ status, reason, location, cookies, offer, challenge }: Answer): string {
  return [
    `HTTP/1.1 ${status} ${reason}`,
    ...(location === undefined ? [] : [`Location: ${location}`]),
    ...cookies.map((line) => `Set-Cookie: ${maskCookie(line)}`),
    ...(offer === undefined ? [] : [`Secure-Session-Registration: ${maskProof(offer)}`]),
    ...(challenge === undefined ? [] : [`Secure-Session-Challenge: ${maskProof(challenge)}`]),
  ].join('\n')
}
