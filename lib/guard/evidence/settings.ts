import { LIFETIMES, resolveOptions } from '../../options.ts'
import { formatDuration } from '../../session/duration.ts'
import { readFacts } from '../check.ts'
import { showPath } from '../read/show-value.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { SecureSessionOptions } from '../../../types/index.ts'

/** The options of an app with every default filled in, as plain JSON. Holds no secret and no function. */
export interface ShownSettings {
  readonly environment: string
  readonly assurance: string | null
  /** A duration; for a function of the user, the longest that it may give. So are the other lifetimes. */
  readonly idleTimeout: string
  readonly absoluteTimeout: string
  readonly renewalTimeout: string
  readonly rememberTimeout: string
  readonly authCheckInterval: string
  readonly cookie: {
    readonly name: string
    readonly domain: string | null
    readonly path: string
    readonly secure: boolean | 'auto'
    readonly httpOnly: boolean
    readonly sameSite: string
    readonly partitioned: boolean
  }
  /** `limit` is null when a function decides it for each user. */
  readonly maxSessions: { readonly limit: number | null; readonly onLimit: string } | null
  /** Tells whether sessions end when the user's credentials change. */
  readonly checksCredentials: boolean
  readonly crossOriginProtection: boolean
  readonly trustedOrigins: readonly string[]
  readonly clearSiteData: boolean
  readonly tls: string | null
  readonly store: 'memory' | 'given'
  readonly silenced: readonly { readonly rule: string; readonly reason: string; readonly expires: string | null }[]
  /** Options that the guard refuses; the default stands in their place. */
  readonly invalid: readonly string[]
}

const MAX_INVALID = 20

/** The settings that options lead to, or null where the options cannot be resolved. Never throws. */
export function settingsOf(options: unknown): ShownSettings | null {
  const facts = readFacts(options, process.env, {})
  if (facts.isFaulty()) return null
  const invalid = facts.faults.slice(0, MAX_INVALID).map(({ path }) => showPath(path))
  return { ...shown(readable(facts), facts), invalid }
}

/** The options without what cannot be read; an element of a list that is none stands there as `undefined`. */
function readable({ options }: ConfigFacts): SecureSessionOptions {
  const { trustedOrigins, silence } = options
  return {
    ...options,
    ...(Array.isArray(trustedOrigins) ? { trustedOrigins: trustedOrigins.filter(Boolean) } : {}),
    ...(silence === undefined ? {} : { silence: silence.filter(Boolean) }),
  }
}

type UserLifetime = 'idleTimeout' | 'absoluteTimeout' | 'rememberTimeout'

function shown(options: SecureSessionOptions, { environment }: ConfigFacts): Omit<ShownSettings, 'invalid'> {
  const settings = resolveOptions(options, environment.name)
  const { cookie, maxSessions } = settings
  const lifetime = (name: UserLifetime): string => {
    if (typeof options[name] !== 'function') return formatDuration(settings[name])
    const limit = options.assurance === undefined ? undefined : LIFETIMES[options.assurance][name]
    return `a function of the user${limit === undefined ? '' : `, at most ${limit}`}`
  }
  return {
    environment: settings.environment,
    assurance: options.assurance ?? null,
    idleTimeout: lifetime('idleTimeout'),
    absoluteTimeout: lifetime('absoluteTimeout'),
    renewalTimeout: formatDuration(settings.renewalTimeout),
    rememberTimeout: lifetime('rememberTimeout'),
    authCheckInterval: formatDuration(settings.authCheckInterval),
    cookie: {
      name: cookie.name,
      domain: cookie.domain ?? null,
      path: cookie.path,
      secure: cookie.secure,
      httpOnly: cookie.httpOnly,
      sameSite: cookie.sameSite,
      partitioned: cookie.partitioned,
    },
    maxSessions:
      maxSessions === undefined
        ? null
        : { limit: typeof maxSessions.limit === 'number' ? maxSessions.limit : null, onLimit: maxSessions.onLimit },
    checksCredentials: settings.authHash !== undefined,
    crossOriginProtection: settings.crossOriginProtection,
    trustedOrigins:
      typeof settings.trustedOrigins === 'function' ? ['decided by a function'] : [...settings.trustedOrigins],
    clearSiteData: settings.clearSiteData,
    tls: options.tls ?? null,
    store: options.store === undefined ? 'memory' : 'given',
    silenced: (options.silence ?? []).map(({ rule, reason, expires }) => ({ rule, reason, expires: expires ?? null })),
  }
}
