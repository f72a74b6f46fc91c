import { randomBytes } from 'node:crypto'
import { probeCors } from './cors.ts'
import { isHsts } from './hsts.ts'
import { ask } from './routing.ts'
import { secretSharers } from './secret-sharers.ts'
import type { ProbedContext } from './cors.ts'
import type { NeighbourFacts, StoreProbe } from '../read/phase-facts.ts'
import type { RoutingApp } from './routing.ts'

/** As much of a Fastify app as the probe looks at. */
export type ProbedApp = RoutingApp & ProbedContext

/** What the plugin itself knows, and the probe cannot find out. */
export interface ProbeInput {
  /** Contexts below the app, which inherit its session. */
  readonly contexts: readonly ProbedContext[]
  /** The secrets that sign the session cookie. */
  readonly secrets: readonly string[]
  /** The store that the app was given; `undefined` for the default one, which needs no probe. */
  readonly store: { get(handle: string): Promise<unknown> } | undefined
  /** In milliseconds. */
  readonly storeTimeout: number
  /** Tells whether a route was guarded by `requireLogin({ within })`. */
  readonly hasSudoRoute: boolean
  /** Tells whether this process itself speaks https, so that no proxy adds headers. */
  readonly servesTls: boolean
  /** Names of session cookies that other registrations of this plugin set. */
  readonly cookieNames: readonly string[]
}

/**
 * Finds out what the other plugins of an app do, once all have loaded: for an `onReady` hook. Asks the app over its router where
 * somebody is there to answer, and the store. Never rejects.
 */
export async function probeNeighbours(app: ProbedApp, input: ProbeInput): Promise<NeighbourFacts> {
  const { contexts, secrets, store, storeTimeout, hasSudoRoute, cookieNames } = input
  const all = [app, ...contexts]
  const [cors, answer, sendsHsts, secretSharedWith] = await Promise.all([
    probeCors(app, contexts),
    store === undefined ? null : probeStore(store, storeTimeout),
    input.servesTls ? probeHsts(app) : null,
    secretSharers(all, secrets),
  ])
  const hasCsrfProtection = all.some((context) => context.hasPlugin('@fastify/csrf-protection'))
  return { cors, store: answer, hasCsrfProtection, sendsHsts, hasSudoRoute, secretSharedWith, cookieNames }
}

async function probeHsts(app: RoutingApp): Promise<boolean | null> {
  const headers = await ask(app, { method: 'GET', prefix: '', headers: {} })
  return headers === null ? null : isHsts(headers.get('strict-transport-security'))
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
    return { answers: false, detail: nameOf(error, 8) }
  }
}

/** A driver's message may hold its address, and that a password: only names and codes are passed on. */
function nameOf(error: unknown, depth: number): string {
  const { cause, code, name } = (error ?? {}) as { cause?: unknown; code?: unknown; name?: unknown }
  if (typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) && !code.startsWith('SESSION_')) return code
  if (cause !== undefined && depth > 0) return nameOf(cause, depth - 1)
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'it failed'
}
