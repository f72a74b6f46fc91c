/** Why a secret can be guessed. */
export type SecretWeakness = 'placeholder' | 'short' | 'low-entropy'

export const MIN_BYTES = 32

export const MIN_CHARACTERS = 8

export const MIN_BITS = 100

// Longer than any secret; what follows cannot make a good one bad.
const JUDGED = 1024

/** Secrets printed in documentation, in lower case without separators; some would pass for random. */
const SAMPLES = new Set([
  'cnaopyawf60hzjzkcnaopyawf60hzjzk',
  'mq9hdxbvdbspdr6n',
  'mq9hdxbvdbspdr6nlfft1g',
  'averylogphrasebiggerthanthirtytwochars',
  'averylongphrasebiggerthanthirtytwochars',
  'asecretwithminimumlengthof32characters',
  'complexpasswordatleast32characterslong',
  'hunter2',
  'thisisaverylongsecretforsessionsigning',
  'undefined',
  'null',
  'nan',
  'objectobject',
])

/** Phrases that no random secret holds. */
const PHRASES =
  /changeme|changethis|changeit|replaceme|replacethis|replacewith|yoursecret|yoursession|yoursuper|yourkey|yourown|keyboardcat|djangoinsecure|notsosecret|topsecret|mysecret|oursecret|insecuresecret|examplesecret|samplesecret|secrethere|secretgoeshere|putyour|insertyour|enteryour|generateme|todoset|fixme|placeholder|asecretwith|atleast32|donotuse|dontuse|onlyfordev|devonly|defaultsecret|devsecret|processenv|correcthorsebatterystaple|loremipsum/

/** A variable that nobody put a value in for: `${SESSION_SECRET}`, `{{ secret }}`, `<your key>`, `%SECRET%`. */
const TEMPLATE = /^(\$\{.*\}|\$\(.*\)|\{\{.*\}\}|<.*>|%\w+%|\$[A-Z_]+)$/s

/** Nothing but words, one of them said aloud: a generated secret of any length has digits, and none of these. */
const SAID_ALOUD = /^(?=\D*(secret|passw|passphrase))\D*$/i

/** What invented secrets are put together from. */
const WORDS =
  'secret|secrets|password|passphrase|passwd|complex|encryption|encrypt|iron|session|sessions|cookie|cookies|signing|signature|super|duper|ultra|mega|very|really|long|strong|safe|secure|security|private|hidden|random|string|phrase|token|access|auth|jwt|key|keys|hash|salt|value|default|sample|example|demo|test|testing|tests|dev|development|develop|prod|production|staging|local|localhost|server|fastify|express|node|nodejs|app|application|project|website|site|web|api|backend|admin|root|user|login|my|our|your|this|that|the|for|not|and|with|must|should|please|make|sure|use|used|some|any|here|want|whatever|something|anything|somewhat|minimum|maximum|length|least|more|than|bigger|longer|characters|character|chars|char|bytes|bits|thirty|two|one|three|cat|dog|foo|bar|baz|qux|hello|world|welcome|letmein|qwertyuiop|qwerty|asdfghjkl|asdf|zxcvbnm|abcdefghijklmnopqrstuvwxyz|abcdefghijklmnop|abcdefgh|abcdef|abcd|abc|0123456789abcdef|fedcba9876543210|1234567890|0123456789|12345678|123456|1234|123|deadbeef|cafebabe|badc0ffee|is|of|in|to|it|be|at|an'.split(
    '|',
  )

const MAX_WORD = Math.max(...WORDS.map((word) => word.length))

const KNOWN_WORDS = new Set(WORDS)

/** Everything that makes a secret easy to guess; empty for a good one, and for a blank one, which is missing. */
export function weaknessesOf(secret: string): SecretWeakness[] {
  if (secret.trim() === '') return []
  const judged = secret.slice(0, JUDGED)
  return [
    ...(Buffer.byteLength(secret) < MIN_BYTES ? (['short'] as const) : []),
    ...(isMonotonous(judged) ? (['low-entropy'] as const) : []),
    ...(isPlaceholder(judged) ? (['placeholder'] as const) : []),
  ]
}

function isPlaceholder(secret: string): boolean {
  const plain = secret.toLowerCase().replaceAll(/[^a-z0-9]/g, '')
  if (SAMPLES.has(plain) || SAMPLES.has(plain.slice(0, periodOf(plain))) || PHRASES.test(plain)) return true
  if (TEMPLATE.test(secret.trim()) || SAID_ALOUD.test(secret)) return true
  // A short remainder, like the year, makes no secret out of words.
  return plain.length > 0 && uncovered(plain) <= Math.min(6, Math.floor(plain.length / 4))
}

/** How many characters are left when known words cover as much as they can. */
function uncovered(plain: string): number {
  const best = [0]
  for (let end = 1; end <= plain.length; end++) {
    let fewest = (best[end - 1] as number) + 1
    for (let length = 2; length <= Math.min(MAX_WORD, end); length++) {
      const before = best[end - length] as number
      if (before < fewest && KNOWN_WORDS.has(plain.slice(end - length, end))) fewest = before
    }
    best.push(fewest)
  }
  return best[plain.length] as number
}

/** Fewer than 8 distinct characters, or under 100 bits by Shannon; a repetition adds nothing. */
function isMonotonous(secret: string): boolean {
  const unit = secret.slice(0, periodOf(secret))
  const counts = new Map<string, number>()
  for (const character of unit) counts.set(character, (counts.get(character) ?? 0) + 1)
  if (counts.size < MIN_CHARACTERS) return true
  let bits = 0
  for (const count of counts.values()) bits -= count * Math.log2(count / unit.length)
  return bits < MIN_BITS
}

/** The length of the shortest piece that the text is a repetition of (Knuth, Morris and Pratt). */
function periodOf(text: string): number {
  const border = [0]
  for (let index = 1; index < text.length; index++) {
    let length = border[index - 1] as number
    while (length > 0 && text[index] !== text[length]) length = border[length - 1] as number
    border.push(text[index] === text[length] ? length + 1 : 0)
  }
  return text.length - (border.at(-1) as number)
}
