import type { DeploymentFacts } from './deployment-facts.ts'

/** The facts about the other plugins of an app, once all have loaded. */
export interface NeighbourFacts {
  /** The answers of CORS to origins that nobody should let in; empty without a CORS plugin. */
  readonly cors: readonly CorsAnswer[]
  /** Tells whether a plugin checks CSRF tokens. */
  readonly hasCsrfProtection: boolean
  /** Tells whether responses carry Strict-Transport-Security; `null` when that cannot be told, as behind a proxy. */
  readonly sendsHsts: boolean | null
  /** Tells whether a route asks for a fresh login: `requireLogin({ within })`. */
  readonly hasSudoRoute: boolean
  /** Plugins that sign with one of our secrets. */
  readonly secretSharedWith: readonly string[]
  /** The reaction of the store to the read of a record that cannot exist; `null` when it was not asked. */
  readonly store: StoreProbe | null
  /** Names of session cookies that other plugins set. */
  readonly cookieNames: readonly string[]
  /** The milliseconds by which the store's server is ahead of this machine; `null` when they cannot be told. */
  readonly clockSkew: number | null
  /**
   * The policy by which the store's server drops records that have not expired; `null` when it does not, or cannot be
   * told.
   */
  readonly evictionPolicy: string | null
  /** Tells whether Fastify believes any client that names itself a proxy: `trustProxy: true`. */
  readonly trustsEveryProxy: boolean
  /**
   * Tells whether the hook of @fastify/cookie runs; `false` when the app registered it with `hook: false`, `null` when
   * that cannot be told.
   */
  readonly readsCookies: boolean | null
  /** Tells whether the routes of `deviceBound` answer themselves; `null` without them. */
  readonly answersDevices: boolean | null
  /** Routes, as `GET /path`, that ask for a login and have `config: { session: false }`. */
  readonly guardedWithoutSession: readonly string[]
}

/** The CORS headers of one response. */
export interface CorsAnswer {
  readonly probeOrigin: string
  readonly allowOrigin: string | null
  readonly allowCredentials: boolean
}

/** Tells whether a store answers. */
export interface StoreProbe {
  readonly answers: boolean
  /** The name of the failure, without an address or a secret. */
  readonly detail: string
  /** The fault and the remedy in words, where they are known. */
  readonly advice?: string
}

/** The facts of one request that show the way it came, and what came of it. */
export interface RequestFacts {
  /** The protocol as Fastify sees it, after `trustProxy`. */
  readonly protocol: string
  /** The host's name, without a port. */
  readonly hostname: string
  /** Entries of `X-Forwarded-Proto`; Fastify takes the last one. */
  readonly forwardedProto: readonly string[]
  /** A header that says https, and that Fastify does not read: `Forwarded: proto=https`. */
  readonly unreadProto: string | null
  /** Fastify's `trustProxy`, as far as it can be told. */
  readonly trustProxy: 'off' | 'hop-count' | 'on'
  /** Address of the peer; `null` over a unix socket. */
  readonly peer: string | null
  /** Version of Fastify. */
  readonly fastifyVersion: string
  /** Tells whether the request carries a session cookie, or its response sets one. */
  readonly hasSessionCookie: boolean
  /** The number of session cookies of one name in the request. */
  readonly sessionCookies: number
  /** An origin that was refused although CORS lets it in with credentials. */
  readonly refusedOrigin: string | null
}

/** The facts that the answer to one request shows about the app. */
export interface AnswerFacts {
  /** `GET /login`: method and route, without the query. */
  readonly route: string
  readonly isSafeMethod: boolean
  /** Names of the query's parameters. */
  readonly parameters: readonly string[]
  /** Tells whether the request logged somebody in, or out. */
  readonly isLogin: boolean
  readonly isLogout: boolean
  /** Names of the cookies that the answer sets without Secure. */
  readonly insecureCookies: readonly string[]
  /** The origin that CORS let in with credentials; `null` when it let none in. */
  readonly allowedOrigin: string | null
  /** The session id that CORS keeps from a page which it lets in; `null` for none. */
  readonly hiddenId: HiddenId | null
}

/** A header with a session id that a page of another origin may not read or send. */
export interface HiddenId {
  readonly origin: string
  readonly header: string
  /** Tells whether the header belongs to a response, which the page may not read. */
  readonly isResponse: boolean
}

/** A secret that stands in the source text as a literal. */
export interface SourceSecret {
  /** The name that it is given to. */
  readonly name: string
  /** Counted from 1. */
  readonly line: number
  readonly column: number
}

/** The facts that a deployment shows to the outside, except its cookies' attributes. */
export interface ScanFacts extends DeploymentFacts {
  /** The answers of CORS to origins that nobody can have. */
  readonly cors: readonly CorsAnswer[]
  /** Tells whether https responses carry Strict-Transport-Security; `null` without https. */
  readonly sendsHsts: boolean | null
  /** The answer to plain http: nothing listens, a redirect to https, or a page. */
  readonly plainHttp: 'closed' | 'redirects' | 'serves' | 'unknown'
  /** Tells whether the host is this machine. */
  readonly isLoopback: boolean
  /** Session cookies that a plain http response set. */
  readonly cookiesOverHttp: readonly string[]
  /** Session cookies without a SameSite attribute. */
  readonly cookiesWithoutSameSite: readonly string[]
  /** Session cookies that were the same before and after a login. */
  readonly keptThroughLogin: readonly string[]
  /** Tells whether the session went on after the logout; `null` when that was not tried. */
  readonly survivesLogout: boolean | null
}
