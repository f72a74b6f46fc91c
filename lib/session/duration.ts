import type { Duration } from '../../types/index.ts'

const MILLISECONDS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }

const PATTERN = /^(\d{1,15})(ms|s|m|h|d)$/

/** Milliseconds of `'15m'`, `'8h'`, `'30d'`; `undefined` for anything else, bare numbers included. */
export function parseDuration(value: unknown): number | undefined {
  const match = typeof value === 'string' ? PATTERN.exec(value) : null
  if (match === null) return undefined
  const milliseconds = Number(match[1]) * MILLISECONDS[match[2] as keyof typeof MILLISECONDS]
  return Number.isSafeInteger(milliseconds) ? milliseconds : undefined
}

/** The same length of time in its largest whole unit: `90000` is `'90s'`. */
export function formatDuration(milliseconds: number): Duration {
  for (const unit of ['d', 'h', 'm', 's'] as const) {
    if (milliseconds !== 0 && milliseconds % MILLISECONDS[unit] === 0) {
      return `${milliseconds / MILLISECONDS[unit]}${unit}` as Duration
    }
  }
  return `${milliseconds}ms` as Duration
}
