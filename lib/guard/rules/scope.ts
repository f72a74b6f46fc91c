import { isIP } from 'node:net'
import { domainToASCII } from 'node:url'
import { parse } from 'tldts'
import { deviceBoundOf } from '../../options.ts'
import { isAttributeTooBig, isUsablePath } from '../read/cookie-syntax.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import type { Fix } from './fix.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Rule } from './rule.ts'

const HOST = /^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)(\.[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?)*$/i

const MAX_HOST = 253

/** Returns the fault of a domain. Browsers ignore one leading dot. */
type DomainFlaw = 'malformed' | 'local' | 'unspeakable-address' | 'public-suffix'

function publicSuffixOf(host: string): { isListed: boolean; isSuffix: boolean } {
  const { isIcann, isPrivate, publicSuffix } = parse(host, { allowPrivateDomains: true, detectIp: false })
  const isListed = isIcann === true || isPrivate === true
  return { isListed, isSuffix: isListed && publicSuffix === host }
}

function domainOf({ cookie }: ConfigFacts): string | undefined {
  return cookie.domain === undefined || isAttributeTooBig(cookie.domain) ? undefined : cookie.domain
}

/** The default name follows the domain: without one it would promise a path of `/`. */
function withoutDomain({ cookie }: ConfigFacts): Fix[] {
  const gone = remove(['cookie', 'domain'])
  return [safely(gone), perhaps(gone, set(['cookie', 'name'], cookie.name ?? '__Secure-session'))]
}

function flawOf(domain: string): DomainFlaw | undefined {
  const host = domain.replace(/^\./, '').toLowerCase()
  if (isIP(host.replace(/^\[(.*)\]$/, '$1')) === 6) return 'unspeakable-address'
  if (!HOST.test(host) || host.length > MAX_HOST) return 'malformed'
  // The URL parser knows every way to write an IPv4 address (127.1, 0x7f.1, 2130706433), and what is none (1.2.3.256).
  const url = `http://${host}`
  if (!URL.canParse(url)) return 'malformed'
  if (isIP(new URL(url).hostname) === 4) return 'local'
  if (publicSuffixOf(host).isSuffix) return 'public-suffix'
  return host.includes('.') ? undefined : 'local'
}

export const domainMalformed: Rule = {
  slug: 'domain-malformed',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: '`cookie.domain` has a scheme, a port, a path, a wildcard, is blank, or holds characters outside ASCII',
  why: 'Domain takes a bare host name. With anything else in it browsers discard the cookie, or ignore the attribute.',
  remedy: 'the bare host, or leave it out',
  references: ['expressjs/session#659'],
  teach: `Domain is compared with the host name of the request, label by label. A URL, a port, a path or a wildcard never matches, so the
browser drops the cookie. A blank Domain counts as absent. Names with letters outside ASCII are written in their ASCII form (xn--…). Without
Domain, which is best, only this very host gets the cookie.`,
  examples: {
    wrong: { options: "cookie: { domain: 'https://app.example.com' }" },
    right: {
      options:
        "cookie: { domain: 'app.example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login for all hosts below' }]",
    },
  },
  onConfig: (facts) => {
    const domain = domainOf(facts)
    if (domain === undefined || flawOf(domain) !== 'malformed') return []
    // A session that is bound to a device takes no domain at all.
    const host = deviceBoundOf(facts.options) === undefined ? bareHost(domain) : undefined
    return [
      {
        at: [facts.at(['cookie', 'domain'])],
        message: 'cookie.domain is not a bare host name',
        ...(host === undefined ? {} : { suggestion: host }),
        fixes: [...(host === undefined ? [] : [perhaps(set(['cookie', 'domain'], host))]), ...withoutDomain(facts)],
        text: 'Leave domain out, so that only this host gets the cookie; or give the bare host, without scheme, port, path and wildcard.',
      },
    ]
  },
}

/** The host that a URL, a wildcard or an international name was about. */
function bareHost(domain: string): string | undefined {
  const start = domain
    .trim()
    .replace(/^[a-z][a-z0-9+.-]*:\/\//i, '')
    .replace(/^\*?\.+/, '')
    .replace(/^[^@/]*@/, '')
  const host = domainToASCII(start.replace(/[:/?#].*$/s, '').replace(/\.+$/, ''))
  return host !== '' && flawOf(host) === undefined ? host : undefined
}

export const domainLocal: Rule = {
  slug: 'domain-local',
  severity: { production: 'fatal', development: 'warning' },
  severityNote: 'fatal everywhere for an IPv6 address',
  phases: ['register', 'scan'],
  silenceable: true,
  when: '`cookie.domain` is an IP address or a single label, like `localhost`',
  why: 'Browsers match Domain on whole names with a dot in them. With an address or a single label, browsers drop the cookie or ignore the attribute.',
  remedy: 'leave it out',
  references: ['RFC 6265bis 5.1.3'],
  teach: `Nothing below an IP address or below localhost could share a cookie, so Domain has no use there. Browsers do not agree on what to
do with such a Domain. Without Domain the cookie belongs to exactly the host that set it: also to localhost, also to an address.`,
  examples: {
    wrong: { options: "cookie: { domain: 'localhost' }", environment: 'development' },
    right: { options: 'cookie: {}', environment: 'development' },
  },
  onConfig: (facts) => {
    const domain = domainOf(facts)
    const flaw = domain === undefined ? undefined : flawOf(domain)
    if (flaw !== 'local' && flaw !== 'unspeakable-address') return []
    return [
      {
        at: [facts.at(['cookie', 'domain'])],
        message: 'cookie.domain is an address or a single label, which no cookie can be shared below',
        text: 'Leave domain out.',
        fixes: withoutDomain(facts),
        // An IPv6 address cannot even be written into the header.
        ...(flaw === 'local' ? {} : { severity: 'fatal', silenceable: false }),
      },
    ]
  },
}

export const domainPublicSuffix: Rule = {
  slug: 'domain-public-suffix',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: '`cookie.domain` is a public suffix, private ones included: `co.uk`, `github.io`, `vercel.app`',
  why: 'Strangers register names below a public suffix. Browsers refuse a cookie for all of them.',
  remedy: 'leave it out',
  references: ['RFC 6265bis 5.7', 'publicsuffix.org'],
  teach: `Everybody can have a site under co.uk, github.io or vercel.app. A cookie for the suffix would go to all of these sites, and each
site could set a cookie for all the others. So browsers keep a list of such suffixes and drop those cookies.`,
  examples: {
    wrong: { options: "cookie: { domain: 'github.io' }" },
    right: { options: 'cookie: {}' },
  },
  onConfig: (facts) => {
    const domain = domainOf(facts)
    if (domain === undefined || flawOf(domain) !== 'public-suffix') return []
    return [
      {
        at: [facts.at(['cookie', 'domain'])],
        message: 'cookie.domain is a public suffix: strangers have sites below it',
        text: 'Leave domain out.',
        fixes: withoutDomain(facts),
      },
    ]
  },
}

export const domainWide: Rule = {
  slug: 'domain-wide',
  severity: { production: 'warning', development: null },
  phases: ['register', 'scan'],
  silenceable: true,
  when: 'any `cookie.domain`',
  why: 'Every host below the domain receives the session id and can set a cookie of the same name; the weakest of them guards the login.',
  remedy: 'leave it out, or silence it with the reason',
  references: ['OWASP ASVS 5.0 3.3.3', 'RFC 6265bis 8.6'],
  teach: `A Domain makes the cookie go to the host and to every host below. Such hosts are the blog, the old wiki, and the name of a service
that you gave up and somebody else took over. Each of these hosts can read the session id, and plant another. Without Domain, and with
__Host- in the name, only this host can do either.`,
  examples: {
    wrong: { options: "cookie: { domain: 'example.com' }" },
    right: { options: 'cookie: {}' },
  },
  onConfig: (facts) => {
    const domain = domainOf(facts)
    if (domain === undefined || flawOf(domain) !== undefined) return []
    return [
      {
        at: [facts.at(['cookie', 'domain'])],
        message: 'all hosts below this domain receive the session id',
        text: "Leave domain out. If it has to be, silence this with the reason: silence: [{ rule: 'domain-wide', reason: '…' }].",
        fixes: withoutDomain(facts),
      },
    ]
  },
}

export const pathInvalid: Rule = {
  slug: 'path-invalid',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: '`cookie.path` does not start with `/`, or holds `;`, `<`, a control character, or one outside ASCII',
  why: 'Browsers ignore such a path and take a default that depends on the address of the page.',
  remedy: 'use `/`, the default',
  references: ['RFC 6265bis 5.1.4', 'RFC 6265bis 5.6'],
  teach: `A Path that does not start with a slash is replaced by the directory of the current address. So the cookie lives under the page
where the user logged in. A semicolon in it ends the attribute, and what follows is read as the next one.`,
  examples: {
    wrong: { options: "cookie: { path: 'app' }" },
    right: { options: "cookie: { path: '/' }" },
  },
  onConfig: (facts) => {
    const { path } = facts.cookie
    if (path === undefined || isAttributeTooBig(path) || isUsablePath(path)) return []
    return [
      {
        at: [facts.at(['cookie', 'path'])],
        message: path.startsWith('/')
          ? 'cookie.path holds a character that a path cannot have'
          : 'cookie.path does not start with /',
        text: "Use '/', or leave it out.",
        fixes: [perhaps(set(['cookie', 'path'], '/'))],
      },
    ]
  },
}

export const pathNarrow: Rule = {
  slug: 'path-narrow',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register', 'scan'],
  silenceable: true,
  when: '`cookie.path` is valid but not `/`',
  why: 'A path is no security boundary: pages at other paths of the host can still use the cookie, and `__Host-` is out of reach.',
  remedy: 'use `/`, the default',
  references: ['RFC 6265bis 8.5'],
  teach: `Path decides which requests carry the cookie, not who may have it. A page at /forum can open /bank in a frame of the same origin
and read it. The page can also send requests to /bank with the cookie. Apps that must not trust each other need hosts of their own.`,
  examples: {
    wrong: { options: "cookie: { path: '/app', name: '__Secure-session' }" },
    right: { options: "cookie: { path: '/' }" },
  },
  onConfig: (facts) => {
    const { path } = facts.cookie
    if (path === undefined || path === '/' || isAttributeTooBig(path) || !isUsablePath(path)) return []
    return [
      {
        at: [facts.at(['cookie', 'path'])],
        message: 'cookie.path narrows where the cookie is sent, and protects nothing',
        text: "Use '/', or leave it out.",
        fixes: [perhaps(set(['cookie', 'path'], '/'))],
      },
    ]
  },
}
