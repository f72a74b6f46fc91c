/** The address that a pool connects to. */
export interface PostgresConnection {
  /** Host name, address, or the folder of a unix socket. */
  readonly host: string
  readonly encrypted: boolean
  /** `false` when the certificate of the server is not checked. */
  readonly verified?: boolean
}

/** Returns the address from the options of a `pg` pool and the environment that `pg` reads; empty when neither says. */
export function connectionsOf(pool: object): PostgresConnection[] {
  const options: unknown = 'options' in pool ? pool.options : undefined
  if (typeof options !== 'object' || options === null) return []
  const { connectionString, host, ssl } = options as Record<string, unknown>
  const url =
    typeof connectionString === 'string' && URL.canParse(connectionString) ? new URL(connectionString) : undefined
  const found = url?.searchParams.get('host') || url?.hostname || host || process.env['PGHOST'] || 'localhost'
  if (typeof found !== 'string') return []
  const mode = url?.searchParams.get('sslmode') ?? process.env['PGSSLMODE'] ?? 'disable'
  const isAsked = ['true', '1'].includes(url?.searchParams.get('ssl') ?? '')
  // Unlike libpq, pg never falls back to plain text: every mode but one encrypts or fails.
  const isUnchecked =
    mode === 'no-verify' || (typeof ssl === 'object' && Reflect.get(ssl ?? {}, 'rejectUnauthorized') === false)
  const encrypted = Boolean(ssl) || isAsked || mode !== 'disable'
  return [{ host: decodeURIComponent(found), encrypted, ...(isUnchecked ? { verified: false } : {}) }]
}
