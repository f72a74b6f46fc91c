import { deviceBoundOf } from '../../options.ts'
import { parseDuration } from '../../session/duration.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Path } from '../read/show-value.ts'
import type { Change } from './fix.ts'
import { ONE_MACHINE, perhaps, putStore, remove, safely, set } from './fix.ts'
import type { Problem, Rule } from './rule.ts'
import { isUsable } from './store.ts'

const SPECIFICATION = 'W3C Device Bound Session Credentials'

/** Chromium allows two refreshes in five minutes, and refreshes up to two minutes before the end of the cookie. */
const MIN_LIFETIME = '6m'
const MAX_LIFETIME = '1h'
const ADVISED = '10m'

function isOn({ options }: ConfigFacts): boolean {
  return deviceBoundOf(options) !== undefined
}

export const deviceBoundCookie: Rule = {
  slug: 'device-bound-cookie',
  severity: { production: 'fatal', development: null },
  phases: ['register'],
  silenceable: false,
  when: '`deviceBound` is on, and the cookie has a `domain`, a `path` other than `/`, or no Secure',
  why: 'A browser binds a cookie of one https origin. Another host or path would set or receive the cookie without the proof.',
  remedy: 'a `__Host-` cookie',
  references: [SPECIFICATION, 'RFC 6265bis 4.1.3'],
  teach: `The bound cookie has the attributes of the session cookie. With a domain, every subdomain can set both cookies, and a page there can
exchange the bound one. Without Secure, or with a narrow path, the browser does not refresh the cookie where the app needs it. Such a session
would look bound and be lost within minutes.`,
  examples: {
    wrong: {
      options: `deviceBound: true, cookie: { domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login for all hosts' }]`,
    },
    right: { options: 'deviceBound: true' },
  },
  onConfig: (facts) => {
    const { domain, path, secure } = facts.cookie
    const faults: [Path, Change][] = [
      ...(domain === undefined ? [] : [[['cookie', 'domain'], remove(['cookie', 'domain'])] as [Path, Change]]),
      ...(path === undefined || path === '/'
        ? []
        : [[['cookie', 'path'], set(['cookie', 'path'], '/')] as [Path, Change]]),
      ...(secure === false ? [[['cookie', 'secure'], set(['cookie', 'secure'], true)] as [Path, Change]] : []),
    ]
    if (!isOn(facts) || faults.length === 0) return []
    return [
      {
        at: faults.map(([place]) => facts.at(place)),
        message: 'a session cannot be bound to a device with a cookie that reaches beyond one https origin',
        text: 'Leave domain, path and secure at their defaults, or switch deviceBound off.',
        fixes: [perhaps(...faults.map(([, change]) => change))],
      },
    ]
  },
}

export const deviceBoundStore: Rule = {
  slug: 'device-bound-store',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: false,
  when: '`deviceBound` is on, and the store says that it keeps fewer promises than compare-and-set',
  why: 'Two requests at once could undo a binding, or accept one proof twice.',
  remedy: 'a store of this package',
  references: [SPECIFICATION],
  teach: `The key and the open challenge are in the record of the session. Each step of the protocol replaces them in one write that counts only
if nobody wrote meanwhile. A store without such a write can put an older record back, and the binding is gone without a word.`,
  examples: {
    wrong: {
      options: `deviceBound: true, store: { ...store, weaker: ['no compare-and-set'] }, silence: [{ rule: 'store-weaker', reason: 'until March' }]`,
    },
    right: { options: `deviceBound: true, store: ${ONE_MACHINE}` },
  },
  onConfig: (facts) => {
    if (!isOn(facts) || !isUsable(facts) || facts.store.weaker.length === 0) return []
    return [
      {
        at: [facts.at(['deviceBound']), facts.at(['store'])],
        message: `a binding needs compare-and-set, and this store keeps fewer promises: ${facts.store.weaker.join('; ')}`,
        text: 'Use a store of this package, or switch deviceBound off.',
        fixes: [perhaps(putStore(ONE_MACHINE))],
      },
    ]
  },
}

export const deviceBoundLifetime: Rule = {
  slug: 'device-bound-lifetime',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: '`deviceBound.lifetime` is shorter than 6 minutes, longer than an hour, or longer than `idleTimeout`',
  why: 'A browser limits how often it refreshes, and a copy of both cookies is good for the whole lifetime.',
  remedy: '`10m`',
  references: [SPECIFICATION],
  teach: `Chromium refreshes a session at most twice in five minutes. With a shorter lifetime it sends requests without the proof, and users look
logged out. A long lifetime is what a thief gets: both cookies open the session until then. A lifetime beyond the idle timeout has no effect
of its own, because the session has ended before.`,
  examples: {
    wrong: { options: "deviceBound: { lifetime: '2m' }" },
    right: { options: "deviceBound: { lifetime: '10m' }" },
  },
  onConfig: (facts) => {
    const { deviceBound } = facts.options
    if (typeof deviceBound !== 'object' || deviceBound.lifetime === undefined) return []
    const lifetime = Number(parseDuration(deviceBound.lifetime))
    const isShort = lifetime < Number(parseDuration(MIN_LIFETIME))
    const isLong = lifetime > Number(parseDuration(MAX_LIFETIME)) || lifetime > facts.lifetimes.idleTimeout
    if (!isShort && !isLong) return []
    return [lifetimeProblem(facts, isShort)]
  },
}

function lifetimeProblem(facts: ConfigFacts, isShort: boolean): Problem {
  const path = ['deviceBound', 'lifetime']
  const isAdvisable = Number(parseDuration(ADVISED)) <= facts.lifetimes.idleTimeout
  return {
    at: [facts.at(path)],
    message: isShort
      ? 'browsers do not refresh the bound cookie as often as this lifetime asks for'
      : 'a copy of both cookies opens the session for longer than it has to',
    text: `Choose ${MIN_LIFETIME} to ${MAX_LIFETIME}, and no more than idleTimeout.`,
    fixes: [isAdvisable ? safely(set(path, ADVISED)) : safely(remove(path))],
  }
}

export const deviceBoundHeader: Rule = {
  slug: 'device-bound-header',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: "`deviceBound` is `'require'`, and `headerTransport` is on",
  why: 'A client that brings its id in a header has no cookie to bind, so none of its logins counts.',
  remedy: 'leave one of the two out',
  references: [SPECIFICATION],
  teach: `The protocol binds cookies. With 'require', a session without a binding counts as nobody's, and every client of headerTransport has such
a session. Use deviceBound: true, and requireLogin({ deviceBound: true }) on the routes of browsers.`,
  examples: {
    wrong: { options: "deviceBound: 'require', headerTransport: {}" },
    right: { options: 'deviceBound: true, headerTransport: {}' },
  },
  onConfig: (facts) => {
    if (deviceBoundOf(facts.options)?.isRequired !== true || facts.options.headerTransport === undefined) return []
    const isObject = typeof facts.options.deviceBound === 'object'
    const fix = isObject ? remove(['deviceBound', 'require']) : set(['deviceBound'], true)
    return [
      {
        at: [facts.at(['deviceBound']), facts.at(['headerTransport'])],
        message: 'clients that bring their id in a header can log in, and count as nobody',
        text: 'Take deviceBound: true, and ask for a device on the routes of browsers.',
        fixes: [perhaps(fix)],
      },
    ]
  },
}

export const deviceBoundBlocked: Rule = {
  slug: 'device-bound-blocked',
  severity: { production: 'warning', development: 'warning' },
  severityNote: "info behind a proxy (`tls: 'proxy'`) whose headers the guard cannot see",
  phases: ['ready'],
  silenceable: true,
  when: 'a plugin answers in place of the routes of `deviceBound`; or a proxy is in front, which must pass their headers on',
  why: 'A browser that is refused there forgets the binding, and its user is logged out when the bound cookie ends.',
  remedy: 'register the other plugin later, or let it pass the routes and headers',
  references: [SPECIFICATION],
  teach: `The browser itself sends requests to the two routes below deviceBound.path, without a script and without a token. The request headers
Sec-Secure-Session-Id and Secure-Session-Response, and the response headers Secure-Session-Registration and Secure-Session-Challenge, have to pass
every proxy. A rate limit or a login in front of the routes answers 4xx, which ends the binding in the browser.`,
  examples: {
    wrong: {
      shown: 'a hook that asks every request for an API key, registered before the plugin',
      options: 'deviceBound: true',
      neighbours: { answersDevices: false },
    },
    right: { options: "deviceBound: true, tls: 'direct'", neighbours: { answersDevices: true }, without: ['tls'] },
  },
  onNeighbours: ({ answersDevices }, facts) => {
    if (!isOn(facts)) return []
    if (answersDevices === false) {
      const text = 'Register that plugin after fastify-session-guard, or let the routes below deviceBound.path pass.'
      return [{ at: [facts.at(['deviceBound'])], message: 'another plugin answers the routes of deviceBound', text }]
    }
    if (facts.options.tls !== 'proxy') return []
    return [
      {
        at: [facts.at(['deviceBound']), facts.at(['tls'])],
        message: 'the proxy in front has to pass on the headers Secure-Session-* and Sec-Secure-Session-Id',
        text: 'Log in through the proxy once, and look for the event bound.',
        severity: 'info',
      },
    ]
  },
}
