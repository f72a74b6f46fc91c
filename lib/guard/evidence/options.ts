import { LIFETIMES } from '../../options.ts'
import { parseDuration } from '../../session/duration.ts'
import type { ShownSettings } from './settings.ts'

/** The value of an option, and whether it meets a requirement. */
export interface OptionVerdict {
  readonly value: string
  readonly isMet: boolean
}

type Judge = (settings: ShownSettings) => OptionVerdict

export const cookieName: Judge = ({ cookie }) => ({ value: cookie.name, isMet: /^__(Host|Secure)-/.test(cookie.name) })

export const hostName: Judge = ({ cookie }) => ({
  value: `${cookie.name}${cookie.domain === null ? '' : `, domain ${cookie.domain}`}`,
  isMet: cookie.name.startsWith('__Host-') || cookie.domain !== null,
})

export const secure: Judge = ({ cookie }) => ({ value: String(cookie.secure), isMet: cookie.secure === true })

export const httpOnly: Judge = ({ cookie }) => ({ value: String(cookie.httpOnly), isMet: cookie.httpOnly })

export const sameSite: Judge = ({ cookie }) => ({ value: cookie.sameSite, isMet: cookie.sameSite !== 'none' })

export const scope: Judge = ({ cookie }) => ({
  value: `domain ${cookie.domain ?? 'none'}, path ${cookie.path}`,
  isMet: cookie.domain === null,
})

/** A lifetime meets a requirement within the limit of its level, as the guard warns of longer ones. */
const lifetime =
  (name: 'idleTimeout' | 'absoluteTimeout'): Judge =>
  ({ [name]: value, assurance: level }) => {
    const limit = LIFETIMES[(level ?? 'aal1') as keyof typeof LIFETIMES][name]
    if (isWithin(value, limit)) return { value, isMet: true }
    const why = /\d/.test(value) ? `longer than ${limit}` : 'without a longest answer'
    return { value: `${value}, ${why}`, isMet: false }
  }

export const idleTimeout: Judge = lifetime('idleTimeout')

export const absoluteTimeout: Judge = lifetime('absoluteTimeout')

export const renewalTimeout: Judge = ({ renewalTimeout: value }) => ({ value, isMet: parseDuration(value) !== 0 })

export const rememberTimeout: Judge = ({ rememberTimeout: value }) => ({
  value: `${value}, for logins with remember only`,
  isMet: true,
})

export const credentials: Judge = ({ checksCredentials, authCheckInterval }) => ({
  value: checksCredentials ? `given, compared every ${authCheckInterval}` : 'not given',
  isMet: checksCredentials,
})

export const crossOrigin: Judge = ({ crossOriginProtection, trustedOrigins }) => ({
  value: `${crossOriginProtection}, trustedOrigins ${trustedOrigins.length === 0 ? 'none' : trustedOrigins.join(' ')}`,
  isMet: crossOriginProtection,
})

export const tls: Judge = ({ tls: value, cookie }) => ({
  value: value ?? 'not set',
  isMet: value !== null && cookie.secure === true,
})

export const store: Judge = ({ store: value }) => ({
  value: value === 'given' ? 'a store of the app' : 'memory of this process',
  isMet: value === 'given',
})

export const maxSessions: Judge = ({ maxSessions: value }) => ({ value: describeLimit(value), isMet: value !== null })

/** Returns the number of sessions that a user may have, in words. */
export function describeLimit(value: ShownSettings['maxSessions']): string {
  if (value === null) return 'no limit'
  return `${value.limit ?? 'decided for each user'}, then ${value.onLimit}`
}

/**
 * Tells whether a lifetime keeps a limit. A function of the user is judged by its longest answer, and keeps no limit
 * without a longest answer.
 */
function isWithin(value: string, limit: string): boolean {
  const longest = value.slice(value.lastIndexOf(' ') + 1)
  return Number(parseDuration(longest)) <= Number(parseDuration(limit))
}

/**
 * The levels of NIST SP 800-63B-4 whose limits all lifetimes keep, the strictest last. A login may ask to be
 * remembered, so the lifetime of a remembered session counts too.
 */
export function levelsKept(settings: ShownSettings): string[] {
  return (['aal1', 'aal2', 'aal3'] as const).filter((level) => {
    const limits = LIFETIMES[level]
    return (['idleTimeout', 'absoluteTimeout', 'rememberTimeout'] as const).every((name) =>
      isWithin(settings[name], limits[name]),
    )
  })
}

export const assurance: Judge = (settings) => {
  const { assurance: asked, idleTimeout: idle, absoluteTimeout: absolute, rememberTimeout: remember } = settings
  const levels = levelsKept(settings)
  const within = levels.length === 0 ? 'within no level' : `within the limits of ${levels.join(', ').toUpperCase()}`
  return {
    value: `${asked ?? 'not set'}; idle ${idle}, absolute ${absolute}, remembered ${remember}: ${within}`,
    isMet: asked === null ? levels.length > 0 : levels.includes(asked),
  }
}
