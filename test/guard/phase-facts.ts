import { QUIET_REQUEST } from '../../lib/guard/read/request-facts.ts'
import type { NeighbourFacts, RequestFacts, ScanFacts } from '../../lib/guard/read/phase-facts.ts'

/** Neighbours that do nothing worth a word. */
export const NEIGHBOURS: NeighbourFacts = {
  cors: [],
  hasCsrfProtection: false,
  sendsHsts: null,
  hasSudoRoute: false,
  secretSharedWith: [],
  store: null,
  cookieNames: [],
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
