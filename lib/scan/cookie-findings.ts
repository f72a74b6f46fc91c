import { checkConfig } from '../guard/check.ts'
import type { Finding, FindingLocation } from '../../types/index.ts'
import type { SetCookie } from './set-cookie.ts'

// Looked at, never called.
const method = Date.now

/** Everything but the cookie is as it should be, so that only the cookie is judged. */
const AROUND = {
  store: {
    get: method,
    create: method,
    update: method,
    touch: method,
    delete: method,
    addToIndex: method,
    keepInIndex: method,
    removeFromIndex: method,
    listIndex: method,
  },
  tls: 'direct',
  maxSessions: 1,
}

const MAX_LIFE = 400 * 86_400

const NO_DOMAIN = 'Leave Domain out.'

const ROOT_PATH = 'Set Path=/.'

/** Remedies in the words of the header: whoever is scanned may have other options, or another language. */
export const REMEDIES: Readonly<Record<string, string>> = {
  'samesite-invalid': 'Set SameSite=Lax, or Strict.',
  'samesite-none-requires-secure': 'Set Secure beside SameSite=None. Not used across sites? SameSite=Lax.',
  'secure-required': 'Set the cookie with Secure.',
  'httponly-disabled': 'Set the cookie with HttpOnly.',
  'partitioned-requires-secure': 'Set Secure and SameSite=None beside Partitioned, or leave Partitioned out.',
  'partitioned-without-none': 'Set SameSite=None beside Partitioned, or leave Partitioned out.',
  'prefix-host': 'Set Secure and Path=/, and no Domain; or take another name.',
  'prefix-secure': 'Set Secure, or take another name.',
  'prefix-http': 'Set Secure and HttpOnly, for __Host-Http- Path=/ and no Domain too; or take another name.',
  'prefix-case': 'Write the prefix in its exact case.',
  'prefix-missing': 'Start the name with __Host-, or with __Secure- if there is a Domain or a Path.',
  'cookie-name-fingerprint': 'Take a neutral name.',
  'domain-malformed': NO_DOMAIN,
  'domain-local': NO_DOMAIN,
  'domain-public-suffix': NO_DOMAIN,
  'domain-wide': NO_DOMAIN,
  'path-invalid': ROOT_PATH,
  'path-narrow': ROOT_PATH,
  'cookie-too-big': 'Shorten it.',
  'remember-too-long': `Set a Max-Age of ${MAX_LIFE} seconds or less.`,
}

/** Stands in the place of a missing Path, with which browsers drop a cookie named `__Host-…` (RFC 6265bis 5.7). */
const NO_PATH = '/missing'

function pathOf({ name, path }: SetCookie): string {
  return path ?? (/^__host-/i.test(name) ? NO_PATH : '/')
}

/** Judges a cookie on the wire by the rules that judge the options which would make such a cookie. */
export function cookieFindings(cookie: SetCookie, environment: string | undefined): Finding[] {
  const { name, domain, secure, httpOnly, sameSite, partitioned, maxAge = 0 } = cookie
  const options = {
    ...AROUND,
    cookie: {
      name,
      domain,
      path: pathOf(cookie),
      secure,
      httpOnly,
      partitioned,
      ...(sameSite === undefined ? {} : { sameSite: sameSite.toLowerCase() }),
    },
    ...(maxAge > MAX_LIFE ? { rememberTimeout: `${maxAge}s` } : {}),
  }
  return checkConfig(options, environment)
    .filter(
      ({ at, rule }) =>
        // A name that arrived is one that browsers take.
        rule !== 'session/cookie-name-invalid' &&
        (rule !== 'session/path-narrow' || cookie.path !== undefined) &&
        (rule === 'session/remember-too-long' || at.every(({ pointer }) => pointer.startsWith('/cookie/'))),
    )
    .map((finding) => ({
      ...finding,
      phase: 'scan',
      at: finding.at.map((location) => onTheWire(location, cookie)),
      // Every rule about the cookie has its words, as a test makes sure.
      fix: { text: REMEDIES[finding.rule.replace('session/', '')] as string },
    }))
}

/** `Set-Cookie connect.sid: secure`. */
function onTheWire({ path, value, redacted }: FindingLocation, { name, path: sent }: SetCookie): FindingLocation {
  const attribute = path === 'rememberTimeout' ? 'max-age' : path.replace('cookie.', '')
  const isMissing = attribute === 'path' && sent === undefined
  return {
    pointer: '',
    path: `Set-Cookie ${name.slice(0, 80)}: ${attribute}`,
    value: isMissing ? 'missing' : value,
    redacted,
  }
}
