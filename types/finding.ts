/**
 * The weight of a finding: `fatal` refuses to boot, `warning` is logged once at startup, `info` is shown by the
 * commands.
 */
export type Severity = 'fatal' | 'warning' | 'info'

/**
 * The moment at which the guard sees a finding. `source` is the text that the command `check` reads. `scan` is a look
 * from outside. `register`, `ready` and the first `request`s are moments of a running app.
 */
export type Phase = 'register' | 'ready' | 'request' | 'source' | 'scan'

/** The set of rules in force. Anything but `development` and `test` is production. */
export type EnvironmentName = 'production' | 'development' | 'test'

/** One place in the options that a finding is about. */
export interface FindingLocation {
  /** RFC 6901 JSON pointer into the options, e.g. `/cookie/sameSite`. */
  pointer: string
  /** The same place in the notation of JavaScript: `cookie.sameSite`. */
  path: string
  /** The printed value. A secret is printed by type and length only: `<string, 12 bytes>`. */
  value: string
  /** `true` when `value` hides a secret. */
  redacted: boolean
  /** The place where the option is written, or would be. Only the command `check` knows the place. */
  source?: SourcePlace
}

/** A place in a file of the app. */
export interface SourcePlace {
  /** The path, as absolute as the checked file is. */
  file: string
  /** The line, counted from 1. */
  line: number
  /** The column, counted from 1, in UTF-16 code units. */
  column: number
}

/** The entry of `silence` that set a finding aside. */
export interface SilencedBy {
  reason: string
  /** The ISO date after which the finding counts again, or `null`. */
  expires: string | null
}

/**
 * One step of a fix, for a tool that edits the options where they are written. Pointers are RFC 6901 JSON pointers into
 * the options. A step that removes an element of a list counts elements as they were before the first step.
 */
export type FixStep =
  /** Writes a JavaScript expression at a place, which may be new. */
  | { op: 'set'; pointer: string; source: string }
  /**
   * Moves a member with the expression that stands there. `source` is its value, or a safe one, for a place that is
   * new.
   */
  | { op: 'move'; from: string; pointer: string; source: string }
  /** Removes a member, or an element of a list. */
  | { op: 'remove'; pointer: string }

/** A way to make a finding go away. */
export interface FindingFix {
  /** The advice, in words. */
  text: string
  /** Members to paste into the options. The members under one name (`cookie: { … }`) join those that stand there. */
  snippet?: string
  /**
   * The same as steps. The guard has tried them: they bring no new fatal finding. Absent where no edit of the options
   * helps.
   */
  patch?: FixStep[]
  /**
   * `safe`: the steps have one reading and change nothing that was right. `review`: they take a decision for the
   * author.
   */
  confidence?: 'safe' | 'review'
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
  /** The remedy. */
  fix: FindingFix
  /** The nearest known name, for a misspelt one. */
  suggestion?: string
  /** The standards and issues behind the rule. */
  references: string[]
  /** Present when an entry of `silence` set this finding aside. A silenced finding never refuses a boot. */
  silenced?: SilencedBy
}
