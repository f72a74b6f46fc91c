import { generateKeyPairSync, sign } from 'node:crypto'
import type { Party } from './party.ts'
import type { Exchange } from './step.ts'

const REFRESH = '/.session/refresh'

/** The part of a browser that holds a key and proves the key to the bank. */
export class Device {
  readonly #party: Party
  readonly #pair = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  #challenge = ''

  constructor(party: Party) {
    this.#party = party
  }

  /** Answers the offer of a login with the public key. */
  async bind(offer: string, words: string): Promise<Exchange> {
    const [, path = '', challenge = ''] = /path="([^"]*)";challenge="([^"]*)"/.exec(offer) ?? []
    const { kty, crv, x, y } = this.#pair.publicKey.export({ format: 'jwk' })
    return this.#ask(path, { 'Secure-Session-Response': this.#proof({ jwk: { kty, crv, x, y } }, challenge) }, words)
  }

  /** Asks for a new bound cookie, with a proof over the challenge of the last answer if there was one. */
  async refresh(words: string): Promise<Exchange> {
    const challenge = this.#challenge
    const proof = challenge === '' ? undefined : { 'Secure-Session-Response': this.#proof({}, challenge) }
    return this.#ask(REFRESH, { ...proof }, words)
  }

  async #ask(path: string, headers: Record<string, string>, words: string): Promise<Exchange> {
    const exchange = await this.#party.ask(path, headers, words)
    this.#challenge = /^"([^"]*)"/.exec(exchange.challenge ?? '')?.[1] ?? ''
    return exchange
  }

  /** Signs a challenge (RFC 7515, ES256). */
  #proof(more: object, challenge: string): string {
    const parts = [{ alg: 'ES256', typ: 'dbsc+jwt', ...more }, { jti: challenge }]
    const signed = parts.map((part) => Buffer.from(JSON.stringify(part)).toString('base64url')).join('.')
    const key = { key: this.#pair.privateKey, dsaEncoding: 'ieee-p1363' } as const
    return `"${signed}.${sign('sha256', Buffer.from(signed), key).toString('base64url')}"`
  }
}
