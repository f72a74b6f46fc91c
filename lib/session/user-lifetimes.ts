import { SecureSessionError } from '../errors.ts'
import type { LifetimeOptions, Lifetimes, Settings } from '../options.ts'
import { LIFETIMES, lifetimesOf } from '../options.ts'
import type { Duration, KeptLifetimes, SessionUser } from '../../types/index.ts'
import { formatDuration, parseDuration } from './duration.ts'

/** The time for which a browser keeps a cookie at most, in milliseconds. */
const MAX_LIFE = 400 * 24 * 60 * 60 * 1000

const NAMES = ['idleTimeout', 'absoluteTimeout', 'rememberTimeout'] as const

/**
 * Returns the lifetimes of a login; `undefined` if they are the same for all users. A function's answer never exceeds
 * the limit of the assurance level, nor the time for which a browser keeps a cookie.
 * @throws `SESSION_OPTION_INVALID` for an answer that is no duration, or that turns the order of the lifetimes around
 */
export function lifetimesAtLogin(
  { userLifetimes }: Pick<Settings, 'userLifetimes'>,
  user: SessionUser,
): KeptLifetimes | undefined {
  if (userLifetimes === undefined) return undefined
  const { idleTimeout, absoluteTimeout, rememberTimeout } = lifetimesOf({
    ...userLifetimes,
    ...answers(userLifetimes, user),
  })
  if (idleTimeout > absoluteTimeout) refuse('idleTimeout is longer than absoluteTimeout for this user')
  if (absoluteTimeout > rememberTimeout) refuse('absoluteTimeout is longer than rememberTimeout for this user')
  return { idleTimeout, absoluteTimeout, rememberTimeout }
}

/** Asks the functions. */
function answers(options: LifetimeOptions, user: SessionUser): Partial<Record<keyof Lifetimes, Duration>> {
  const asked: Partial<Record<keyof Lifetimes, Duration>> = {}
  for (const name of NAMES) {
    const option = options[name]
    if (typeof option === 'function') asked[name] = bounded(name, option(user), options.assurance)
  }
  return asked
}

/** Returns the time that the longest session can live. A function may give more than the option without a function. */
export function longestLife({
  absoluteTimeout,
  rememberTimeout,
  userLifetimes,
}: Pick<Settings, 'absoluteTimeout' | 'rememberTimeout' | 'userLifetimes'>): number {
  return Math.max(absoluteTimeout, rememberTimeout, userLifetimes === undefined ? 0 : MAX_LIFE)
}

function bounded(name: (typeof NAMES)[number], answer: unknown, assurance: LifetimeOptions['assurance']): Duration {
  const asked = parseDuration(answer)
  if (asked === undefined || asked === 0) refuse(`${name} of a user is a duration such as '15m', and longer than zero`)
  const limit = assurance === undefined ? MAX_LIFE : Number(parseDuration(LIFETIMES[assurance][name]))
  return formatDuration(Math.min(asked, limit))
}

function refuse(detail: string): never {
  throw new SecureSessionError('SESSION_OPTION_INVALID', { detail })
}
