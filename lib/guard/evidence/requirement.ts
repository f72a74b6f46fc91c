import type { ShownSettings } from './settings.ts'

/** The status of a requirement: who meets it, if anybody. */
export type Status = 'kept' | 'option' | 'yours'

/** One requirement of a standard, in our own words, and what this plugin does about it. */
export interface Requirement {
  /** The number in the standard, or the title of its section. */
  readonly id: string
  /** The lowest level of ASVS that asks for it. */
  readonly level?: 1 | 2 | 3
  readonly asks: string
  readonly status: Status
  /** The way in which the plugin keeps the requirement, the effect of the option, or the work that remains. */
  readonly how: string
  /** The option that decides, for `option`. */
  readonly option?: string
  /** Returns the value of the option, and whether that value meets the requirement, for `option`. */
  readonly judge?: (settings: ShownSettings) => { readonly value: string; readonly isMet: boolean }
  /** Tests of this repository that show it: a file, or a file and a part of a title after `#`. */
  readonly tests: readonly string[]
}

/** A standard, or the part of it that speaks of sessions. */
export interface Standard {
  readonly name: string
  readonly url: string
  readonly requirements: readonly Requirement[]
}

/** A requirement that the plugin keeps whatever the options are. */
export function kept(id: string, asks: string, how: string, tests: readonly string[]): Requirement {
  return { id, asks, status: 'kept', how, tests }
}

/** A requirement that the value of an option decides. */
export function decided(
  id: string,
  asks: string,
  option: string,
  judge: NonNullable<Requirement['judge']>,
  how: string,
  tests: readonly string[],
): Requirement {
  return { id, asks, status: 'option', option, judge, how, tests }
}

/** A requirement that only the app or its operator can meet. */
export function yours(id: string, asks: string, how: string, tests: readonly string[] = []): Requirement {
  return { id, asks, status: 'yours', how, tests }
}

/** Requirements of one ASVS level. */
export function atLevel(level: 1 | 2 | 3, ...requirements: Requirement[]): Requirement[] {
  return requirements.map((requirement) => ({ ...requirement, level }))
}
