import { createHmac } from 'node:crypto'
import type { FastifyInstance, LightMyRequestResponse } from 'fastify'
import { DeviceKey, jwsOf, PROOF_HEADER } from '../../lib/testing/device-key.ts'

/** The differences between a proof and a good one. */
export interface Twist {
  readonly header?: object
  readonly payload?: object
  /** Makes the signature. */
  readonly sign?: (signed: string) => Buffer
}

type Response = LightMyRequestResponse

/** A device with a key on P-256 that speaks the protocol by hand, well or badly. */
export class Device extends DeviceKey {
  /** The private key too, which no device gives away. */
  get privateJwk(): object {
    return this.privateKey.export({ format: 'jwk' })
  }

  override proof(challenge: string, twist: Twist = {}): string {
    const header = { ...PROOF_HEADER, ...twist.header }
    return jwsOf(header, { jti: challenge, ...twist.payload }, twist.sign ?? ((text) => this.sign(text)))
  }

  override registration(challenge: string, twist: Twist = {}): string {
    return this.proof(challenge, { ...twist, header: { jwk: this.jwk, ...twist.header } })
  }

  /** Returns a proof that is signed with the text of the public key as a shared secret. */
  confused(challenge: string): string {
    const pem = this.publicKey.export({ format: 'pem', type: 'spki' })
    const header = { alg: 'HS256', jwk: this.jwk }
    return this.proof(challenge, { header, sign: (text) => createHmac('sha256', pem).update(text).digest() })
  }
}

/** Returns the challenge that a login offers. */
export function offeredBy({ headers }: Response): string {
  return /;challenge="([^"]+)"/.exec(String(headers['secure-session-registration']))?.[1] ?? ''
}

/** Returns the challenge that an answer asks to be signed next. */
export function challengeOf({ headers }: Response): string {
  return /^"([^"]+)"/.exec(String(headers['secure-session-challenge']))?.[1] ?? ''
}

/** Returns the session identifier of an answer. */
export function identifierOf(response: Response): string {
  return response.json<{ session_identifier: string }>().session_identifier
}

/** Returns the value of a cookie that a response sets. */
export function cookieIn(response: Response, name: string): string | undefined {
  return response.cookies.find((cookie) => cookie.name === name)?.value
}

/** Sends a registration. */
export async function register(app: FastifyInstance, cookie: string, jws: string): Promise<Response> {
  return app.inject({ method: 'POST', url: '/.session/register', headers: { cookie, 'secure-session-response': jws } })
}

/** Sends a refresh; without a proof if `jws` is absent. */
export async function refresh(app: FastifyInstance, cookie: string, id: string, jws?: string): Promise<Response> {
  const headers = {
    cookie,
    'sec-secure-session-id': `"${id}"`,
    ...(jws !== undefined && { 'secure-session-response': jws }),
  }
  return app.inject({ method: 'POST', url: '/.session/refresh', headers })
}
