/** The outside world of a command, so that a command runs in a test as it does in a terminal. */
export interface Io {
  /** Writes a text and a line break to standard output. */
  readonly out: (text: string) => void
  /** The same to standard error. */
  readonly err: (text: string) => void
  readonly env: Readonly<Record<string, string | undefined>>
  /** The working directory. */
  readonly cwd: string
  /** Tells whether standard output is a terminal. */
  readonly isTerminal: boolean
  /** Columns of the terminal, where there is one. */
  readonly columns?: number | undefined
}

/** Findings below the level, or none. */
export const CLEAN = 0
/** Findings at or above the level. */
export const FOUND = 1
/** Wrong arguments, or nothing that could be checked. */
export const UNUSABLE = 2

/** A mistake of whoever typed the command; its message is printed without a stack. */
export class UsageError extends Error {}

/**
 * A word of the command line for a message. Nothing for what is no plain word: it may be a URL out of its place, with a
 * password.
 */
export function plainWord(word: string): string | undefined {
  return /^[\w/-]{1,60}$/.test(word) ? word : undefined
}

/**
 * Tells whether escape sequences may be written. FORCE_COLOR decides, as in Node; otherwise to a terminal, unless
 * NO_COLOR is set (no-color.org) or the terminal knows none.
 */
export function usesColor({ isTerminal, env }: Pick<Io, 'isTerminal' | 'env'>): boolean {
  const forced = env['FORCE_COLOR']
  if (forced !== undefined) return forced !== '0' && forced !== 'false'
  return isTerminal && (env['NO_COLOR'] ?? '') === '' && env['TERM'] !== 'dumb'
}
