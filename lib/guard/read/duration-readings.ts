import { formatDuration } from '../../session/duration.ts'

const UNITS: readonly [RegExp, number][] = [
  [/^(ms|msecs?|millis|milliseconds?)$/i, 1],
  [/^(s|secs?|seconds?)$/i, 1000],
  [/^(m|mins?|minutes?)$/i, 60_000],
  [/^(h|hrs?|hours?)$/i, 3_600_000],
  [/^(d|days?)$/i, 86_400_000],
  [/^(w|weeks?)$/i, 604_800_000],
]

/** Returns the possible meanings of a malformed duration. */
export interface Readings {
  /** A bare number, an amount with a unit in words, or neither. */
  readonly kind: 'bare' | 'words' | 'unreadable'
  /** The text to write instead. */
  readonly text: string
  /** The durations in milliseconds, the likeliest first; none for a text that cannot be read. */
  readonly durations: readonly number[]
}

const MAX_TEXT = 64

/** Bare numbers from here on are taken for milliseconds first: as seconds they would be more than a day. */
const MIN_MILLISECONDS = 100_000

/** Reads a duration without a proper unit in every way that makes sense. */
export function readingsOf(value: unknown): Readings {
  const words = typeof value === 'string' || typeof value === 'number' ? String(value).slice(0, MAX_TEXT) : ''
  if (/^\d{1,12}(?:\.\d{1,9})?$/.test(words)) return bareReadings(Number(words))
  const parts = [...words.matchAll(/(\d{1,9}(?:\.\d{1,9})?)\s{0,9}([a-z]{1,20})/gi)]
  const total = Math.round(parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitOf(String(unit)), 0))
  if (parts.length === 0 || !Number.isFinite(total) || total < 1) {
    return { kind: 'unreadable', text: 'Give it as one whole number with its unit: ms, s, m, h or d.', durations: [] }
  }
  return { kind: 'words', text: `Write it as '${formatDuration(total)}'.`, durations: [total] }
}

function bareReadings(count: number): Readings {
  const [seconds, milliseconds] = [Math.max(1, Math.round(count * 1000)), Math.max(1, Math.round(count))] as const
  return {
    kind: 'bare',
    text: `Seconds? Then '${formatDuration(seconds)}'. Milliseconds? Then '${formatDuration(milliseconds)}'.`,
    durations: count >= MIN_MILLISECONDS ? [milliseconds, seconds] : [seconds, milliseconds],
  }
}

function unitOf(word: string): number {
  return UNITS.find(([pattern]) => pattern.test(word))?.[1] ?? Number.NaN
}
