import { environmentOf, resolveOptions } from '../../options.ts'
import { formatDuration } from '../../session/duration.ts'
import type { SecureSessionOptions } from '../../../types/index.ts'

/** The options of an app with every default filled in, as plain JSON. Holds no secret and no function. */
export interface ShownSettings {
  readonly environment: string
  readonly assurance: string | null
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
}

/** The settings that options lead to, or null where the options cannot be resolved. Never throws. */
export function settingsOf(options: unknown): ShownSettings | null {
  try {
    return shown(options as SecureSessionOptions)
  } catch {
    return null
  }
}

function shown(options: SecureSessionOptions): ShownSettings {
  const settings = resolveOptions(options, environmentOf(options.environment ?? process.env['NODE_ENV']))
  const { cookie, maxSessions } = settings
  return {
    environment: settings.environment,
    assurance: options.assurance ?? null,
    idleTimeout: formatDuration(settings.idleTimeout),
    absoluteTimeout: formatDuration(settings.absoluteTimeout),
    renewalTimeout: formatDuration(settings.renewalTimeout),
    rememberTimeout: formatDuration(settings.rememberTimeout),
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
