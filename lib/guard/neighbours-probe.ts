import { createHmac, randomBytes } from 'node:crypto'
import { probeCors } from './cors-probe.ts'
import type { NeighbourFacts, StoreProbe } from './phase-facts.ts'
import type { RoutingApp } from './cors-probe.ts'

/** As much of a Fastify app as the probe looks at. */
export interface ProbedApp extends RoutingApp {
  hasPlugin(name: string): boolean
  hasDecorator(name: string): boolean
}

/** What the plugin itself knows, and the probe cannot find out. */
export interface ProbeInput {
  /** The secrets that sign the session cookie. */
  readonly secrets: readonly string[]
  /** The store that the app was given; `undefined` for the default one, which needs no probe. */
  readonly store: { get(handle: string): Promise<unknown> } | undefined
  /** In milliseconds. */
  readonly storeTimeout: number
  /** Whether a route was guarded by `requireLogin({ within })`. */
  readonly hasSudoRoute: boolean
}

/**
 * Finds out what the other plugins of an app do, once all have loaded: for an `onReady` hook. Asks the app one question over its
 * router, if a CORS plugin is there to answer it, and the store one. Never rejects.
 */
export async function probeNeighbours(app: ProbedApp, input: ProbeInput): Promise<NeighbourFacts> {
  const [cors, store] = await Promise.all([
    app.hasPlugin('@fastify/cors') ? probeCors(app) : null,
    input.store === undefined ? null : probeStore(input.store, input.storeTimeout),
  ])
  return {
    cors,
    store,
    hasCsrfProtection: app.hasPlugin('@fastify/csrf-protection'),
    sendsHsts: app.hasPlugin('@fastify/helmet') ? true : null,
    hasSudoRoute: input.hasSudoRoute,
    secretSharedWith: secretSharers(app, input.secrets),
    cookieNames: [],
  }
}

const SIGNED_TEXT = 'fastify-session-guard'

/** Plugins are asked to sign something; whoever signs as we would has our secret. Theirs is never read. */
function secretSharers(app: ProbedApp, secrets: readonly string[]): string[] {
  const [newest] = secrets
  if (newest === undefined) return []
  const isCookieOurs = attempt(() => signCookie(app)) === signedByUs(newest)
  const token = attempt(() => signToken(app))
  return [...(isCookieOurs ? ['@fastify/cookie'] : []), ...(isSignedByUs(token, secrets) ? ['@fastify/jwt'] : [])]
}

function signCookie(app: ProbedApp): unknown {
  return (Reflect.get(app, 'signCookie') as (text: string) => unknown).call(app, SIGNED_TEXT)
}

function signToken(app: ProbedApp): unknown {
  const jwt = Reflect.get(app, 'jwt') as { sign(payload: object): unknown }
  return jwt.sign({ probe: SIGNED_TEXT })
}

function signedByUs(secret: string): string {
  return `${SIGNED_TEXT}.${createHmac('sha256', secret).update(SIGNED_TEXT).digest('base64').replaceAll('=', '')}`
}

function isSignedByUs(token: unknown, secrets: readonly string[]): boolean {
  if (typeof token !== 'string') return false
  const end = token.lastIndexOf('.')
  const [text, signature] = [token.slice(0, end), token.slice(end + 1)]
  return secrets.some((secret) => createHmac('sha256', secret).update(text).digest('base64url') === signature)
}

/** A plugin that is not there, has no secret, or signs with something else, throws or promises. */
function attempt(action: () => unknown): unknown {
  try {
    return action()
  } catch {
    return undefined
  }
}

async function probeStore(store: NonNullable<ProbeInput['store']>, timeout: number): Promise<StoreProbe> {
  const handle = randomBytes(16).toString('base64url')
  let timer: NodeJS.Timeout | undefined
  const late = new Promise<StoreProbe>((resolve) => {
    timer = setTimeout(() => resolve({ answers: false, detail: `no answer within ${timeout} ms` }), timeout)
  })
  try {
    return await Promise.race([late, askStore(store, handle)])
  } finally {
    clearTimeout(timer)
  }
}

async function askStore(store: NonNullable<ProbeInput['store']>, handle: string): Promise<StoreProbe> {
  try {
    await store.get(handle)
    return { answers: true, detail: '' }
  } catch (error) {
    return { answers: false, detail: nameOf(error) }
  }
}

/** A driver's message may hold its address, and that a password: only names and codes are passed on. */
function nameOf(error: unknown): string {
  const { cause, code, name } = (error ?? {}) as { cause?: unknown; code?: unknown; name?: unknown }
  if (typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) && !code.startsWith('SESSION_')) return code
  if (cause !== undefined && cause !== error) return nameOf(cause)
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'it failed'
}
