/** `fatal` refuses to boot, `warning` is logged once at startup, `info` is shown by the CLI. */
export type Severity = 'fatal' | 'warning' | 'info'

/** When the guard can see it: at `register`, in `onReady`, on the first `request`s, or by a `scan` from outside. */
export type Phase = 'register' | 'ready' | 'request' | 'scan'

/** The set of rules in force. Anything but `development` and `test` is production. */
export type EnvironmentName = 'production' | 'development' | 'test'

/** One place in the options that a finding is about. */
export interface FindingLocation {
  /** RFC 6901 JSON pointer into the options, e.g. `/cookie/sameSite`. */
  pointer: string
  /** The same for people: `cookie.sameSite`. */
  path: string
  /** The value found there, as printed; secrets only as type and length: `<string, 12 bytes>`. */
  value: string
  /** Whether `value` hides what was found. */
  redacted: boolean
}

/** Why a finding was set aside. */
export interface SilencedBy {
  reason: string
  /** ISO date after which the finding counts again; `null` when it never does. */
  expires: string | null
}

/** One thing the guard has to say about a configuration. Plain JSON. */
export interface Finding {
  schemaVersion: 1
  /** Stable id, `session/<slug>`. */
  rule: `session/${string}`
  severity: Severity
  environment: EnvironmentName
  phase: Phase
  /** `false` where a browser drops the cookie anyway, or the option means nothing. */
  silenceable: boolean
  /** One line that says what is wrong. Never holds a secret. */
  message: string
  at: FindingLocation[]
  why: string
  /** `snippet` can be pasted into the options and makes the finding go away. */
  fix: { text: string; snippet?: string }
  /** The nearest known name, for a misspelt one. */
  suggestion?: string
  /** Standards and issues behind the rule. */
  references: string[]
  /** Present when an entry of `silence` set this finding aside; it then never refuses a boot. */
  silenced?: SilencedBy
}
