import { QUIET_REQUEST } from '../../lib/guard/read/request-facts.ts'
import type { AnswerFacts, NeighbourFacts, RequestFacts, ScanFacts } from '../../lib/guard/read/phase-facts.ts'

/** Neighbours that do nothing worth a word. */
export const NEIGHBOURS: NeighbourFacts = {
  cors: [],
  hasCsrfProtection: false,
  sendsHsts: null,
  hasSudoRoute: false,
  secretSharedWith: [],
  store: null,
  cookieNames: [],
  clockSkew: null,
  evictionPolicy: null,
  trustsEveryProxy: false,
  readsCookies: null,
  answersDevices: null,
  guardedWithoutSession: [],
}

/** The answer to a GET that shows nothing. */
export const ANSWER: AnswerFacts = {
  route: 'GET /',
  isSafeMethod: true,
  parameters: [],
  isLogin: false,
  isLogout: false,
  insecureCookies: [],
  allowedOrigin: null,
  hiddenId: null,
}

/** A request over https, straight to Fastify. */
export const REQUEST: RequestFacts = { ...QUIET_REQUEST, hostname: 'app.example.com', fastifyVersion: '5.12.8' }

/** A deployment without fault. */
export const SCAN: ScanFacts = {
  cors: [],
  sendsHsts: true,
  plainHttp: 'closed',
  isLoopback: false,
  cookiesOverHttp: [],
  cookiesWithoutSameSite: [],
  keptThroughLogin: [],
  survivesLogout: null,
  cacheable: [],
  idsInUrls: [],
  weakIds: [],
  hsts: { maxAge: 31_536_000, hasSubdomains: true },
  loginOverHttp: null,
  setTwice: [],
  embeddable: [],
  selfContained: [],
}
