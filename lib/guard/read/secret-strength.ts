import { isDigestOfWord } from './known-digests.ts'
import { isKnownNumber } from './known-numbers.ts'
import { isReference, KNOWN_WORDS, MAX_WORD, PHRASES, SAMPLES, SECRET_FOLDER } from './known-secrets.ts'
import { isRun } from './secret-runs.ts'
import { isSentence, isSpokenPhrase } from './spoken-phrase.ts'

/** The reason why a secret can be guessed. */
export type SecretWeakness = 'placeholder' | 'short' | 'low-entropy'

export const MIN_BYTES = 32

export const MIN_CHARACTERS = 8

export const MIN_BITS = 100

// Longer than any secret; what follows cannot make a good one bad.
const MAX_JUDGED = 1024

/** The number of encodings that are removed: the base64 of the base64 of a text is that text. */
const MAX_DEPTH = 3

/** A word so short that random texts may hold its letters: it counts only when it stands by itself. */
const FIX_ME = /(?:^|[\W_])fix[\W_]?me(?:$|[\W_])/i

/** Everything that makes a secret easy to guess; empty for a good one, and for a blank one, which is missing. */
export function weaknessesOf(secret: string): SecretWeakness[] {
  if (secret.trim() === '') return []
  const judged = secret.slice(0, MAX_JUDGED)
  const contents = contentsOf(judged)
  const isMonotone = isMonotonous(judged) || isRun(judged) || contents.some((bytes) => isRegular(bytes))
  return [
    ...(Buffer.byteLength(secret) < MIN_BYTES ? (['short'] as const) : []),
    ...(isMonotone ? (['low-entropy'] as const) : []),
    ...(isPlaceholder(judged) || contents.some((bytes) => isKnown(bytes)) ? (['placeholder'] as const) : []),
  ]
}

/** Returns the bytes that a text decodes to as hex or base64, decoded again while the result is text. */
function contentsOf(text: string, depth = 0): Buffer[] {
  if (depth === MAX_DEPTH) return []
  const bare = withoutEncoding(text)
  const decoded: Buffer[] = []
  if (/%[\da-f]{2}/i.test(bare)) decoded.push(Buffer.from(unescaped(bare)))
  if (/^([0-9a-f]{2}){8,}$/i.test(bare)) decoded.push(Buffer.from(bare, 'hex'))
  // Node reads both alphabets, and leaves out what belongs to neither.
  if (/^[\w+/-]{16,}$/.test(bare)) decoded.push(Buffer.from(bare, 'base64'))
  return decoded.flatMap((bytes) => [bytes, ...(isText(bytes) ? contentsOf(bytes.toString('latin1'), depth + 1) : [])])
}

/** Leaves out what only says how the rest is written: `base64:`, `0x`, `sha256$`, and the padding. */
function withoutEncoding(text: string): string {
  return text
    .trim()
    .replace(/^(md5|sha-?\d{1,3}|hex|base64(url)?)[:$-]|^0x/i, '')
    .replace(/=+$/, '')
}

function unescaped(text: string): string {
  try {
    return decodeURIComponent(text)
  } catch {
    return text
  }
}

/** Random bytes of the length of a secret are never all printable. */
function isText(bytes: Buffer): boolean {
  return bytes.every((byte) => (byte >= 0x20 && byte < 0x7f) || byte === 0x0a)
}

function isKnown(bytes: Buffer): boolean {
  return isDigestOfWord(bytes) || (isText(bytes) && isPlaceholder(bytes.toString('latin1')))
}

/** Bytes that count up or down, stand still, or repeat a short piece. */
function isRegular(bytes: Buffer): boolean {
  if (bytes.length < 2) return true
  const step = (bytes.readUInt8(1) - bytes.readUInt8(0) + 256) % 256
  const isCounting = bytes.every((byte, index) => index === 0 || byte === (bytes.readUInt8(index - 1) + step) % 256)
  return isCounting || isRepeated(bytes.toString('latin1'))
}

/** A short piece over and over; a repetition adds nothing to it. */
function isRepeated(text: string): boolean {
  const period = periodOf(text)
  return period < MIN_BYTES && period * 2 <= text.length
}

function isPlaceholder(secret: string): boolean {
  if (isReference(secret) || isPath(secret) || isAddress(secret) || isLabelled(secret)) return true
  if (isSpokenPhrase(secret) || isSentence(secret) || FIX_ME.test(secret)) return true
  if (isKnownNumber(plainLetters(secret))) return true
  return [secret, ...spelledOut(secret)].some((text) => isPhrase(text))
}

/** Texts with letters in place of the digits and signs that stand for them; 1 is i or l. */
function spelledOut(secret: string): string[] {
  const letters = secret.replaceAll(/[034578@$!]/g, (sign) => LETTERS[sign] as string)
  return [letters.replaceAll('1', 'i'), letters.replaceAll('1', 'l')]
}

const LETTERS: Readonly<Record<string, string>> = {
  0: 'o',
  3: 'e',
  4: 'a',
  5: 's',
  7: 't',
  8: 'b',
  '@': 'a',
  $: 's',
  '!': 'i',
}

function isPhrase(secret: string): boolean {
  const plain = plainLetters(secret)
  if (SAMPLES.has(plain) || SAMPLES.has(plain.slice(0, periodOf(plain))) || PHRASES.test(plain)) return true
  // A short remainder, like the year, makes no secret out of words.
  return plain.length > 0 && uncovered(plain) <= Math.min(6, Math.floor(plain.length / 4))
}

/** Small letters and digits, with letters in place of the accented ones. */
function plainLetters(text: string): string {
  const spelt = text.toLowerCase().replaceAll(/[äöüß]/g, (letter) => UMLAUTS[letter] as string)
  return spelt.normalize('NFKD').replaceAll(/[^a-z0-9]/g, '')
}

const UMLAUTS: Readonly<Record<string, string>> = { ä: 'ae', ö: 'oe', ü: 'ue', ß: 'ss' }

/** Words that say what a secret is for; each counts only by itself, between separators. */
const LABEL = /^(secrets?|passwords?|passphrase|passwort|geheim\w{0,3}|sessions?|sessionsecret|secretkey)$/i

/** The number of characters that make a secret, if they are random, whatever is written around them. */
const ENOUGH_RANDOM = 16

/** A label with its year, its version and other short words: `session-secret-2024-eu-west-1`. */
function isLabelled(secret: string): boolean {
  const parts = partsOf(secret)
  return parts.some((part) => LABEL.test(part)) && !hasRandom(parts)
}

/** The path of a file, in place of what the file holds: `/run/secrets/session_key`. */
function isPath(secret: string): boolean {
  return SECRET_FOLDER.test(secret.trim()) && !hasRandom(partsOf(secret))
}

const URL_TEXT = /^\s*[a-z][a-z0-9+.-]{1,20}:\/\/(?<rest>.*)$/is

/** A user, or a host with a dot: base64, in which `//` may follow a label by chance, has neither sign. */
const AUTHORITY = /^[^/]*@|^[a-z\d-]+(\.[a-z\d-]+)+([:/?#]|$)/

/** The address of a secret, or of a server with its password. */
function isAddress(secret: string): boolean {
  const rest = URL_TEXT.exec(secret)?.groups?.['rest']
  return rest !== undefined && (AUTHORITY.test(rest) || !hasRandom(partsOf(rest)))
}

function partsOf(secret: string): string[] {
  return secret.split(/[^A-Za-z0-9]+/)
}

function hasRandom(parts: readonly string[]): boolean {
  const random = parts.filter((part) => !/^(\d{1,4}|[A-Z]?[a-z]{1,10}|[A-Z]{1,10})$/.test(part) && !LABEL.test(part))
  return random.join('').length >= ENOUGH_RANDOM
}

/** Returns the number of characters that known words cannot cover. */
function uncovered(plain: string): number {
  const best = [0]
  for (let end = 1; end <= plain.length; end += 1) {
    let fewest = (best[end - 1] as number) + 1
    for (let length = 2; length <= Math.min(MAX_WORD, end); length += 1) {
      const before = best[end - length] as number
      if (before < fewest && KNOWN_WORDS.has(plain.slice(end - length, end))) fewest = before
    }
    best.push(fewest)
  }
  return best[plain.length] as number
}

/**
 * Returns the number of different characters and the bits by Shannon that a random text always reaches. 32 random
 * digits come to 100 bits or less in every second case. They come to 66 bits in every case.
 */
function leastOf(text: string): { characters: number; bits: number } {
  if (/^\d+$/.test(text)) return { characters: 5, bits: 66 }
  return { characters: MIN_CHARACTERS, bits: /^[\da-f-]+$/i.test(text) ? 80 : MIN_BITS }
}

/** Too few distinct characters, or too few bits by Shannon; a repetition adds nothing. */
function isMonotonous(secret: string): boolean {
  if (isRepeated(secret)) return true
  const unit = secret.slice(0, periodOf(secret))
  const counts = new Map<string, number>()
  for (const character of unit) counts.set(character, (counts.get(character) ?? 0) + 1)
  const least = leastOf(unit)
  if (counts.size < least.characters) return true
  let bits = 0
  for (const count of counts.values()) bits -= count * Math.log2(count / unit.length)
  return bits < least.bits
}

/** The length of the shortest piece that the text is a repetition of (Knuth, Morris and Pratt). */
function periodOf(text: string): number {
  const border = [0]
  for (let index = 1; index < text.length; index += 1) {
    let length = border[index - 1] as number
    while (length > 0 && text[index] !== text[length]) length = border[length - 1] as number
    border.push(text[index] === text[length] ? length + 1 : 0)
  }
  return text.length - (border.at(-1) as number)
}
