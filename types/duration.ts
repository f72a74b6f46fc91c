/**
 * A whole number with its unit: milliseconds, seconds, minutes, hours or days. `'1.5h'` and `'30 m'` are no durations.
 */
export type Duration = `${bigint}${'ms' | 's' | 'm' | 'h' | 'd'}`
