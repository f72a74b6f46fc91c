import { isAttributeTooBig, isInsecure, isUsablePath, prefixOf, validName } from '../read/cookie-syntax.ts'
import { goodName } from '../read/good-name.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import type { Fix } from './fix.ts'
import type { FindingLocation } from '../../../types/index.ts'
import type { Prefix } from '../read/cookie-syntax.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Problem, Rule } from './rule.ts'

/** Returns the promises of the prefix that the other attributes break. */
function brokenPromises(facts: ConfigFacts, prefix: Prefix): FindingLocation[] {
  const { cookie } = facts
  const isHost = prefix.startsWith('__Host-')
  const broken: FindingLocation[] = []
  if (isInsecure(facts)) broken.push(facts.at(['cookie', 'secure'], cookie.secure))
  if (isHost && isNarrow(cookie.path)) broken.push(facts.at(['cookie', 'path']))
  if (isHost && cookie.domain !== undefined) broken.push(facts.at(['cookie', 'domain']))
  if (prefix.endsWith('Http-') && cookie.httpOnly === false) broken.push(facts.at(['cookie', 'httpOnly']))
  return broken
}

/** Another rule refuses a path that is none. */
function isNarrow(path: string | undefined): boolean {
  return path !== undefined && path !== '/' && isUsablePath(path) && !isAttributeTooBig(path)
}

/**
 * A default name is not what the app did wrong: with Secure missing, secure-required says it, unless somebody silenced
 * that.
 */
function isDefaultToldElsewhere(facts: ConfigFacts): boolean {
  if (facts.isGiven('cookie', 'name') || !isInsecure(facts)) return false
  const { sameSite, partitioned, secure } = facts.cookie
  if (sameSite === 'none' || partitioned === true) return true
  return !facts.silencing.covers(secure === 'auto' ? 'secure-auto' : 'secure-required')
}

function judgePrefix(facts: ConfigFacts, prefixes: readonly Prefix[], needs: string): Problem[] {
  const name = validName(facts)
  const prefix = prefixOf(name)
  if (prefix === undefined || !prefixes.includes(prefix)) return []
  const broken = brokenPromises(facts, prefix)
  if (broken.length === 0 || isDefaultToldElsewhere(facts)) return []
  return [
    {
      at: [facts.at(['cookie', 'name'], name), ...broken],
      message: `a cookie named ${prefix}… needs ${needs}`,
      text: `Give it ${needs}, or another name${prefix.startsWith('__Host-') ? ' (__Secure-session allows a domain and a path)' : ''}.`,
      fixes: [keptPromise(facts)],
    },
  ]
}

/** The attributes that the prefix promises, those only that are missing. The name stays the one that the app chose. */
function keptPromise(facts: ConfigFacts): Fix {
  const { cookie } = facts
  const isHost = /^__host-/i.test(String(cookie.name))
  const secure = isInsecure(facts) ? [set(['cookie', 'secure'], true)] : []
  const httpOnly = cookie.httpOnly === false ? [set(['cookie', 'httpOnly'], true)] : []
  const path = isHost && isNarrow(cookie.path) ? [set(['cookie', 'path'], '/')] : []
  const domain = isHost && cookie.domain !== undefined ? [remove(['cookie', 'domain'])] : []
  const changes = [...secure, ...httpOnly, ...path, ...domain]
  // Where the cookie goes is what the author decides: both attributes, or the name, may be the mistake.
  return path.length + domain.length > 0 ? perhaps(...changes) : safely(...changes)
}

export const prefixHost: Rule = {
  slug: 'prefix-host',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: "the name starts with `__Host-`, in any case, without all of `secure: true`, `path: '/'` and no `domain`",
  why: 'Browsers discard a __Host- cookie that is not Secure, has a Domain, or a Path other than /. Nobody could stay logged in.',
  remedy: 'the attributes, or another name',
  references: ['RFC 6265bis 5.7', 'RFC 6265bis 4.1.3.2'],
  teach: `The name is a promise that browsers enforce: a cookie called __Host-anything was set over https, by this very host, for all of its
paths. That is what stops a subdomain, or an attacker on plain http, from planting a session cookie of their own (session fixation
by cookie tossing). A cookie that breaks the promise is dropped when it is set, whatever case the prefix is written in.`,
  examples: {
    wrong: { options: "cookie: { name: '__Host-sid', secure: 'auto' }", environment: 'development' },
    right: { options: "cookie: { name: '__Host-sid', secure: true, path: '/' }" },
  },
  onConfig: (facts) => judgePrefix(facts, ['__Host-'], "secure: true, path: '/' and no domain"),
}

export const prefixSecure: Rule = {
  slug: 'prefix-secure',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: 'the name starts with `__Secure-`, in any case, and `cookie.secure` is not `true`',
  why: 'Browsers discard a __Secure- cookie that is not Secure. Nobody could stay logged in.',
  remedy: '`secure: true`',
  references: ['RFC 6265bis 5.7', 'RFC 6265bis 4.1.3.1'],
  teach: `__Secure- in the name promises that the cookie was set over https with Secure. Browsers enforce it: without the attribute the
cookie is dropped when it is set. 'auto' does not keep the promise, since it leaves Secure off for requests that look like http.`,
  examples: {
    wrong: { options: "cookie: { name: '__Secure-sid', secure: 'auto' }", environment: 'development' },
    right: { options: "cookie: { name: '__Secure-sid', secure: true }", environment: 'development' },
  },
  onConfig: (facts) => judgePrefix(facts, ['__Secure-'], 'secure: true'),
}

export const prefixHttp: Rule = {
  slug: 'prefix-http',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: '`__Http-` without `secure: true` and `httpOnly`; `__Host-Http-` without these and what `__Host-` needs',
  why: 'Browsers that know the prefix discard such a cookie; to the others the name is a promise that is not kept.',
  remedy: 'the attributes',
  references: ['draft-ietf-httpbis-layered-cookies 5.4.3'],
  teach: `__Http- says that the cookie came in a response header over https and no script can have made it: Secure and HttpOnly.
__Host-Http- adds what __Host- says: no Domain, Path=/. Browsers that know these prefixes drop cookies that break them.`,
  examples: {
    wrong: { options: "cookie: { name: '__Host-Http-sid', httpOnly: false }" },
    right: { options: "cookie: { name: '__Host-Http-sid', secure: true, httpOnly: true }" },
  },
  intentions: [
    {
      wish: 'This host only, set by the server only',
      code: "cookie: { name: '__Host-Http-session', secure: true, httpOnly: true, path: '/' }",
    },
    { wish: 'The prefix that every browser knows', code: "cookie: { name: '__Host-session' }" },
  ],
  onConfig: (facts) => [
    ...judgePrefix(facts, ['__Http-'], 'secure: true and httpOnly: true'),
    ...judgePrefix(facts, ['__Host-Http-'], "secure: true, httpOnly: true, path: '/' and no domain"),
  ],
}

const DEAD_SPELLING = /^__hosthttp-/i

export const prefixCase: Rule = {
  slug: 'prefix-case',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register', 'scan'],
  silenceable: true,
  when: 'a prefix in another case, or the dead spelling `__HostHttp-`',
  why: 'Some browsers and tools know the prefix in its exact case only, so it protects some users and not others.',
  remedy: 'the exact case',
  references: ['RFC 6265bis 4.1.3'],
  teach: `Servers are asked to write prefixes exactly; browsers are asked to enforce them in any case, since some servers compare names
without regard to case. Older browsers do only the first. Written exactly, the prefix protects everywhere. __HostHttp- was the spelling
of an earlier draft; no browser enforces it.`,
  examples: {
    wrong: { options: "cookie: { name: '__host-sid' }" },
    right: { options: "cookie: { name: '__Host-sid' }" },
  },
  onConfig: (facts) => {
    const name = validName(facts)
    const prefix = prefixOf(name)
    const exact = DEAD_SPELLING.test(name ?? '') ? '__Host-Http-' : prefix
    if (name === undefined || exact === undefined || name.startsWith(exact)) return []
    const length = prefix === undefined ? '__HostHttp-'.length : exact.length
    const better = `${exact}${name.slice(length)}`
    return [
      {
        at: [facts.at(['cookie', 'name'])],
        message: `the prefix is written ${exact}`,
        suggestion: better.slice(0, 80),
        text: 'Write the prefix in its exact case.',
        fixes: facts.at(['cookie', 'name']).redacted ? [] : [perhaps(set(['cookie', 'name'], better))],
      },
    ]
  },
}

export const prefixMissing: Rule = {
  slug: 'prefix-missing',
  severity: { production: 'warning', development: null },
  phases: ['register', 'scan'],
  silenceable: true,
  when: 'the name has neither `__Host-` nor `__Host-Http-`, nor `__Secure-` where `domain` is set',
  why: 'Without a prefix, any subdomain, and anybody on plain http, can plant a session cookie of the same name.',
  remedy: '`__Host-session`',
  references: ['OWASP ASVS 5.0 3.3.1', 'OWASP ASVS 5.0 3.3.3'],
  teach: `Cookies carry no mark of who set them. A cookie from evil.example.com for example.com looks to the server like its own. So does a
cookie that was injected into any http response. A name with __Host- is different: browsers let only this host set it, over https. The
default name in production has it. Changing the name of a live app logs everybody out once.`,
  examples: {
    wrong: { options: "cookie: { name: 'id' }" },
    right: { options: "cookie: { name: '__Host-id' }" },
  },
  onConfig: (facts) => {
    const name = validName(facts)
    if (name === undefined || !facts.isGiven('cookie', 'name') || DEAD_SPELLING.test(name)) return []
    const { domain, path } = facts.cookie
    const prefix = prefixOf(name)
    // With a domain or a path of its own, __Host- is out of reach.
    const isBest =
      domain !== undefined || (path !== undefined && path !== '/')
        ? prefix !== undefined
        : prefix?.startsWith('__Host-')
    if (isBest === true) return []
    const better = domain === undefined ? '__Host-' : '__Secure-'
    return [
      {
        at: [facts.at(['cookie', 'name'])],
        message: `the cookie's name lacks the prefix ${better}`,
        text: `Start the name with ${better}, or leave name out. Users have to log in once again after the change.`,
        fixes: [perhaps(set(['cookie', 'name'], goodName(facts, name)))],
      },
    ]
  },
}
