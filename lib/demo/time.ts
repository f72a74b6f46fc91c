const UNITS = [
  ['day', 86_400_000],
  ['hour', 3_600_000],
  ['minute', 60_000],
] as const

const INSTANT = new Intl.DateTimeFormat('en-GB', {
  day: 'numeric',
  month: 'short',
  hour: '2-digit',
  minute: '2-digit',
  timeZoneName: 'short',
})

const CLOCK = new Intl.DateTimeFormat('en-GB', { timeStyle: 'medium' })

const DAY = new Intl.DateTimeFormat('en-GB', { day: 'numeric', month: 'short' })

/** Writes a length of time in its largest units: `11 hours 59 minutes`. */
export function inWords(milliseconds: number, units = 2): string {
  let rest = milliseconds
  const words: string[] = []
  for (const [unit, size] of UNITS) {
    const count = Math.floor(rest / size)
    rest %= size
    if (count > 0) words.push(`${count} ${unit}${count === 1 ? '' : 's'}`)
  }
  return words.length === 0 ? 'less than a minute' : words.slice(0, units).join(' ')
}

/** Writes `3 minutes ago` or `just now`. */
export function ago(milliseconds: number): string {
  return milliseconds < 60_000 ? 'just now' : `${inWords(milliseconds, 1)} ago`
}

/** Writes `23 Nov, 23:48 UTC` in the server's time zone, which is also the reader's in a demo. */
export function instant(at: Date): string {
  return INSTANT.format(at)
}

/** Writes `23:48:05`. */
export function clockTime(at: Date): string {
  return CLOCK.format(at)
}

/** Writes `23 Nov`. */
export function day(at: Date): string {
  return DAY.format(at)
}
