import { createHmac, randomBytes } from 'node:crypto'
import { PATIENCE } from './routing.ts'
import { within } from './within.ts'

const SIGNED_TEXT = 'fastify-session-guard'

/**
 * Plugins that sign, or take for signed, what one of our secrets signs. They are asked to; their own secret is never
 * read.
 */
export async function secretSharers(contexts: readonly object[], secrets: readonly string[]): Promise<string[]> {
  const isCookieOurs = decorators(contexts, 'unsignCookie').map((unsign) => isCookieShared(unsign, secrets))
  const isTokenOurs = decorators(contexts, 'jwt').map((jwt) => isTokenShared(jwt, secrets))
  return [
    ...((await Promise.all(isCookieOurs)).includes(true) ? ['@fastify/cookie'] : []),
    ...((await Promise.all(isTokenOurs)).includes(true) ? ['@fastify/jwt'] : []),
  ]
}

/** Returns the decorators of an app's contexts under a name. Most contexts inherit the same one. */
function decorators(contexts: readonly object[], name: string): unknown[] {
  return [...new Set(contexts.map((context) => Reflect.get(context, name) as unknown))].filter(
    (decorator) => decorator !== undefined,
  )
}

/** @fastify/cookie verifies with all of its keys, as we do with all of ours. */
async function isCookieShared(unsign: unknown, secrets: readonly string[]): Promise<boolean> {
  const takes = async (secret: string): Promise<boolean> => {
    const unsigned = await within(PATIENCE, () => (unsign as (value: string) => unknown)(signedWith(secret)))
    return (unsigned as { valid?: unknown } | undefined)?.valid === true
  }
  const taken = await Promise.all(secrets.map(takes))
  // A signer of the app's own may take anything.
  return taken.includes(true) && !(await takes(randomBytes(32).toString('base64url')))
}

function signedWith(secret: string): string {
  return `${SIGNED_TEXT}.${createHmac('sha256', secret).update(SIGNED_TEXT).digest('base64').replaceAll('=', '')}`
}

interface Signing {
  sign(payload: object): unknown
}

/** @fastify/jwt keeps what it signs with under `app.jwt`, or under a namespace in it. */
async function isTokenShared(jwt: unknown, secrets: readonly string[]): Promise<boolean> {
  const signers = [jwt, ...Object.values(jwt ?? {})].filter(isSigning)
  const tokens = await Promise.all(signers.map((signer) => within(PATIENCE, () => signer.sign({ probe: SIGNED_TEXT }))))
  return tokens.some((token) => typeof token === 'string' && isSignedByUs(token, secrets))
}

function isSigning(value: unknown): value is Signing {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'sign') === 'function'
}

function isSignedByUs(token: string, secrets: readonly string[]): boolean {
  const end = token.lastIndexOf('.')
  const [text, signature] = [token.slice(0, end), token.slice(end + 1)]
  // RFC 7518 3.1: HS256, HS384, HS512.
  return ['sha256', 'sha384', 'sha512'].some((hash) =>
    secrets.some((secret) => createHmac(hash, secret).update(text).digest('base64url') === signature),
  )
}
