import { isInsecure } from '../read/cookie-syntax.ts'
import { perhaps, safely, set } from './fix.ts'
import type { Fix } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Rule } from './rule.ts'

/** Development speaks plain http on localhost, where `'auto'` follows the request. */
function secureFix({ environment }: ConfigFacts): Fix {
  return safely(set(['cookie', 'secure'], environment.name === 'production' ? true : 'auto'))
}

/** A rule that says more about the same missing Secure takes the word. */
function isToldBetter(facts: ConfigFacts): boolean {
  const { cookie } = facts
  const hasPrefix = facts.isGiven('cookie', 'name') && /^__(secure|host|http)-/i.test(cookie.name ?? '')
  return cookie.sameSite === 'none' || cookie.partitioned === true || hasPrefix
}

export const sameSiteNoneRequiresSecure: Rule = {
  slug: 'samesite-none-requires-secure',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: "`cookie.sameSite` is `'none'` and `cookie.secure` is not `true` (`'auto'` counts as not)",
  why: 'Browsers discard a SameSite=None cookie without Secure, and "auto" leaves Secure off whenever the request looks like http: users would be logged out silently.',
  remedy: "`secure: true`, or `sameSite: 'lax'`",
  references: ['RFC 6265bis 5.7', 'expressjs/session#769'],
  teach: `SameSite=None asks browsers to send the cookie with requests from every site. Browsers accept such a cookie over https only. A
cookie with SameSite=None and without Secure is thrown away when it is set. The developer tools show a line about it, and there is no error
anywhere else. Behind a proxy that ends TLS the request looks like http to Fastify, so 'auto' leaves Secure off in production, of all
places. The login then seems to work, and the next request is anonymous.`,
  examples: {
    wrong: { options: "cookie: { sameSite: 'none', secure: 'auto' }" },
    right: { options: "cookie: { sameSite: 'none', secure: true }" },
  },
  onConfig: (facts) => {
    if (facts.cookie.sameSite !== 'none' || !isInsecure(facts)) return []
    return [
      {
        at: [facts.at(['cookie', 'sameSite']), facts.at(['cookie', 'secure'], facts.cookie.secure)],
        message: 'sameSite "none" needs secure: true',
        text: "Not used across sites? cookie: { sameSite: 'lax', secure: true }",
        fixes: [{ ...safely(set(['cookie', 'secure'], true)), snippet: "cookie: { sameSite: 'none', secure: true }" }],
      },
    ]
  },
}

export const secureRequired: Rule = {
  slug: 'secure-required',
  severity: { production: 'fatal', development: 'info' },
  phases: ['register', 'scan'],
  silenceable: true,
  when: '`cookie.secure` is `false`',
  why: 'Without Secure the browser sends the session id over plain http too, where anybody on the way can read and use it.',
  remedy: '`secure: true`',
  references: ['OWASP ASVS 5.0 3.3.1', 'Django security.W010-W012', 'MDN HTTP Observatory: cookies'],
  teach: `One request over http is enough: a link without the s, an image, a typed address. The cookie goes along in the clear, and
whoever shares the network is logged in as its user. An attacker on the path need not wait; a page over http can contain an image
of your host. Secure keeps the cookie out of all of them. In
development 'auto' is the default: the cookie is Secure whenever the request is.`,
  examples: {
    wrong: { options: 'cookie: { secure: false }' },
    right: { options: 'cookie: { secure: true }' },
  },
  onConfig: (facts) => {
    if (facts.cookie.secure !== false || isToldBetter(facts)) return []
    return [
      {
        at: [facts.at(['cookie', 'secure'], false)],
        message: 'the session cookie would travel over plain http',
        text: 'Set secure to true, or leave it out: true is the default in production.',
        fixes: [secureFix(facts)],
      },
    ]
  },
}

export const secureAuto: Rule = {
  slug: 'secure-auto',
  severity: { production: 'fatal', development: null },
  phases: ['register'],
  silenceable: true,
  when: "`cookie.secure` is `'auto'`",
  why: 'Whether the cookie is protected would depend on what each request looks like; behind a proxy that ends TLS, every request looks like http.',
  remedy: "`secure: true` and Fastify's `trustProxy`",
  references: ['expressjs/session#725'],
  teach: `'auto' sets Secure when the request came over https. In production TLS mostly ends at a proxy, Fastify sees http, and the
cookie goes out without Secure, although every user is on https. Nothing fails, so nobody notices until somebody listens. In
production there is one right answer; 'auto' is for development, where http is fine.`,
  examples: {
    wrong: { options: "cookie: { secure: 'auto' }" },
    right: { options: 'cookie: { secure: true }' },
  },
  onConfig: (facts) => {
    if (facts.cookie.secure !== 'auto' || isToldBetter(facts)) return []
    return [
      {
        at: [facts.at(['cookie', 'secure'], 'auto')],
        message: 'secure "auto" leaves the cookie unprotected behind a proxy that ends TLS',
        text: "Set secure to true, and give Fastify trustProxy with the proxy's addresses.",
        fixes: [secureFix(facts)],
      },
    ]
  },
}

export const tlsUnproven: Rule = {
  slug: 'tls-unproven',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: "the cookie is Secure, Fastify serves plain http, and `tls` does not say where TLS ends (`'direct'`, `'proxy'`)",
  why: 'A browser on plain http drops a Secure cookie without a word: every login would seem to work and be forgotten.',
  remedy: "`tls: 'proxy'` and Fastify's `trustProxy` with the proxy's addresses",
  references: ['expressjs/session#281', 'expressjs/session#628', 'expressjs/session#774'],
  teach: `The plugin cannot see what stands in front of the app. When Fastify itself speaks http, either a proxy ends TLS, or users are on
plain http and their browsers throw the Secure cookie away. Say which. tls: 'proxy' states that a proxy ends TLS. Give Fastify trustProxy
too, so that Fastify recognises https. tls: 'direct' states that this process ends TLS.`,
  examples: {
    wrong: { options: '', without: ['tls'] },
    right: { options: "tls: 'proxy'" },
  },
  onConfig: (facts) => {
    if (facts.cookie.secure !== true || facts.context.https === true || facts.isGiven('tls')) return []
    return [
      {
        at: [facts.at(['tls'])],
        message: 'nothing says that users reach this app over https',
        text: "Behind a proxy that ends TLS, say so, and give Fastify trustProxy: ['10.0.0.0/8'] (its addresses). Otherwise tls: 'direct'.",
        fixes: [perhaps(set(['tls'], 'proxy'))],
      },
    ]
  },
}

export const httpOnlyDisabled: Rule = {
  slug: 'httponly-disabled',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register', 'scan'],
  silenceable: true,
  when: '`cookie.httpOnly` is `false`',
  why: 'Every script on the page can read the session id. One injected script, or one bad dependency, sends it away.',
  remedy: 'remove it',
  references: ['OWASP ASVS 5.0 3.3.4', 'Django security.W013-W015', 'MDN HTTP Observatory: cookies'],
  teach: `With HttpOnly, a script can act on the page while it is open, but it cannot take the session along. Without it, one line of
injected JavaScript copies document.cookie to another machine, where the session goes on after the victim has closed the tab. No
front end needs to read a session id: let it ask the server who is logged in.`,
  examples: {
    wrong: { options: 'cookie: { httpOnly: false }' },
    right: { options: 'cookie: { httpOnly: true }' },
  },
  onConfig: (facts) => {
    const needsHttpOnly = facts.isGiven('cookie', 'name') && /^__(host-)?http-/i.test(facts.cookie.name ?? '')
    if (facts.cookie.httpOnly !== false || needsHttpOnly) return []
    return [
      {
        at: [facts.at(['cookie', 'httpOnly'])],
        message: 'scripts on the page could read the session id',
        text: 'Remove httpOnly: true is the default.',
        fixes: [safely(set(['cookie', 'httpOnly'], true))],
      },
    ]
  },
}

export const partitionedRequiresSecure: Rule = {
  slug: 'partitioned-requires-secure',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: '`cookie.partitioned` and `cookie.secure` is not `true`',
  why: 'Browsers discard a partitioned cookie that is not Secure.',
  remedy: '`secure: true`',
  references: ['CHIPS (draft-cutler-httpbis-partitioned-cookies)'],
  teach: `Partitioned gives an embedded app one cookie jar for each site that embeds it. The browser accepts such a cookie with Secure only.
It is meant for embedding, so it goes together with SameSite=None.`,
  examples: {
    wrong: { options: "cookie: { partitioned: true, secure: 'auto' }" },
    right: { options: "cookie: { partitioned: true, sameSite: 'none', secure: true }" },
  },
  onConfig: (facts) => {
    if (facts.cookie.partitioned !== true || !isInsecure(facts)) return []
    return [
      {
        at: [facts.at(['cookie', 'partitioned']), facts.at(['cookie', 'secure'], facts.cookie.secure)],
        message: 'partitioned needs secure: true',
        text: 'A partitioned cookie is for embedding by other sites: Secure, and SameSite=None. Not embedded? Leave partitioned out.',
        fixes: [safely(set(['cookie', 'secure'], true))],
      },
    ]
  },
}

export const partitionedWithoutNone: Rule = {
  slug: 'partitioned-without-none',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register', 'scan'],
  silenceable: true,
  when: "`cookie.partitioned` and `cookie.sameSite` is not `'none'`",
  why: 'A partitioned cookie is meant to be sent while another site embeds this one, and SameSite keeps it from being sent there.',
  remedy: 'one or the other',
  references: ['CHIPS (draft-cutler-httpbis-partitioned-cookies)'],
  teach: `Lax and Strict keep a cookie out of requests from embedded frames; Partitioned is about nothing but those. Together they cancel
each other. If other sites embed this app, use SameSite=None with Partitioned; if none does, leave Partitioned out.`,
  examples: {
    wrong: { options: 'cookie: { partitioned: true }' },
    right: { options: "cookie: { partitioned: true, sameSite: 'none', secure: true }" },
  },
  onConfig: (facts) => {
    const { partitioned, sameSite } = facts.cookie
    if (partitioned !== true || sameSite === 'none' || sameSite === undefined || isInsecure(facts)) return []
    return [
      {
        at: [facts.at(['cookie', 'partitioned']), facts.at(['cookie', 'sameSite'], sameSite)],
        message: `partitioned has no effect with sameSite "${sameSite}"`,
        text: "Not embedded by other sites? Leave partitioned out. Embedded? Then sameSite: 'none' and secure: true.",
        fixes: [perhaps(set(['cookie', 'partitioned'], false))],
      },
    ]
  },
}
