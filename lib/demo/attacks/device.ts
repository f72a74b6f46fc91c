import { DeviceKey } from '../../testing/device-key.ts'
import type { Party } from './party.ts'
import type { Exchange } from './step.ts'

const REFRESH = '/.session/refresh'

/** The part of a browser that holds a key and proves the key to the bank. */
export class Device {
  readonly #party: Party
  readonly #key = new DeviceKey()
  #challenge = ''

  constructor(party: Party) {
    this.#party = party
  }

  /** Answers the offer of a login with the public key. */
  async bind(offer: string, words: string): Promise<Exchange> {
    const [, path = '', challenge = ''] = /path="([^"]*)";challenge="([^"]*)"/.exec(offer) ?? []
    return this.#ask(path, { 'Secure-Session-Response': `"${this.#key.registration(challenge)}"` }, words)
  }

  /** Asks for a new bound cookie, with a proof over the challenge of the last answer if there was one. */
  async refresh(words: string): Promise<Exchange> {
    const challenge = this.#challenge
    const proof = challenge === '' ? undefined : { 'Secure-Session-Response': `"${this.#key.proof(challenge)}"` }
    return this.#ask(REFRESH, { ...proof }, words)
  }

  async #ask(path: string, headers: Record<string, string>, words: string): Promise<Exchange> {
    const exchange = await this.#party.ask(path, headers, words)
    this.#challenge = /^"([^"]*)"/.exec(exchange.challenge ?? '')?.[1] ?? ''
    return exchange
  }
}
