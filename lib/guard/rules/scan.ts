import { locate } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'

/** The number of cookies or paths that one finding names. */
const MAX_NAMED = 8

/** Makes one problem of several places; none where there is no place. */
function together(places: readonly string[], value: string, message: string, text: string): Problem[] {
  if (places.length === 0) return []
  const at = places.slice(0, MAX_NAMED).map((path) => ({ ...locate([], value), path }))
  return [{ at, message, text }]
}

const onCookie = (name: string): string => `Set-Cookie ${name.slice(0, 80)}`

export const sessionCacheable: Rule = {
  slug: 'session-cacheable',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['scan'],
  silenceable: true,
  when: 'an answer that sets a session cookie, or shows a logged-in user, says that shared caches may keep it',
  why: 'A cache in front of the app gives the stored answer to the next visitor: with the session cookie, or the page, of somebody else.',
  remedy: '`Cache-Control: no-store`, or `private` where nothing is set',
  references: ['RFC 9111 3.5', 'RFC 9111 7.3', 'OWASP ASVS 5.0 14.2.2', 'OWASP ASVS 5.0 14.2.5'],
  teach: `Caches store what Cache-Control allows, Set-Cookie included. One visitor's login page, stored for a minute, logs everybody of that
minute in as that visitor. It happens when a rule for static files, or a default of a content network, covers pages too. An answer that
sets a session cookie needs no-store. A page that shows a user needs no-store or private.
Express: res.set('Cache-Control', 'no-store'). Django: @never_cache. Flask: response.cache_control.no_store = True. PHP: keep
session.cache_limiter at nocache. Rails: no_store. Spring Security sends no-store unless it is switched off.`,
  examples: {
    wrong: {
      shown: 'Set-Cookie: sid=…  with  Cache-Control: public, max-age=60',
      options: '',
      scan: { cacheable: ['/'] },
    },
    right: { shown: 'Set-Cookie: sid=…  with  Cache-Control: no-store', options: '', scan: { cacheable: [] } },
  },
  onScan: ({ cacheable }) =>
    together(
      cacheable.map((path) => `Cache-Control of ${path}`),
      'shared caches may keep it',
      'a shared cache may keep an answer with a session cookie, or a page of a user',
      'Send Cache-Control: no-store with it.',
    ),
}

export const sessionIdInUrl: Rule = {
  slug: 'session-id-in-url',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['scan'],
  silenceable: true,
  when: 'a session id stands in the address of a page, or in a link or form of a page',
  why: 'Addresses end up in logs, histories, bookmarks, mails and Referer headers, and whoever reads one has the session.',
  remedy: 'session ids in cookies only',
  references: ['OWASP ASVS 5.0 14.2.1', 'CWE-598'],
  teach: `An id in an address is copied wherever the address is. The log of every proxy has it, and so has the mail of a user who sends a
link to a friend. Such an id also allows fixation, because an attacker can send a link with an id of their own. PHP: session.use_trans_sid =
0, session.use_only_cookies = 1. Spring Boot: server.servlet.session.tracking-modes=cookie. Java servlets: tracking-mode COOKIE in web.xml.
ASP.NET: cookieless="UseCookies".`,
  examples: {
    wrong: {
      shown: '<a href="/account;jsessionid=…">',
      options: '',
      scan: { idsInUrls: ['a link or form on /'] },
    },
    right: { shown: '<a href="/account">', options: '', scan: { idsInUrls: [] } },
  },
  onScan: ({ idsInUrls }) =>
    together(idsInUrls, 'a session id', 'a session id stands in an address', 'Keep session ids in cookies only.'),
}

export const sessionIdWeak: Rule = {
  slug: 'session-id-weak',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['scan'],
  silenceable: true,
  when: 'session ids are counted, the same for several visitors, the name of the user, or have room for fewer than 64 random bits',
  why: 'Ids that can be guessed are guessed: an attacker tries values until one is a session of somebody.',
  remedy: 'ids with 128 random bits of a cryptographic generator',
  references: ['OWASP ASVS 5.0 7.2.3', 'OWASP Session Management Cheat Sheet', 'CWE-331'],
  teach: `A session id is a password that the server makes up. With 64 random bits an attacker who tries ten thousand ids a second needs
centuries; with a counter or a user name, one attempt. Length alone proves nothing, so the scan reports only what cannot be strong.
Take the generator of your framework as it comes: express-session, Django, Flask-Session, PHP (session.sid_length), Rails and Spring
make strong ids. This plugin's ids have two halves of 128 random bits.`,
  examples: {
    wrong: {
      shown: 'Set-Cookie: sid=1041  and then  sid=1042',
      options: '',
      scan: { weakIds: [{ name: 'sid', why: 'the ids are counted' }] },
    },
    right: { shown: 'Set-Cookie: sid=Zm9yIGV4YW1wbGUgb25seSwgMTI4', options: '', scan: { weakIds: [] } },
  },
  onScan: ({ weakIds }) =>
    weakIds.slice(0, MAX_NAMED).map(({ name, why }) => ({
      at: [{ ...locate([], why), path: onCookie(name) }],
      message: `session ids can be guessed: ${why}`,
      text: 'Make ids of at least 128 random bits, as the session library of the framework does.',
    })),
}

/** One year, in seconds. */
const YEAR = 31_536_000

export const hstsWeak: Rule = {
  slug: 'hsts-weak',
  severity: { production: 'info', development: null },
  phases: ['scan'],
  silenceable: true,
  when: '`Strict-Transport-Security` for less than a year, or without `includeSubDomains`',
  why: 'Browsers forget it between visits, or a subdomain over http sets cookies for the whole domain.',
  remedy: '`Strict-Transport-Security: max-age=31536000; includeSubDomains`',
  references: ['OWASP ASVS 5.0 3.4.1', 'RFC 6797 6.1', 'Django security.W005'],
  teach: `The header protects only those visits that come within its max-age of the last one; a year covers nearly everybody. Without
includeSubDomains somebody on the way answers for http://anything.example.com, and sets a cookie for all of example.com from there.
Start with a short max-age, and raise it once every subdomain has https. @fastify/helmet sends a year with subdomains.`,
  examples: {
    wrong: {
      shown: 'Strict-Transport-Security: max-age=3600',
      options: '',
      scan: { hsts: { maxAge: 3600, hasSubdomains: false } },
    },
    right: {
      shown: 'Strict-Transport-Security: max-age=31536000; includeSubDomains',
      options: '',
      scan: { hsts: { maxAge: YEAR, hasSubdomains: true } },
    },
  },
  onScan: ({ hsts, sendsHsts }) => {
    if (hsts === null || sendsHsts !== true || (hsts.maxAge >= YEAR && hsts.hasSubdomains)) return []
    const value = `max-age=${hsts.maxAge}${hsts.hasSubdomains ? '; includeSubDomains' : ''}`
    return [
      {
        at: [{ ...locate([], value), path: 'Strict-Transport-Security' }],
        message: 'Strict-Transport-Security is shorter than a year, or leaves subdomains out',
        text: 'Send max-age=31536000; includeSubDomains, once every subdomain has https.',
      },
    ]
  },
}

export const loginOverHttp: Rule = {
  slug: 'login-over-http',
  severity: { production: 'fatal', development: null },
  phases: ['scan'],
  silenceable: true,
  when: 'a password form stands on a page over plain http, or is sent to one, on a host that is not loopback',
  why: 'Everybody on the way reads the password. From a page over http, they also choose where the form is sent.',
  remedy: 'https for the page of the form and for its target',
  references: ['OWASP ASVS 5.0 12.2.1', 'CWE-319'],
  teach: `A form that is sent to https is not safe when its page came over http. Whoever is on the way can change the form's address before
the user types. Redirect the whole site to https, and send Strict-Transport-Security, so that browsers do not begin with http.`,
  examples: {
    wrong: {
      shown: 'http://app.example.com/login asks for a password',
      options: '',
      scan: { loginOverHttp: 'http://app.example.com/login' },
    },
    right: {
      shown: 'http://app.example.com/login leads to https://app.example.com/login',
      options: '',
      scan: { loginOverHttp: null },
    },
  },
  onScan: ({ loginOverHttp: address, isLoopback }) =>
    address === null || isLoopback
      ? []
      : together(
          [address],
          'a form with a password',
          'a password is asked for over plain http',
          'Redirect the page of the login to https.',
        ),
}

export const cookieSetTwice: Rule = {
  slug: 'cookie-set-twice',
  severity: { production: 'warning', development: 'warning' },
  phases: ['scan'],
  silenceable: true,
  when: 'one response sets a session cookie of one name twice',
  why: 'With the same domain and path the last one wins; otherwise the browser keeps both, sends both, and servers differ in which one they read.',
  remedy: 'one `Set-Cookie` for each session cookie',
  references: ['RFC 6265 4.1.1'],
  teach: `It happens when two middlewares keep sessions under one name, or a login sets the cookie of a session that another hook sets
again. Chance decides which of them the server reads next time. So users are logged out now and then, or go back to the session from before
the login.`,
  examples: {
    wrong: { shown: 'Set-Cookie: sid=a  Set-Cookie: sid=b; Path=/app', options: '', scan: { setTwice: ['sid'] } },
    right: { shown: 'Set-Cookie: sid=b', options: '', scan: { setTwice: [] } },
  },
  onScan: (facts) =>
    together(
      facts.setTwice.map(onCookie),
      'set twice',
      'one response sets a session cookie twice',
      'Find the two places that set it, and keep one.',
    ),
}

export const embeddable: Rule = {
  slug: 'embeddable',
  severity: { production: 'warning', development: null },
  phases: ['scan'],
  silenceable: true,
  when: 'a session cookie with `SameSite=None`, and a page that any site may put into a frame',
  why: 'Another site shows the page of the logged-in user in an invisible frame, and the user clicks what that site wants (clickjacking).',
  remedy: "`Content-Security-Policy: frame-ancestors 'self' https://partner.example`",
  references: ['OWASP ASVS 5.0 3.5.8', 'OWASP ASVS 5.0 3.4.6', 'CWE-1021'],
  teach: `With SameSite=Lax or Strict the frame of another site is anonymous, and shows nothing worth a click. SameSite=None logs the frame in. If
the app is meant to be embedded, name the sites that may: frame-ancestors. If not, frame-ancestors 'none', and SameSite=Lax.
@fastify/helmet sends frame-ancestors 'self'.`,
  examples: {
    wrong: {
      shown: 'Set-Cookie: __Host-sid=…; Secure; SameSite=None  without frame-ancestors',
      options: '',
      scan: { embeddable: ['__Host-sid'] },
    },
    right: { shown: "Content-Security-Policy: frame-ancestors 'self'", options: '', scan: { embeddable: [] } },
  },
  onScan: (facts) =>
    together(
      facts.embeddable.map(onCookie),
      'SameSite=None',
      'any site may show the pages of a logged-in user in a frame',
      "Send Content-Security-Policy: frame-ancestors with the sites that may, or 'none'.",
    ),
}
