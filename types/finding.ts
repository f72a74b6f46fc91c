/** `fatal` refuses to boot, `warning` is logged once at startup, `info` is shown by the CLI. */
export type Severity = 'fatal' | 'warning' | 'info'

/**
 * When the guard can see it: at `register`, in `onReady` (`ready`), on the first `request`s, in the `source` text that the command
 * `check` reads, or by a `scan` from outside.
 */
export type Phase = 'register' | 'ready' | 'request' | 'source' | 'scan'

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

/**
 * One step of a fix, for a tool that edits the options where they are written. Pointers are RFC 6901 JSON pointers into the
 * options; a step that removes an element of a list counts elements as they were before the first step.
 */
export type FixStep =
  /** Writes a JavaScript expression at a place, which may be new. */
  | { op: 'set'; pointer: string; source: string }
  /** Moves a member with the expression that stands there. `source` is its value, or a safe one, for a place that is new. */
  | { op: 'move'; from: string; pointer: string; source: string }
  /** Removes a member, or an element of a list. */
  | { op: 'remove'; pointer: string }

/** A way to make a finding go away. */
export interface FindingFix {
  /** What to do, in words. */
  text: string
  /** Members to paste into the options. The members under one name (`cookie: { … }`) join those that stand there. */
  snippet?: string
  /** The same as steps, which leave the rest alone. They have been tried: no other fatal finding comes. Absent where no edit of the options helps. */
  patch?: FixStep[]
  /** `safe`: the steps have one reading and change nothing that was right. `review`: they take a decision for the author. */
  confidence?: 'safe' | 'review'
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
  fix: FindingFix
  /** The nearest known name, for a misspelt one. */
  suggestion?: string
  /** Standards and issues behind the rule. */
  references: string[]
  /** Present when an entry of `silence` set this finding aside; it then never refuses a boot. */
  silenced?: SilencedBy
}
