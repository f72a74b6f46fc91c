/** Words that say what a secret is, in scripts of which no generator makes secrets. */
const OTHER_SCRIPTS = /парол|секрет|密码|密碼|密钥|密鑰|秘密|パスワード|비밀|암호|μυστικ|κωδικ|סוד|סיסמ|كلمة|سري|पासवर्ड/

/** Words that say what a secret is, in texts that have no digit. */
const SAID = /secret|passw\w{0,3}d|passwort|passphrase/gi

/** Letters of words in a row, as camel case and other separators leave them. */
const PIECES = /[A-Z]+(?![a-z])|[A-Z]?[a-z]+/g

/** The least mean length of the words of a phrase. Random letters of both cases make pieces of two. */
const LEAST_MEAN = 3

/** The most consonants in a row that words have. */
const MOST_CONSONANTS = 5

/** The least part of vowels in words. Random letters have fewer. */
const LEAST_VOWELS = 0.25

/**
 * Tells whether a text is a phrase that says what it is, in whatever words: `our-secret-sauce-is-ketchup`. Random
 * characters behind `secret-` are none.
 */
export function isSpokenPhrase(text: string): boolean {
  if (OTHER_SCRIPTS.test(text)) return true
  const letters = text.normalize('NFKD').replaceAll(/\p{M}/gu, '')
  const rest = letters.replaceAll(SAID, ' ')
  return rest !== letters && !/\d/.test(text) && isOfWords(rest)
}

function isOfWords(text: string): boolean {
  const pieces = text.match(PIECES) ?? []
  const letters = pieces.join('')
  if (letters === '') return true
  const consonants = text.match(/[b-df-hj-np-tv-xz]+/gi) ?? []
  const vowels = letters.match(/[aeiouy]/gi) ?? []
  return (
    letters.length >= LEAST_MEAN * pieces.length &&
    vowels.length >= LEAST_VOWELS * letters.length &&
    consonants.every((run) => run.length <= MOST_CONSONANTS)
  )
}

/** Words that hold sentences together. Lists of words for random passphrases have few of them. */
const JOINTS = new Set(
  'the of and to in is be with you for my our your that this it are not we on at by from was as but have or can'.split(
    ' ',
  ),
)

const LEAST_WORDS = 5

const LEAST_JOINTS = 3

/** Tells whether a text is a sentence: words with nothing else between, and some of those that join words. */
export function isSentence(text: string): boolean {
  const spaced = text.replaceAll(/(?<=[a-z])(?=[A-Z])/g, ' ').toLowerCase()
  const words = spaced.split(/[\s_.,;:!?-]+/).filter((word) => word !== '')
  if (words.length < LEAST_WORDS || !words.every((word) => /^[a-z']+$/.test(word))) return false
  return new Set(words.filter((word) => JOINTS.has(word))).size >= LEAST_JOINTS
}
