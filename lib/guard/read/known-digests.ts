import { createHash, getHashes } from 'node:crypto'
import { WORDS } from './known-secrets.ts'

/** The passwords that people choose; each is also tried with what people put behind it. */
const PASSWORDS = (
  'secret password passwort passwd pass admin root user login test demo changeme letmein welcome qwerty abc iloveyou monkey dragon ' +
  'hello master sunshine princess football baseball shadow superman batman trustno hunter mysecret supersecret topsecret secretkey ' +
  'sessionsecret session cookie token key foobar foo p@ssw0rd p@ssword passw0rd pa$$word s3cret s3cr3t geheim fastify express'
).split(' ')

const ENDINGS = [
  '',
  '1',
  '12',
  '123',
  '1234',
  '12345',
  '123456',
  '!',
  '1!',
  '123!',
  '2',
  '01',
  '2022',
  '2023',
  '2024',
  '2025',
  '2026',
]

/** Other texts that people hash when they need something that looks random. */
const TEXTS = [
  ...['', 'keyboard cat', 'hello world', 'hello-world', '12345', '1234567', '123456789', 'the quick brown fox'],
  ...'abcdefghijklmnopqrstuvwxyz0123456789'.split(''),
  ...WORDS,
]

/** Names of variables and settings, which are hashed in the place of their values. */
const SETTINGS = ['session', 'cookie', 'super', 'my', 'your', 'app', 'jwt', 'auth', 'dev', 'test', 'the', 'change']
  .flatMap((word) => ['secret', 'key', 'secret-key', 'password', 'me', 'token'].map((noun) => `${word}-${noun}`))
  .flatMap((name) => [name, name.replaceAll('-', '_'), name.replaceAll('-', ' '), name.replaceAll('-', '')])

/**
 * The functions that make digests of a length. The first one is tried with every text, the others with single words.
 */
const HASHES: Readonly<Record<number, readonly [string, ...string[]]>> = {
  16: ['md5'],
  20: ['sha1', 'ripemd160'],
  28: ['sha224', 'sha3-224', 'sha512-224'],
  32: ['sha256', 'sha3-256', 'sha512-256', 'blake2s256'],
  48: ['sha384', 'sha3-384'],
  64: ['sha512', 'sha3-512', 'blake2b512'],
}

const KNOWN = new Map<number, ReadonlySet<string>>()

/**
 * Tells whether bytes are a digest of nothing, of a word or of a password, or two such digests. The digests of a length
 * are made when the first bytes of that length are judged.
 */
export function isDigestOfWord(bytes: Buffer): boolean {
  const hash = HASHES[bytes.length]
  if (hash !== undefined && digestsOfLength(bytes.length, hash).has(bytes.toString('hex'))) return true
  const half = bytes.length / 2
  return Object.hasOwn(HASHES, half) && isDigestOfWord(bytes.subarray(0, half)) && isDigestOfWord(bytes.subarray(half))
}

function digestsOfLength(length: number, [usual, ...others]: readonly [string, ...string[]]): ReadonlySet<string> {
  const known = KNOWN.get(length) ?? new Set([...byUsual(usual), ...others.filter(isHere).flatMap(byOther)])
  KNOWN.set(length, known)
  return known
}

function byUsual(hash: string): string[] {
  return hashedTexts().flatMap((text) => digestsOf(hash, text))
}

/** A function that this build of Node lacks would throw. */
function isHere(hash: string): boolean {
  return getHashes().includes(hash)
}

function byOther(hash: string): string[] {
  return [...TEXTS, ...PASSWORDS].map((text) => createHash(hash).update(text).digest('hex'))
}

/** The digest of a text, of the text as `echo` writes it, and of the digest in hex. */
function digestsOf(hash: string, text: string): string[] {
  const digest = createHash(hash).update(text).digest('hex')
  const others = [`${text}\n`, digest].map((other) => createHash(hash).update(other).digest('hex'))
  return [digest, ...others]
}

function hashedTexts(): string[] {
  const passwords = PASSWORDS.flatMap((word) => ENDINGS.map((ending) => word + ending))
  return [...new Set([...TEXTS, ...SETTINGS, ...passwords])].flatMap((word) => [
    ...new Set([word, word.replace(/^\w/, (letter) => letter.toUpperCase()), word.toUpperCase()]),
  ])
}
