import { formatDuration } from '../../session/duration.ts'

const UNITS: readonly [RegExp, number][] = [
  [/^(ms|msecs?|millis|milliseconds?)$/i, 1],
  [/^(s|secs?|seconds?)$/i, 1000],
  [/^(m|mins?|minutes?)$/i, 60_000],
  [/^(h|hrs?|hours?)$/i, 3_600_000],
  [/^(d|days?)$/i, 86_400_000],
  [/^(w|weeks?)$/i, 604_800_000],
]

/** What a duration without a proper unit may have meant. */
export function readingsOf(shown: string): { text: string; duration: string } {
  const words = shown.replaceAll('"', '')
  const bare = /^(\d{1,9}(?:\.\d{1,9})?)$/.exec(words)
  if (bare !== null) {
    const seconds = formatDuration(Math.max(1, Math.round(Number(words) * 1000)))
    const milliseconds = formatDuration(Math.max(1, Math.round(Number(words))))
    const isLarge = Number(words) >= 100_000
    return {
      text: `Seconds? Then '${seconds}'. Milliseconds? Then '${milliseconds}'.`,
      duration: isLarge ? milliseconds : seconds,
    }
  }
  const parts = [...words.matchAll(/(\d{1,9}(?:\.\d{1,9})?)\s{0,9}([a-z]{1,20})/gi)]
  const total = parts.reduce((sum, [, count, unit]) => sum + Number(count) * unitOf(String(unit)), 0)
  const isRead = parts.length > 0 && Number.isFinite(total) && total >= 1
  const duration = isRead ? formatDuration(Math.round(total)) : '30m'
  return { text: `Give it as one whole number with its unit: ms, s, m, h or d, like '${duration}'.`, duration }
}

function unitOf(word: string): number {
  return UNITS.find(([pattern]) => pattern.test(word))?.[1] ?? Number.NaN
}
