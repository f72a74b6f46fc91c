import { closest, plain } from './nearest-name.ts'
import { FOREIGN } from './foreign-options.ts'
import { COOKIE_NAMES, ROOT_NAMES } from './schema.ts'
import type { Path } from './show-value.ts'

/** The meaning of a key that the schema does not know. */
export type StrangeKey =
  | { rule: 'unknown-option'; suggestion?: string }
  | { rule: 'option-wrong-level'; suggestion: string }
  | { rule: 'foreign-option' }

/** Says which rule an unknown key breaks, and which name was probably meant. */
export function judgeKey(path: Path, siblings: readonly string[]): StrangeKey {
  const key = String(path.at(-1))
  if (path.length === 1 && COOKIE_NAMES.includes(key)) {
    return { rule: 'option-wrong-level', suggestion: `cookie.${key}` }
  }
  if (path.length === 2 && path[0] === 'cookie' && ROOT_NAMES.includes(key)) {
    return { rule: 'option-wrong-level', suggestion: key }
  }
  if (Object.hasOwn(FOREIGN, key) && (path.length === 1 || path[0] === 'cookie')) return { rule: 'foreign-option' }
  const suggestion = suggestKey(key, path, siblings)
  return suggestion === undefined ? { rule: 'unknown-option' } : { rule: 'unknown-option', suggestion }
}

function suggestKey(key: string, path: Path, siblings: readonly string[]): string | undefined {
  const others = path.length === 1 ? COOKIE_NAMES : path[0] === 'cookie' ? ROOT_NAMES : []
  return (
    sameLetters(key, siblings) ??
    (path[0] === 'maxSessions' ? limitNamed(key) : undefined) ??
    (path[0] === 'silence' ? silenceNamed(key) : undefined) ??
    qualified(sameLetters(key, others), path) ??
    FOREIGN[sameLetters(key, Object.keys(FOREIGN)) ?? '']?.suggestion ??
    nearest(key, path, siblings, others)
  )
}

/** The names that other libraries have for the two members of a limit. */
function limitNamed(key: string): 'limit' | 'onLimit' | undefined {
  if (/^(max|maximum|count|number|size|amount|sessions|maxsessions|allowed)$/i.test(key)) return 'limit'
  return /^(strategy|policy|action|mode|behaviou?r|overflow|(on|when)[-_]?\w{1,20})$/i.test(key) ? 'onLimit' : undefined
}

/** The names that people give to the members of a silence. */
function silenceNamed(key: string): 'rule' | 'reason' | 'expires' | undefined {
  if (/^(until|till|ends?(At)?|expir(y|ation|esAt)|date|deadline)$/i.test(key)) return 'expires'
  if (/^(why|because|comment|note|justification|rationale)$/i.test(key)) return 'reason'
  return /^(id|name|slug|code|finding)$/i.test(key) ? 'rule' : undefined
}

/** The nearest name of both levels; of two that are equally near, the one of this level. */
function nearest(key: string, path: Path, siblings: readonly string[], others: readonly string[]): string | undefined {
  const name = closest(key, [...siblings, ...others])
  return name === undefined || siblings.includes(name) ? name : qualified(name, path)
}

function sameLetters(key: string, names: readonly string[]): string | undefined {
  return key.length > 64 ? undefined : names.find((name) => plain(name) === plain(key))
}

/** The name as seen from the root, when it belongs to the other level. */
function qualified(name: string | undefined, path: Path): string | undefined {
  if (name === undefined) return undefined
  return path.length === 1 ? `cookie.${name}` : name
}
