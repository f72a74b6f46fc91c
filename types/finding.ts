/**
 * The weight of a finding: `fatal` refuses to boot, `warning` is logged once at startup, `info` is shown by the
 * commands.
 */
export type Severity = 'fatal' | 'warning' | 'info'

/**
 * The moment at which the guard sees a finding: `register`, `ready`, the first `request`s, or a `scan` from outside.
 */
export type Phase = 'register' | 'ready' | 'request' | 'scan'

/** The set of rules in force. Anything but `development` and `test` is production. */
export type EnvironmentName = 'production' | 'development' | 'test'

/** One place in the options that a finding is about. */
export interface FindingLocation {
  /** RFC 6901 JSON pointer into the options, e.g. `/cookie/sameSite`. */
  pointer: string
  /** The same place in the notation of JavaScript: `cookie.sameSite`. */
  path: string
  /** The printed value. Of a secret only type and length are printed: `<string, 12 bytes>`. */
  value: string
  /** `true` when `value` hides a secret. */
  redacted: boolean
}

/** The entry of `silence` that set a finding aside. */
export interface SilencedBy {
  reason: string
  /** The ISO date after which the finding counts again, or `null`. */
  expires: string | null
}

/** One fault that the guard found in a configuration. Plain JSON. */
export interface Finding {
  schemaVersion: 1
  /** The stable id of the rule, `session/<slug>`. */
  rule: `session/${string}`
  severity: Severity
  environment: EnvironmentName
  phase: Phase
  /** `false` for a fault that no reason can excuse: a browser discards the cookie, or the option has no effect. */
  silenceable: boolean
  /** The fault in one line. Never holds a secret. */
  message: string
  at: FindingLocation[]
  why: string
  /** The remedy. `snippet` is source text for the options. Pasted there, it removes the finding. */
  fix: { text: string; snippet?: string }
  /** The nearest known name, for a misspelt name. */
  suggestion?: string
  /** The standards and issues behind the rule. */
  references: string[]
  /** Present when an entry of `silence` set this finding aside. A silenced finding never refuses a boot. */
  silenced?: SilencedBy
}
