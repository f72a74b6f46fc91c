import * as option from './options.ts'
import { decided, kept, yours } from './requirement.ts'
import type { Requirement } from './requirement.ts'

/** OWASP Session Management Cheat Sheet, by its sections. */
export const CHEAT_SHEET: readonly Requirement[] = [
  decided(
    'Session ID name',
    'The name of the cookie does not tell the technology.',
    'cookie.name',
    ({ cookie }) => ({
      value: cookie.name,
      isMet: !/^(connect\.sid|sessionId|jsessionid|phpsessid|asp\.net_sessionid|cfid|cftoken)$/i.test(cookie.name),
    }),
    'The default name is a general one.',
    ['test/guard/cookie.test.ts'],
  ),
  kept('Session ID length', 'An id has 128 bits or more.', 'It has 32 random bytes, a MAC and a signature.', [
    'test/session/id.test.ts',
  ]),
  kept('Session ID entropy', 'An id has 64 bits of entropy or more.', 'Its secret half alone has 128.', [
    'test/session/id.test.ts',
  ]),
  kept('Session ID content', 'An id means nothing by itself.', 'Data and identity stay on the server.', [
    'test/session/id.test.ts',
  ]),
  decided(
    'Session storage',
    'Where sessions are kept is protected.',
    'store',
    option.store,
    'A store holds hashes of secrets, never ids. Who may read it is yours.',
    ['test/stores/memory-contract.test.ts', 'test/session/record.test.ts'],
  ),
  kept('Exchange mechanisms', 'Only cookies carry an id; none is taken from the URL.', 'Nothing else is read.', [
    'test/http/read-cookie.test.ts',
  ]),
  decided('Transport', 'All of a session runs over TLS.', 'tls', option.tls, 'Redirect http and send HSTS as well.', [
    'test/guard/request.test.ts',
  ]),
  decided('Secure', 'The cookie is Secure.', 'cookie.secure', option.secure, 'The default in production.', [
    'test/plugin/caching.test.ts',
  ]),
  decided('HttpOnly', 'The cookie is HttpOnly.', 'cookie.httpOnly', option.httpOnly, 'The default.', [
    'test/plugin/caching.test.ts',
  ]),
  decided(
    'SameSite',
    'The cookie is kept from requests of other sites.',
    'cookie.sameSite',
    option.sameSite,
    'Lax is the default.',
    ['test/browser/same-site.test.ts'],
  ),
  decided(
    'Domain and Path',
    'The cookie’s scope is narrow.',
    'cookie.domain, cookie.path',
    option.scope,
    'No domain is the default.',
    ['test/guard/cookie.test.ts'],
  ),
  decided(
    'Expires and Max-Age',
    'The cookie is not persistent.',
    'rememberTimeout',
    option.rememberTimeout,
    'It ends with the browser, unless a login asks for `remember`.',
    ['test/plugin/caching.test.ts'],
  ),
  kept(
    'Strict management',
    'An id that the app did not make is never taken.',
    'Such a request goes on as an anonymous one.',
    ['test/attacks/fixation.ts'],
  ),
  kept('ID as input', 'An id is checked like any input.', 'By shape, size and signature, before a store is asked.', [
    'test/http/read-cookie.test.ts',
    'test/plugin/cookies-in.test.ts',
  ]),
  kept(
    'Privilege changes',
    'An id is renewed with each change of privilege.',
    'At login, logout and change of user. Call `req.confirmLogin()` for changes of your own.',
    ['test/attacks/fixation.ts', 'test/attacks/cross-epoch-write.ts'],
  ),
  kept(
    'Several cookies',
    'Cookies of one name from several scopes are not mixed up.',
    'Two session cookies in one request are both refused.',
    ['test/plugin/cookies-in.test.ts'],
  ),
  decided(
    'Idle timeout',
    'Inactivity ends a session, on the server.',
    'idleTimeout',
    option.idleTimeout,
    'Common are 15–30 minutes, 2–5 for high value.',
    ['test/plugin/lifetimes.test.ts'],
  ),
  decided(
    'Absolute timeout',
    'A session ends after a longest lifetime.',
    'absoluteTimeout',
    option.absoluteTimeout,
    'Counted from the login.',
    ['test/plugin/lifetimes.test.ts'],
  ),
  decided(
    'Renewal timeout',
    'An id is renewed within a session.',
    'renewalTimeout',
    option.renewalTimeout,
    'The old id ends as soon as the new one is seen.',
    ['test/attacks/renewal.ts'],
  ),
  yours('Logout button', 'Every page offers a logout.', 'Put it on each page.'),
  kept(
    'Caching',
    'Ids and private pages stay out of caches.',
    'Responses that set the cookie are no-store, and those of a session are private or vary. Pages of your own may need more.',
    ['test/plugin/caching.test.ts', 'test/plugin/shared-cache.test.ts'],
  ),
  yours('Login timeout', 'A login page that stood open for long is loaded anew.', 'In the script of your login page.'),
  yours('Closing windows', 'Closing a window may log out.', 'In the scripts of your pages.'),
  yours(
    'Cross-tab sessions',
    'Tabs may ask for a login each.',
    'Not possible with cookies, as the cheat sheet says too.',
  ),
  yours(
    'Automatic logout',
    'A page may tell that its session is about to end.',
    'In the scripts of your pages; the deadlines are in `app.sessions.list`.',
  ),
  yours(
    'Guessing',
    'Guessing of ids is noticed.',
    'Count the events of refused ids, and limit requests, for instance with @fastify/rate-limit.',
    ['test/plugin/cookies-in.test.ts'],
  ),
  kept(
    'Anomalies',
    'A changed, doubled or reused id is noticed.',
    'With an event each; a copied id ends its session.',
    ['test/plugin/events.test.ts', 'test/attacks/renewal.ts'],
  ),
  yours(
    'Binding',
    'A session may be bound to facts of the client.',
    'Address and user agent at login are in `app.sessions.list`; compare them where it helps.',
    ['test/session/device.test.ts'],
  ),
  kept(
    'Life cycle in logs',
    'Beginning, renewal and end of sessions are logged, without ids.',
    'As events and log lines, which name the handle.',
    ['test/plugin/events.test.ts'],
  ),
  decided(
    'Simultaneous sessions',
    'It is decided how many sessions a user may have.',
    'maxSessions',
    option.maxSessions,
    'What happens at the limit is decided by `onLimit`.',
    ['test/plugin/max-sessions.test.ts'],
  ),
  yours('Web application firewalls', 'A firewall may add protection.', 'Where you run one.'),
]
