import * as option from './options.ts'
import { decided, kept, yours } from './requirement.ts'
import type { Requirement } from './requirement.ts'

/** NIST SP 800-63B-4, section 5 (Session Management). */
export const NIST: readonly Requirement[] = [
  kept(
    '5.1, shared secret',
    'Both ends share a secret, which the subscriber’s software presents.',
    'The id in the cookie.',
    ['test/session/id.test.ts'],
  ),
  kept(
    '5.1, continuity',
    'A session rests on a secret that the verifier issued at authentication.',
    'Login issues a new secret; an older one opens nothing.',
    ['test/attacks/fixation.ts', 'test/plugin/login.test.ts'],
  ),
  decided(
    '5.1, persistence',
    'Session secrets should not outlive the browser or the device’s restart.',
    'rememberTimeout',
    option.rememberTimeout,
    'The cookie ends with the browser, unless the app calls `req.login(user, { remember: true })`.',
    ['test/plugin/caching.test.ts'],
  ),
  yours(
    '5.1, remembering',
    'A remembered browser is no substitute for authentication, except for an idle session at AAL2.',
    'Use `remember` below AAL2 only, and `app.requireLogin({ within })` where a login must be fresh.',
    ['test/plugin/fresh-login.test.ts#neither renewal nor remember-me'],
  ),
  kept(
    '5.1, origin',
    'The session host makes the secret in answer to an authentication.',
    'Only `req.login` makes one.',
    ['test/plugin/login.test.ts'],
  ),
  yours(
    '5.1, level',
    'A session is never held at a higher level than its authentication.',
    'Set `assurance` to the level of your login.',
  ),
  kept('5.1 (1)', 'Secrets are made during or right after authentication.', 'In the write of the login.', [
    'test/plugin/login.test.ts',
  ]),
  kept(
    '5.1 (2)',
    'Secrets come from an approved generator and have 64 bits or more.',
    '128 bits of node:crypto randomBytes.',
    ['test/session/id.test.ts'],
  ),
  kept('5.1 (3)', 'Secrets are erased or made invalid at logout.', 'The record goes, and the cookie is cleared.', [
    'test/attacks/logout.ts',
    'test/plugin/logout.test.ts',
  ]),
  decided(
    '5.1 (4)',
    'Secrets travel over an authenticated, protected channel.',
    'tls',
    option.tls,
    'TLS ends where the option says.',
    ['test/guard/cookie.test.ts'],
  ),
  decided(
    '5.1 (5)',
    'Secrets end at the times of sections 2.1.3, 2.2.3 and 2.3.3.',
    'assurance',
    option.assurance,
    '`assurance` sets the limits of a level; longer lifetimes are refused with it.',
    ['test/plugin/lifetimes.test.ts#assurance sets the limits'],
  ),
  yours(
    '5.1 (6)',
    'Nobody between the host and the subscriber can read secrets.',
    'End TLS inside your own trust boundary.',
  ),
  kept(
    '5.1, erasure',
    'The endpoint should erase secrets at logout and at expiry.',
    'The cookie is cleared in both cases.',
    ['test/plugin/logout.test.ts', 'test/browser/expiry.test.ts'],
  ),
  kept(
    '5.1, place',
    'Secrets should not lie in insecure places such as local storage.',
    'The id lies in a cookie alone.',
    ['test/browser/login.test.ts'],
  ),
  decided(
    '5.1, transport',
    'A session does not fall back from https to http.',
    'cookie.secure',
    option.secure,
    'A Secure cookie is not sent over http. Send HSTS as well.',
    ['test/guard/cookie.test.ts'],
  ),
  decided(
    '5.1, forgery',
    'Posted content is verified against cross-site request forgery.',
    'crossOriginProtection',
    option.crossOrigin,
    'By the origin of the request. Where the letter asks for a token in the content, add @fastify/csrf-protection.',
    ['test/http/cross-origin.test.ts', 'test/neighbours/csrf-protection.test.ts'],
  ),
  yours('5.1, logout', 'Subscribers should find a way to log out easily.', 'Put it on each page.'),
  decided('5.1.1 (1)', 'Cookies are for https only.', 'cookie.secure', option.secure, 'The default in production.', [
    'test/plugin/caching.test.ts',
  ]),
  decided(
    '5.1.1 (2)',
    'Cookies reach as few hosts and paths as practical.',
    'cookie.domain, cookie.path',
    option.scope,
    'No domain is the default.',
    ['test/guard/cookie.test.ts'],
  ),
  decided(
    '5.1.1 (3)',
    'Cookies should be out of reach of scripts.',
    'cookie.httpOnly',
    option.httpOnly,
    'The default.',
    ['test/plugin/caching.test.ts'],
  ),
  kept(
    '5.1.1 (4)',
    'Cookies should expire about when the session does, and timeouts must not rest on that.',
    'The server keeps the deadlines, whatever the cookie claims.',
    ['test/plugin/lifetimes.test.ts', 'test/browser/expiry.test.ts'],
  ),
  decided(
    '5.1.1 (5)',
    'Cookies should have the prefix __Host- and the path /.',
    'cookie.name, cookie.path',
    (settings) => ({
      value: `${settings.cookie.name}, ${settings.cookie.path}`,
      isMet: settings.cookie.name.startsWith('__Host-') && settings.cookie.path === '/',
    }),
    'The default in production.',
    ['test/plugin/caching.test.ts'],
  ),
  decided(
    '5.1.1 (6)',
    'Cookies should be SameSite Lax or Strict.',
    'cookie.sameSite',
    option.sameSite,
    'Lax is the default.',
    ['test/browser/same-site.test.ts'],
  ),
  kept('5.1.1 (7)', 'Cookies hold an opaque text and no personal data.', 'Random bytes, a MAC and a signature.', [
    'test/session/id.test.ts',
  ]),
  yours(
    '5.1.2',
    'An access token is no sign that the subscriber is there.',
    'Keep tokens of OAuth in the session’s data, and end both together.',
    ['test/neighbours/oauth2.test.ts'],
  ),
  decided(
    '5.2, periodic',
    'Sessions ask for authentication again from time to time.',
    'absoluteTimeout',
    option.absoluteTimeout,
    'A session ends then.',
    ['test/plugin/lifetimes.test.ts'],
  ),
  kept('5.2, ends', 'A session ends when either timeout has passed.', 'Both deadlines are checked on each request.', [
    'test/session/lifetime.test.ts',
  ]),
  kept(
    '5.2, reset',
    'Activity resets the idle timeout, and a new authentication resets both.',
    '`req.login` and `req.confirmLogin` begin both deadlines anew.',
    ['test/plugin/lifetimes.test.ts', 'test/plugin/fresh-login.test.ts'],
  ),
  yours(
    '5.2, documents',
    'The limits are decided and documented.',
    'The command `npx fastify-session-guard policy` prints the document.',
  ),
  yours(
    '5.2, federation',
    'Sessions of providers and relying parties end apart from each other.',
    'Ask the provider for a fresh login where you need one.',
    ['test/neighbours/oauth2.test.ts'],
  ),
  yours(
    '5.3',
    'A session may be watched for signs of fraud, and should end or ask again on such signs.',
    'A copied id ends its session by itself, with an event; other signs are yours.',
    ['test/attacks/renewal.ts', 'test/plugin/events.test.ts'],
  ),
]
