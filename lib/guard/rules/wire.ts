import { isPublicHost } from '../read/public-host.ts'
import { locate, show } from '../read/show-value.ts'
import type { FindingLocation } from '../../../types/index.ts'
import type { RequestFacts } from '../read/phase-facts.ts'
import type { Problem, Rule } from './rule.ts'

/** Tells whether a request came over https to some proxy, and Fastify takes it for http. */
function isHiddenHttps({ protocol, forwardedProto, unreadProto }: RequestFacts): boolean {
  return protocol === 'http' && (forwardedProto.some(isHttps) || unreadProto !== null)
}

function isHttps(protocol: string | undefined): boolean {
  return protocol === 'https' || protocol === 'wss'
}

/** Tells whether trust alone is missing: the entry that Fastify would take says https. */
function isUntrusted({ forwardedProto }: RequestFacts): boolean {
  return isHttps(forwardedProto.at(-1))
}

/** Tells whether Fastify ignores X-Forwarded-Proto in spite of a number of hops, as it does from this release on. */
function ignoresHopCount(facts: RequestFacts): boolean {
  const { trustProxy, fastifyVersion } = facts
  const [major = 0, minor = 0, patch = 0] = fastifyVersion.split('.').map((part) => Number.parseInt(part, 10))
  const isNewer = major > 5 || (major === 5 && (minor > 12 || (minor === 12 && patch >= 1)))
  return trustProxy === 'hop-count' && isNewer && isUntrusted(facts)
}

function wire({ protocol, forwardedProto, unreadProto }: RequestFacts): FindingLocation[] {
  const value = forwardedProto.length === 0 ? 'missing' : show(forwardedProto.join(', '))
  return [
    { ...locate([], show(protocol)), path: 'request.protocol' },
    { ...locate([], value), path: 'X-Forwarded-Proto' },
    ...(unreadProto === null ? [] : [{ ...locate([], 'https'), path: unreadProto }]),
  ]
}

const ADDRESSES = "Fastify({ trustProxy: ['10.0.0.0/8'] }), with the addresses of your proxy."

export const trustProxyMissing: Rule = {
  slug: 'trust-proxy-missing',
  severity: { production: 'warning', development: 'warning' },
  phases: ['request'],
  silenceable: true,
  when: 'a request is http to Fastify, yet `X-Forwarded-Proto`, or a header that Fastify does not read, says https',
  why: 'A proxy ends TLS, and Fastify does not believe it: it takes https for http, and the proxy for the client.',
  remedy: "`trustProxy: ['10.0.0.0/8']`, with the proxy's addresses",
  references: ['expressjs/session#165'],
  teach: `Without trustProxy, Fastify sees the connection from the proxy: plain http, from the proxy's address. Everything that asks whether the
request was https gets the wrong answer. With trustProxy: true Fastify would believe everybody; name the addresses of your proxy.
Fastify reads X-Forwarded-Proto alone, and of a list the last entry. It reads neither Forwarded nor the headers that single vendors have.`,
  examples: {
    wrong: {
      shown: 'Fastify() behind a proxy that ends TLS',
      options: '',
      request: { protocol: 'http', forwardedProto: ['https'], trustProxy: 'off' },
    },
    right: {
      shown: "Fastify({ trustProxy: ['10.0.0.0/8'] })",
      options: '',
      request: { protocol: 'https', forwardedProto: ['https'], trustProxy: 'on' },
    },
  },
  onRequest: (facts): Problem[] =>
    isHiddenHttps(facts) && !ignoresHopCount(facts) ? [{ at: wire(facts), ...hiddenHttps(facts) }] : [],
}

function hiddenHttps({
  forwardedProto,
  unreadProto,
  trustProxy,
  peer,
}: RequestFacts): Pick<Problem, 'message' | 'text'> {
  if (!forwardedProto.some(isHttps)) {
    return {
      message: `${unreadProto} says https, and Fastify does not read that header`,
      text: 'Let the proxy send X-Forwarded-Proto: https, and give Fastify its addresses as trustProxy.',
    }
  }
  if (!isHttps(forwardedProto.at(-1))) {
    return {
      message: `Fastify takes the last entry of X-Forwarded-Proto, which is ${show(forwardedProto.at(-1))}; an earlier one is https`,
      text: 'Let the proxies behind the first one pass the header on as it came, and not add the protocol between them.',
    }
  }
  if (trustProxy === 'off') {
    return {
      message: "the request came over https, and Fastify's trustProxy is off, so it is taken for http",
      text: ADDRESSES,
    }
  }
  const from = peer === null ? 'a unix socket' : `the address ${peer}`
  return {
    message: `the request came over https from ${from}, which Fastify's trustProxy does not name`,
    text:
      peer === null
        ? 'Only a function can name a unix socket: Fastify({ trustProxy: (address) => address === undefined }).'
        : `If that is your proxy, name it: Fastify({ trustProxy: ['${peer}'] }).`,
  }
}

export const trustProxyHopCount: Rule = {
  slug: 'trust-proxy-hop-count',
  severity: { production: 'warning', development: 'warning' },
  phases: ['request'],
  silenceable: true,
  when: 'as trust-proxy-missing, with `trustProxy` a number, on fastify >= 5.12.1',
  why: 'Since 5.12.1 Fastify takes no protocol and no host from a proxy that is known by a number of hops only.',
  remedy: 'addresses, or a function, in place of the number',
  references: ['GHSA-3m5p-2c4r-xxw2'],
  teach: `A number of hops says how many proxies there are, not which. A client that reaches the app past the proxies could claim https and
any host. Fastify therefore ignores these headers then, and request.protocol stays http. Name the addresses of the proxies.`,
  examples: {
    wrong: {
      shown: 'Fastify({ trustProxy: 1 })',
      options: '',
      request: { protocol: 'http', forwardedProto: ['https'], trustProxy: 'hop-count', fastifyVersion: '5.12.1' },
    },
    right: {
      shown: "Fastify({ trustProxy: ['10.0.0.0/8'] })",
      options: '',
      request: { protocol: 'https', forwardedProto: ['https'], trustProxy: 'on' },
    },
  },
  onRequest: (facts): Problem[] =>
    isHiddenHttps(facts) && ignoresHopCount(facts)
      ? [
          {
            at: wire(facts),
            message: `trustProxy is a number, and Fastify ${facts.fastifyVersion} takes no protocol from a proxy known by its distance`,
            text: ADDRESSES,
          },
        ]
      : [],
}

export const plainHttpInProduction: Rule = {
  slug: 'plain-http-in-production',
  severity: { production: 'warning', development: null },
  phases: ['request', 'scan'],
  silenceable: true,
  when: 'a request over http, without a word of a proxy, for a public host, that carries a session cookie or gets one',
  why: 'Somebody reaches this app without TLS. Their browser drops the Secure cookie, and everybody on the way reads along.',
  remedy: 'end TLS in front of the app, and redirect http to it',
  references: ['OWASP ASVS 5.0 12'],
  teach: `Either the port of the app is open beside the proxy, or there is no TLS at all. A login over plain http shows the password to the
network, and the session cookie, being Secure, never comes back. Health probes, pods that call each other, and routes with
session: false are no reason for the warning.`,
  examples: {
    wrong: {
      shown: 'http://app.example.com/ shows a page',
      options: '',
      request: { protocol: 'http', hostname: 'app.example.com', hasSessionCookie: true },
    },
    right: {
      shown: 'http://app.example.com/ leads to https://app.example.com/',
      options: '',
      request: { protocol: 'http', hostname: 'app.example.com', hasSessionCookie: false },
    },
  },
  onRequest: (facts): Problem[] =>
    facts.hasSessionCookie && isPlain(facts) && isPublicHost(facts.hostname)
      ? [
          {
            at: wire(facts),
            message: 'a request with a session came over plain http',
            text: 'End TLS in front of the app, and redirect http to it.',
          },
        ]
      : [],
  onScan: ({ plainHttp, isLoopback, sendsHsts }): Problem[] =>
    plainHttp === 'serves' && sendsHsts === null && !isLoopback
      ? [
          {
            at: [{ ...locate([], 'a page'), path: 'http' }],
            message: 'the deployment answers over plain http, and has no https',
            text: 'End TLS in front of the app, and redirect http to it.',
          },
        ]
      : [],
}

function isPlain({ protocol, forwardedProto, unreadProto }: RequestFacts): boolean {
  return protocol === 'http' && forwardedProto.length === 0 && unreadProto === null
}

export const hstsMissing: Rule = {
  slug: 'hsts-missing',
  severity: { production: 'info', development: null },
  phases: ['ready', 'scan'],
  silenceable: true,
  when: 'no `Strict-Transport-Security` on an https response, or one that is taken back with `max-age=0`',
  why: 'The first request of a visit may go over http, where somebody on the way can answer it instead of you.',
  remedy: '@fastify/helmet',
  references: ['OWASP ASVS 5.0 3.4.1', 'Django security.W004'],
  teach: `A user who types your name starts over http, and is redirected, unless somebody in between answers first. With
Strict-Transport-Security a browser that has been here once goes straight to https. @fastify/helmet sends it; so can the proxy.`,
  examples: {
    wrong: {
      shown: 'an https response without Strict-Transport-Security',
      options: '',
      neighbours: { sendsHsts: false },
    },
    right: { shown: 'app.register(helmet)', options: '', neighbours: { sendsHsts: true } },
  },
  intentions: [
    {
      wish: 'This process serves https',
      code: 'app.register(helmet, { hsts: { maxAge: 31_536_000, includeSubDomains: true } })',
      isOptions: false,
    },
    {
      wish: 'A proxy serves https: nginx',
      code: 'add_header Strict-Transport-Security "max-age=31536000; includeSubDomains" always;',
      isOptions: false,
    },
  ],
  exception:
    'A host that must stay reachable over http (a device in a private network) cannot have it: browsers remember the header for its whole time.',
  onNeighbours: ({ sendsHsts }) => (sendsHsts === false ? [hstsProblem()] : []),
  onScan: ({ sendsHsts }) => (sendsHsts === false ? [hstsProblem()] : []),
}

function hstsProblem(): Problem {
  return {
    at: [{ ...locate([], 'missing'), path: 'Strict-Transport-Security' }],
    message: 'https responses do not tell browsers to stay on https',
    text: 'Register @fastify/helmet, or let the proxy send it.',
  }
}
