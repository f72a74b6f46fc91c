import type { LoginMethod, SessionRecord, UsedMethod } from '../../types/index.ts'

/** The names of RFC 8176, section 2. */
export const METHOD_NAMES: readonly LoginMethod[] = [
  ...(['face', 'fpt', 'geo', 'hwk', 'iris', 'kba', 'mca', 'mfa', 'otp', 'pin', 'pop', 'pwd', 'rba'] as const),
  ...(['retina', 'sc', 'sms', 'swk', 'tel', 'user', 'vbm', 'wia'] as const),
]

const NONE: readonly UsedMethod[] = []

/**
 * Returns the ways that were used before, and those that are used now. A way that is used again has the newer instant.
 * If the clock was set back since, those from before were used now at the latest.
 */
export function withMethods(
  before: readonly UsedMethod[] | undefined = NONE,
  used: readonly LoginMethod[] | undefined = [],
  now: number,
): readonly UsedMethod[] {
  const others = before.filter(({ name }) => !used.some((other) => other === name))
  return [
    ...others.map(({ name, at }) => ({ name, at: Math.min(at, now) })),
    ...used.map((name) => ({ name, at: now })),
  ]
}

/**
 * Returns the ways that still count when the user proves who they are once more. After a replaced id came back, whoever
 * used a way before may have been somebody else.
 */
export function trustedMethods({
  methods,
  isForked,
}: Pick<SessionRecord, 'methods' | 'isForked'>): readonly UsedMethod[] | undefined {
  return isForked && methods !== undefined ? NONE : methods
}

/** Returns the wanted ways that were not used since an instant. */
export function missingMethods(
  used: readonly UsedMethod[] | undefined = NONE,
  wanted: readonly LoginMethod[],
  since: number,
): readonly LoginMethod[] {
  return wanted.filter((name) => !used.some((one) => one.name === name && one.at > since))
}
