/** A whole number with its unit: milliseconds, seconds, minutes, hours or days. */
export type Duration = `${number}${'ms' | 's' | 'm' | 'h' | 'd'}`
