import { LIFETIMES } from '../../options.ts'
import { parseDuration } from '../../session/duration.ts'
import { readingsOf } from './duration-readings.ts'
import type { Lifetimes } from '../../options.ts'
import type { ConfigFacts } from './config-facts.ts'

/** The lifetimes, from the shortest to the longest. */
export const LIFETIME_ORDER = ['renewalTimeout', 'idleTimeout', 'absoluteTimeout', 'rememberTimeout'] as const

const MINUTE = 60_000
const HOUR = 60 * MINUTE
const DAY = 24 * HOUR

/** The range that apps choose from. If a number has two readings, the reading inside the range was meant. */
const USUAL: Readonly<Record<keyof Lifetimes, readonly [least: number, most: number]>> = {
  renewalTimeout: [MINUTE, HOUR],
  idleTimeout: [MINUTE, DAY],
  absoluteTimeout: [HOUR, 30 * DAY],
  rememberTimeout: [DAY, 400 * DAY],
}

/**
 * The lifetimes that come nearest to the options and stand in order, in milliseconds. A lifetime that the options give
 * is only ever shortened, to the next longer one or to what `assurance: 'aal3'` insists on. A lifetime that is no
 * duration is read so that it fits.
 */
export function soundLifetimes(facts: ConfigFacts): Lifetimes {
  const sound = { ...facts.lifetimes }
  let cap = Infinity
  for (const name of LIFETIME_ORDER.toReversed()) {
    if (isMeaningless(facts, name)) continue
    sound[name] = cap = Math.min(cap, sound[name], insisted(facts, name))
  }
  for (const name of LIFETIME_ORDER) {
    if (isMeaningless(facts, name)) sound[name] = meantBy(facts, name, sound)
  }
  return sound
}

/** The reading of a number that fits between the other lifetimes, or comes nearest. */
function meantBy(facts: ConfigFacts, name: keyof Lifetimes, sound: Lifetimes): number {
  const place = LIFETIME_ORDER.indexOf(name)
  // Shorter defaults give way to what the app chose, except for the absolute one.
  const shorter = LIFETIME_ORDER.slice(0, place).filter((other) => facts.isGiven(other) || other === 'absoluteTimeout')
  const longer = LIFETIME_ORDER.slice(place + 1).filter((other) => !isMeaningless(facts, other))
  const least = Math.max(1, ...shorter.map((other) => sound[other]))
  const most = Math.min(insisted(facts, name), ...longer.map((other) => sound[other]))
  const [usualLeast, usualMost] = USUAL[name]
  const { durations } = readingsOf(facts.given([name]))
  const meant =
    durations.find((reading) => reading >= usualLeast && reading <= usualMost) ?? durations[0] ?? facts.lifetimes[name]
  return Math.min(most, Math.max(least, meant))
}

/** Given, and no duration: without a unit, negative, of another type. */
function isMeaningless(facts: ConfigFacts, name: keyof Lifetimes): boolean {
  return facts.isFaulty(name)
}

/** The absolute limits of NIST AAL3, over which production does not start; `AAL3` means them too. */
function insisted(facts: ConfigFacts, name: keyof Lifetimes): number {
  const isAbsolute = name === 'absoluteTimeout' || name === 'rememberTimeout'
  const assurance = facts.given(['assurance'])
  const isStrict = typeof assurance === 'string' && /^\s{0,9}aal3\s{0,9}$/i.test(assurance)
  return isStrict && isAbsolute ? (parseDuration(LIFETIMES.aal3[name]) as number) : Infinity
}
