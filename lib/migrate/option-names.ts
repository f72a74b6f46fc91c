import { closest } from '../guard/read/nearest-name.ts'

/** The names of the options of one way in, beside those that every way in has. */
export interface OwnOptions {
  readonly names: readonly string[]
  /** Options of the old library that have another name here. */
  readonly renamed?: Readonly<Record<string, string>>
  /** Options of the old library that mean nothing here, so that its object of options can be spread. */
  readonly unused?: readonly string[]
}

const COMMON = ['user', 'until', 'keepOld', 'remember', 'cookie', 'cookieName']

/**
 * Refuses an option that nobody would read. A misspelt `until` would never end, and a misplaced name of the old cookie
 * would log everybody out.
 * @throws `TypeError`
 */
export function refuseUnknown(name: string, options: object, { names, renamed = {}, unused = [] }: OwnOptions): void {
  const known = [...COMMON, ...names]
  for (const option of Object.keys(options)) {
    if (known.includes(option) || unused.includes(option)) continue
    const shown = JSON.stringify(option.slice(0, 60))
    if (Object.hasOwn(renamed, option)) {
      throw new TypeError(`${name}: what the old library calls ${shown} is ${renamed[option]} here`)
    }
    const near = closest(option, known)
    const hint = near === undefined ? `known are: ${known.join(', ')}` : `did you mean ${near}?`
    throw new TypeError(`${name} has no option ${shown}; ${hint}`)
  }
}
