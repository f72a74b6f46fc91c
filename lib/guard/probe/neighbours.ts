import { randomBytes } from 'node:crypto'
import { probeCors } from './cors.ts'
import { isHsts } from './hsts.ts'
import { ask, STATUS } from './routing.ts'
import { trustsEverybody } from '../read/request-facts.ts'
import { secretSharers } from './secret-sharers.ts'
import { within } from './within.ts'
import { inTime } from '../../storage/in-time.ts'
import type { ProbedContext } from './cors.ts'
import type { NeighbourFacts, StoreProbe } from '../read/phase-facts.ts'
import type { StoreDescription } from '../read/store-facts.ts'
import type { ProbedRequest, RoutingApp } from './routing.ts'
import { adviceAbout } from './store-advice.ts'

/** The part of a Fastify app that the probe looks at. */
export type ProbedApp = RoutingApp & ProbedContext

/** The facts that the plugin knows and the probe cannot find out. */
export interface ProbeInput {
  /** Contexts below the app, which inherit its session. */
  readonly contexts: readonly ProbedContext[]
  /** The secrets that sign the session cookie. */
  readonly secrets: readonly string[]
  /** The store that the app was given; `undefined` for the default one, which needs no probe. */
  readonly store: ProbedStore | undefined
  /** The time limit of the store, in milliseconds. */
  readonly storeTimeout: number
  /** Tells whether a route was guarded by `requireLogin({ within })`. */
  readonly hasSudoRoute: boolean
  /** Tells whether this process itself speaks https, so that no proxy adds headers. */
  readonly servesTls: boolean
  /** Names of session cookies that other registrations of this plugin set. */
  readonly cookieNames: readonly string[]
  /** Tells whether the app itself registered @fastify/cookie. */
  readonly bringsCookies: boolean
  /** The clock that deadlines are set by; `undefined` when it is the app's own, which may stand still. */
  readonly clock: (() => number) | undefined
  /** The path of a route of `deviceBound`; `undefined` without the option. */
  readonly deviceRoute: string | undefined
  /** Routes, as `GET /path`, that ask for a login and have opted out of sessions. */
  readonly guardedWithoutSession: readonly string[]
}

/** The part of a store that the probe asks. */
export type ProbedStore = { get(handle: string): Promise<unknown> } & Pick<StoreDescription, 'now' | 'evictionPolicy'>

/**
 * Finds out what the other plugins of an app do, once all have loaded: for an `onReady` hook. Asks the app over its
 * router where somebody is there to answer, and the store. Never rejects.
 */
export async function probeNeighbours(app: ProbedApp, input: ProbeInput): Promise<NeighbourFacts> {
  const { contexts, secrets, store, storeTimeout } = input
  const all = [app, ...contexts]
  const [cors, answer, clockSkew, evictionPolicy, sendsHsts, secretSharedWith, readsCookies, answersDevices] =
    await Promise.all([
      probeCors(app, contexts),
      store === undefined ? null : probeStore(store, storeTimeout),
      probeClock(input),
      probeEviction(input),
      input.servesTls ? probeHsts(app) : null,
      secretSharers(all, secrets),
      input.bringsCookies ? probeCookies(app) : null,
      input.deviceRoute === undefined ? null : probeDevices(app, input.deviceRoute),
    ])
  return {
    cors,
    store: answer,
    clockSkew,
    evictionPolicy,
    hasCsrfProtection: all.some((context) => context.hasPlugin('@fastify/csrf-protection')),
    sendsHsts,
    hasSudoRoute: input.hasSudoRoute,
    secretSharedWith,
    cookieNames: input.cookieNames,
    trustsEveryProxy: trustsEverybody(app),
    readsCookies,
    answersDevices,
    guardedWithoutSession: input.guardedWithoutSession,
  }
}

/**
 * Resolves to the time by which the store's clock is ahead. The answer was made between question and arrival, so half
 * of that time is assumed for each way.
 */
async function probeClock({ store, storeTimeout, clock }: ProbeInput): Promise<number | null> {
  if (clock === undefined || typeof store?.now !== 'function') return null
  const asked = clock()
  const there = await within(storeTimeout, async () => store.now?.())
  const travel = clock() - asked
  if (typeof there !== 'number' || !Number.isFinite(there)) return null
  const skew = there - (asked + travel / 2)
  // A difference that the travel may explain is no difference of clocks.
  return Math.abs(skew) <= travel / 2 ? 0 : skew - Math.sign(skew) * (travel / 2)
}

async function probeEviction({ store, storeTimeout }: ProbeInput): Promise<string | null> {
  if (typeof store?.evictionPolicy !== 'function') return null
  const policy = await within(storeTimeout, async () => store.evictionPolicy?.())
  return typeof policy === 'string' && /^[a-z-]{1,40}$/.test(policy) ? policy : null
}

/** Tells whether the hook of @fastify/cookie runs before a handler; `null` where another hook answers first. */
async function probeCookies(app: RoutingApp): Promise<boolean | null> {
  let seen: ProbedRequest | undefined
  const headers = await ask(app, { method: 'GET', prefix: '', headers: {} }, (request) => {
    seen = request
  })
  // A plugin below a prefix is not asked for a page outside of it.
  if (seen === undefined) return null
  if (seen.cookies !== null && seen.cookies !== undefined) return true
  // All hooks before a handler have run for the page that does not exist.
  return headers?.get(STATUS) === '404' ? false : null
}

/** Tells whether a refresh without a session is answered, as the browser's own requests have to be. */
async function probeDevices(app: RoutingApp, page: string): Promise<boolean> {
  const headers = await ask(app, { method: 'POST', prefix: '', page, headers: {} })
  return headers?.get(STATUS) === '200'
}

async function probeHsts(app: RoutingApp): Promise<boolean | null> {
  const headers = await ask(app, { method: 'GET', prefix: '', headers: {} })
  return headers === null ? null : isHsts(headers.get('strict-transport-security'))
}

async function probeStore(store: NonNullable<ProbeInput['store']>, timeout: number): Promise<StoreProbe> {
  const handle = randomBytes(16).toString('base64url')
  return inTime(askStore(store, handle), timeout, () => ({ answers: false, detail: `no answer within ${timeout} ms` }))
}

async function askStore(store: NonNullable<ProbeInput['store']>, handle: string): Promise<StoreProbe> {
  try {
    await store.get(handle)
    return { answers: true, detail: '' }
  } catch (error) {
    const advice = adviceAbout(error)
    return { answers: false, detail: nameOf(error, 8), ...(advice !== undefined && { advice: `${advice}.` }) }
  }
}

/** A driver's message may hold its address, and that a password: only names and codes are passed on. */
function nameOf(error: unknown, depth: number): string {
  const { cause, code, name } = (error ?? {}) as { cause?: unknown; code?: unknown; name?: unknown }
  if (typeof code === 'string' && /^[A-Z0-9_]{1,60}$/.test(code) && !code.startsWith('SESSION_')) return code
  if (cause !== undefined && depth > 0) return nameOf(cause, depth - 1)
  return typeof name === 'string' && /^\w{1,60}$/.test(name) ? name : 'it failed'
}
