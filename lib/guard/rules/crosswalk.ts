/** A rule of another tool that speaks of the same thing. */
export interface Counterpart {
  readonly tool: string
  /** The name as the tool prints it. */
  readonly id: string
  /** Slugs of the rules here. */
  readonly rules: readonly string[]
  /** The difference, where the other tool asks for something else. */
  readonly note?: string
}

function of(tool: string, ids: Readonly<Record<string, readonly string[]>>, notes: Notes = {}): Counterpart[] {
  return Object.entries(ids).map(([id, rules]) => {
    const note = notes[id]
    return { tool, id, rules, ...(note === undefined ? {} : { note }) }
  })
}

type Notes = Readonly<Record<string, string>>

/** The names of this guard's rules in other tools. */
export const CROSSWALK: readonly Counterpart[] = [
  ...of('Django check --deploy', {
    'security.W003': ['samesite-none-exposed', 'cross-origin-off'],
    'security.W004': ['hsts-missing'],
    'security.W005': ['hsts-weak'],
    'security.W008': ['https-redirect-missing'],
    'security.W009': ['secret-short', 'secret-low-entropy', 'secret-placeholder'],
    'security.W010': ['secure-required'],
    'security.W011': ['secure-required'],
    'security.W012': ['secure-required'],
    'security.W013': ['httponly-disabled'],
    'security.W014': ['httponly-disabled'],
    'security.W015': ['httponly-disabled'],
    'security.W016': ['csrf-cookie-insecure'],
    'security.W018': ['environment-deployed', 'environment-conflict'],
    'security.W025': ['secret-short', 'secret-low-entropy', 'secret-placeholder'],
  }),
  ...of('MDN HTTP Observatory', {
    'cookies-session-without-secure-flag': ['secure-required'],
    'cookies-session-without-secure-flag-but-protected-by-hsts': ['secure-required'],
    'cookies-session-without-httponly-flag': ['httponly-disabled'],
    'cookies-without-secure-flag': ['csrf-cookie-insecure'],
    'cookies-samesite-flag-invalid': ['samesite-invalid'],
    'cookies-anticsrf-without-samesite-flag': ['samesite-missing'],
    'hsts-not-implemented': ['hsts-missing'],
    'hsts-implemented-max-age-less-than-six-months': ['hsts-weak'],
    'redirection-missing': ['https-redirect-missing'],
    'redirection-not-to-https': ['https-redirect-missing'],
    'cross-origin-resource-sharing-implemented-with-universal-access': ['cors-credentials-reflect'],
  }),
  ...of('helmet', { 'Strict-Transport-Security': ['hsts-missing'] }),
  ...of('OWASP ZAP', {
    '3': ['session-id-in-url'],
    '10010': ['httponly-disabled'],
    '10011': ['secure-required'],
    '10035': ['hsts-missing'],
    '10054': ['samesite-missing', 'samesite-invalid'],
    '10098': ['cors-credentials-reflect'],
    '10202': ['cross-origin-off'],
    '40013': ['login-keeps-id'],
    '90033': ['domain-wide'],
  }),
  ...of(
    'semgrep',
    {
      'express-session-hardcoded-secret': ['secret-in-source'],
      'express-cookie-session-default-name': ['cookie-name-fingerprint'],
      'express-cookie-session-no-secure': ['secure-required'],
      'express-cookie-session-no-httponly': ['httponly-disabled'],
      'express-cookie-session-no-domain': ['domain-wide'],
      'express-cookie-session-no-path': ['path-narrow'],
      'express-cookie-session-no-expires': ['absolute-too-long'],
      'cors-misconfiguration': ['cors-credentials-reflect'],
      'bypass-tls-verification': ['store-tls-unverified'],
    },
    {
      'express-cookie-session-no-domain': 'semgrep asks for a domain, which widens the cookie',
      'express-cookie-session-no-path': 'semgrep asks for any path, `/` included',
      'express-cookie-session-no-expires': 'semgrep asks for a date in the cookie, the server keeps the deadline here',
    },
  ),
]

/** Weaknesses by their number in CWE, and the rules that find them. */
const WEAKNESSES: Readonly<Record<number, readonly string[]>> = {
  16: [
    'unknown-option',
    'option-wrong-level',
    'foreign-option',
    'duplicate-plugin',
    'cors-header-hidden',
    'migration-cookie-shared',
    'silence-invalid',
    'silence-unused',
    'requirelogin-opted-out',
    'cookie-hook-off',
  ],
  20: ['option-type', 'cookie-name-invalid', 'cookie-too-big', 'path-invalid', 'domain-malformed', 'domain-local'],
  200: ['cookie-name-fingerprint'],
  294: ['copied-session-kept', 'device-bound-cookie', 'device-bound-header', 'device-bound-blocked'],
  295: ['store-tls-unverified'],
  311: ['store-plaintext', 'plain-http-in-production', 'https-redirect-missing'],
  319: ['cookie-over-http', 'hsts-missing', 'hsts-weak', 'login-over-http', 'tls-unproven'],
  321: ['secret-reused', 'secret-duplicate'],
  330: ['secret-missing'],
  331: ['secret-low-entropy', 'secret-short', 'migration-secret-weak'],
  334: ['session-id-weak'],
  345: ['prefix-host', 'prefix-secure', 'prefix-http', 'prefix-case', 'prefix-missing'],
  348: ['trust-proxy-all', 'trust-proxy-missing', 'trust-proxy-hop-count'],
  352: ['cross-origin-off', 'samesite-none-exposed', 'login-by-get', 'logout-by-get'],
  362: ['device-bound-store', 'store-weaker', 'store-incomplete', 'memory-store-cluster'],
  384: ['login-keeps-id', 'duplicate-cookie', 'cookie-set-twice'],
  400: ['sweep-unset', 'redis-evicts'],
  459: ['store-ephemeral', 'memory-store'],
  489: ['environment-conflict', 'environment-deployed', 'environment-unknown', 'environment-unset'],
  521: ['secret-placeholder'],
  525: ['session-cacheable'],
  598: ['session-id-in-url'],
  613: [
    'device-bound-lifetime',
    'timeouts-inverted',
    'idle-too-long',
    'absolute-too-long',
    'remember-too-long',
    'renewal-off',
    'duration-unit',
    'logout-keeps-session',
    'clock-skew',
    'max-sessions-unset',
    'user-index-missing',
    'store-powers-missing',
    'migration-open',
  ],
  614: [
    'secure-required',
    'secure-auto',
    'samesite-none-requires-secure',
    'partitioned-requires-secure',
    'csrf-cookie-insecure',
  ],
  654: ['sudo-missing'],
  703: ['store-unreachable'],
  798: ['secret-in-source'],
  942: ['cors-credentials-reflect', 'cors-credentials-wildcard', 'cors-trusted-mismatch'],
  1004: ['httponly-disabled'],
  1021: ['embeddable'],
  1275: ['samesite-invalid', 'samesite-missing', 'partitioned-without-none'],
  1390: ['domain-wide', 'domain-public-suffix', 'path-narrow'],
}

/** CWE-693, a protection that fails: the weakness of a rule that no other number fits. */
const PROTECTION_FAILURE = 693

/** Numbers of the weaknesses in CWE that a rule finds, at least one. */
export function weaknessesOf(slug: string): number[] {
  const found = Object.entries(WEAKNESSES).flatMap(([cwe, slugs]) => (slugs.includes(slug) ? [Number(cwe)] : []))
  return found.length === 0 ? [PROTECTION_FAILURE] : found
}

/** Returns the names of a rule in other tools. */
export function counterpartsOf(slug: string): readonly Counterpart[] {
  return CROSSWALK.filter(({ rules }) => rules.includes(slug))
}

/** The rule that stands for one of another tool: `W012`, `security.W012`, `10011`. */
export function slugFor(name: string): string | undefined {
  const wanted = name.toLowerCase()
  const found = CROSSWALK.find(({ id }) => id.toLowerCase() === wanted || id.toLowerCase().endsWith(`.${wanted}`))
  return found?.rules[0]
}
