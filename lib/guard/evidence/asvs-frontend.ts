import * as option from './options.ts'
import { atLevel, decided, kept, yours } from './requirement.ts'
import type { Requirement } from './requirement.ts'

const HEADERS = 'Set it for every response, for instance with @fastify/helmet.'

/** OWASP ASVS 5.0, sections V3.3 to V3.5, all 21 requirements. */
export const ASVS_FRONTEND: readonly Requirement[] = [
  ...atLevel(
    1,
    decided(
      '3.3.1',
      'Cookies are Secure, and have the prefix __Host- or __Secure-.',
      'cookie.secure, cookie.name',
      (settings) => ({
        value: `${option.secure(settings).value}, ${option.cookieName(settings).value}`,
        isMet: option.secure(settings).isMet && option.cookieName(settings).isMet,
      }),
      'Both are the default in production. Other cookies of the app are yours.',
      ['test/plugin/caching.test.ts', 'test/guard/cookie.test.ts'],
    ),
  ),
  ...atLevel(
    2,
    decided(
      '3.3.2',
      'SameSite fits the purpose of each cookie.',
      'cookie.sameSite',
      option.sameSite,
      'Lax is the default; None is reported where no protection stands beside it.',
      ['test/guard/cookie.test.ts', 'test/browser/same-site.test.ts'],
    ),
    decided(
      '3.3.3',
      'Cookies have the prefix __Host- unless other hosts are to share them.',
      'cookie.name, cookie.domain',
      option.hostName,
      '`__Host-session` is the default in production.',
      ['test/guard/cookie.test.ts'],
    ),
    decided(
      '3.3.4',
      'What no script needs is HttpOnly, and reaches the client in Set-Cookie alone.',
      'cookie.httpOnly',
      option.httpOnly,
      'The id appears in no body, log or event.',
      ['test/plugin/caching.test.ts', 'test/plugin/events.test.ts'],
    ),
  ),
  ...atLevel(
    3,
    kept(
      '3.3.5',
      'Name and value of a cookie are at most 4096 bytes together.',
      'An id has a fixed length; longer names are refused.',
      ['test/session/id.test.ts', 'test/guard/cookie.test.ts'],
    ),
  ),
  ...atLevel(
    1,
    yours(
      '3.4.1',
      'HSTS for a year or more; from level 2 with subdomains.',
      'Send the header; the guard warns where it is missing.',
      ['test/guard/neighbours.test.ts'],
    ),
    yours(
      '3.4.2',
      'CORS allows a fixed origin or those of a list.',
      'Give @fastify/cors a list; the guard refuses a reflected origin with credentials.',
      ['test/guard/neighbours.test.ts'],
    ),
  ),
  ...atLevel(
    2,
    yours('3.4.3', 'A Content-Security-Policy with object-src and base-uri none.', HEADERS),
    yours('3.4.4', 'X-Content-Type-Options: nosniff on every response.', HEADERS),
    yours('3.4.5', 'A Referrer-Policy that keeps paths and queries inside.', HEADERS),
    yours('3.4.6', 'frame-ancestors in the Content-Security-Policy.', HEADERS),
  ),
  ...atLevel(
    3,
    yours('3.4.7', 'The Content-Security-Policy says where violations are reported.', HEADERS),
    yours('3.4.8', 'Documents have a Cross-Origin-Opener-Policy.', HEADERS),
  ),
  ...atLevel(
    1,
    decided(
      '3.5.1',
      'Requests to sensitive functions are proved to come from the app itself.',
      'crossOriginProtection',
      option.crossOrigin,
      'By Sec-Fetch-Site and Origin; @fastify/csrf-protection may stand beside it.',
      ['test/http/cross-origin.test.ts', 'test/browser/cross-origin.test.ts'],
    ),
    decided(
      '3.5.2',
      'Functions that rely on CORS preflight cannot be reached without one.',
      'crossOriginProtection',
      option.crossOrigin,
      'The check needs no preflight: simple form posts are refused too.',
      ['test/http/cross-origin.test.ts'],
    ),
    yours(
      '3.5.3',
      'Sensitive functions answer to POST, PUT, PATCH or DELETE, not to safe methods.',
      'Change nothing in a GET route: safe methods are not checked for their origin.',
      ['test/http/cross-origin.test.ts'],
    ),
  ),
  ...atLevel(
    2,
    yours(
      '3.5.4',
      'Separate applications have separate host names.',
      'Deploy so. A __Host- cookie without a domain keeps sessions apart.',
      ['test/guard/cookie.test.ts'],
    ),
    yours('3.5.5', 'Messages of postMessage are checked for their origin.', 'In the scripts of your pages.'),
  ),
  ...atLevel(
    3,
    yours('3.5.6', 'No JSONP.', 'In your routes.'),
    yours('3.5.7', 'Script files hold no data that needs authorization.', 'In your routes.'),
    yours(
      '3.5.8',
      'Resources behind a login load or embed only where that is meant.',
      'Send Cross-Origin-Resource-Policy. SameSite Lax keeps the cookie from requests of other sites for images and frames.',
      ['test/browser/same-site.test.ts'],
    ),
  ),
]
