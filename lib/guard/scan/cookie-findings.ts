import { checkConfig } from '../check.ts'
import type { Finding, FindingLocation } from '../../../types/index.ts'
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

const LONGEST_LIFE = 400 * 86_400

/** Judges a cookie on the wire by the rules that judge the options which would make such a cookie. */
export function cookieFindings(cookie: SetCookie, environment: string | undefined): Finding[] {
  const { name, domain, path = '/', secure, httpOnly, sameSite, partitioned, maxAge = 0 } = cookie
  const options = {
    ...AROUND,
    cookie: {
      name,
      domain,
      path,
      secure,
      httpOnly,
      partitioned,
      ...(sameSite === undefined ? {} : { sameSite: sameSite.toLowerCase() }),
    },
    ...(maxAge > LONGEST_LIFE ? { rememberTimeout: `${maxAge}s` } : {}),
  }
  return checkConfig(options, environment)
    .filter(
      ({ at, rule }) =>
        // A name that arrived is one that browsers take.
        rule !== 'session/cookie-name-invalid' &&
        (rule === 'session/remember-too-long' || at.every(({ pointer }) => pointer.startsWith('/cookie/'))),
    )
    .map((finding) => ({ ...finding, phase: 'scan', at: finding.at.map((location) => onTheWire(location, name)) }))
}

/** `Set-Cookie connect.sid: secure`. */
function onTheWire({ path, value, redacted }: FindingLocation, name: string): FindingLocation {
  const attribute = path === 'rememberTimeout' ? 'max-age' : path.replace('cookie.', '')
  return { pointer: '', path: `Set-Cookie ${name.slice(0, 80)}: ${attribute}`, value, redacted }
}
