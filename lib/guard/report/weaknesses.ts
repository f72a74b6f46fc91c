/** Numbers of the Common Weakness Enumeration by what a rule's name says; the first row that fits counts. */
const WEAKNESSES: readonly (readonly [RegExp, number])[] = [
  [/^(login-keeps-id|session-id-in-url|login-by)/, 384],
  [/^(logout|timeouts|idle|absolute|remember|renewal|session-ends|sudo|requirelogin|max-sessions|user-index)/, 613],
  [/^httponly/, 1004],
  [/^samesite-none-requires|^(secure-|prefix-|partitioned-requires|cookie-over-http|csrf-cookie)/, 614],
  [/^samesite/, 1275],
  [/^cross-origin/, 352],
  [/^cors/, 942],
  [/^(secret-short|secret-low-entropy|session-id-weak)/, 331],
  [/^secret/, 321],
  [/^(domain|path|duplicate|cookie-set-twice|partitioned|embeddable)/, 668],
  [/^(store-plaintext|session-cacheable)/, 312],
  [/^(tls|trust-proxy|plain-http|https|hsts|login-over-http|store-tls)/, 319],
  [/^(memory-store|store|redis|sweep|clock)/, 664],
]

/** The protection that is left, weaker than the intended one. */
const PROTECTION_FAILURE = 693

/** The number of the weakness (CWE) that a rule guards against. */
export function weaknessOf(slug: string): number {
  return WEAKNESSES.find(([names]) => names.test(slug))?.[1] ?? PROTECTION_FAILURE
}
