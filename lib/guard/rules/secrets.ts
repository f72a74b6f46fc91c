import { MIN_BYTES } from '../read/secret-strength.ts'
import type { ConfigFacts, JudgedSecret } from '../read/config-facts.ts'
import type { Path } from '../read/show-value.ts'
import type { Problem, Rule } from './rule.ts'
import { perhaps, remove, safely, secretFromEnvironment } from './fix.ts'
import type { Fix } from './fix.ts'
import type { SecretWeakness } from '../read/secret-strength.ts'

const GENERATE =
  'Generate one with: npx fastify-session-guard secret — and keep it in the environment, not in the code.'

const MAX_PLACES = 8

/**
 * Returns the problem of weak secrets. Any weak element of a list weakens all elements, because each element verifies
 * cookies and so can forge them.
 */
function weakSecrets(facts: ConfigFacts, isWeak: (secret: JudgedSecret) => boolean, message: string): Problem[] {
  const places = facts.secrets.filter(isWeak).map(({ path }) => path)
  return places.length === 0 ? [] : [problemAt(facts, places, message)]
}

const has =
  (weakness: SecretWeakness) =>
  ({ weaknesses }: JudgedSecret): boolean =>
    weaknesses.includes(weakness)

function problemAt(facts: ConfigFacts, places: readonly Path[], message: string): Problem {
  return {
    at: places.slice(0, MAX_PLACES).map((path) => facts.at(path)),
    message,
    text: GENERATE,
    fixes: [replaced(places)],
  }
}

/** The first secret signs, so that another one takes its place; any other only verifies, and goes. */
function replaced(places: readonly Path[]): Fix {
  const changes = places.map((path) => (Number(path[1] ?? 0) > 0 ? remove(path) : secretFromEnvironment(path)))
  const isList = places.some((path) => path.length > 1)
  const fix = isList ? perhaps(...changes) : safely(...changes)
  return isList ? { ...fix, snippet: ROTATION } : fix
}

const ROTATION = 'secret: [process.env.SESSION_SECRET, process.env.OLD_SESSION_SECRET]'

export const secretMissing: Rule = {
  slug: 'secret-missing',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: false,
  when: '`secret` is absent or empty, also one element of a list; development uses a random one, which ends with the process',
  why: 'The secret signs the cookie. A random one is another one in each process and after each start: everybody is logged out; an empty one is no secret.',
  remedy: '`npx fastify-session-guard secret`',
  references: ['OWASP ASVS 5.0 11'],
  teach: `The signature on the cookie keeps made-up ids away from the store. It needs a key that outlives the process and that all processes
share. In a list such as [process.env.NEW, process.env.OLD], an element may be absent. Its environment variable is not set where you think
it is. An empty key signs what everybody can sign.`,
  examples: {
    wrong: { options: "secret: ''", without: ['secret'] },
    right: { options: 'secret: process.env.SESSION_SECRET' },
  },
  onConfig: (facts) => {
    if (facts.isFaulty('secret')) return []
    const { secret } = facts.options
    const elements: unknown[] = Array.isArray(secret) ? secret : [secret]
    const places = elements.flatMap((element, index) => {
      const path = Array.isArray(secret) ? ['secret', index] : ['secret']
      const isMissing = typeof element === 'string' ? element.trim() === '' : !facts.isFaulty(...path)
      return isMissing ? [path] : []
    })
    if (elements.length === 0) places.push(['secret'])
    return places.length === 0 ? [] : [problemAt(facts, places, missingMessage(facts, places.length < elements.length))]
  },
}

function missingMessage({ environment }: ConfigFacts, hasOthers: boolean): string {
  if (hasOthers) return 'an element of the list of secrets is absent or empty'
  return environment.name === 'production'
    ? 'there is no secret to sign the cookie with'
    : 'there is no secret: a random one signs until this process ends'
}

export const secretShort: Rule = {
  slug: 'secret-short',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: '**any** element is under 32 bytes',
  why: 'A short key can be found by trying: one signed cookie is enough to check guesses against, offline, as fast as the hardware goes.',
  remedy: 'generate one',
  references: ['OWASP ASVS 5.0 11', 'Django security.W009'],
  teach: `Whoever has one cookie of their own has a message with its signature, and can try keys on their own machine, billions a second. 32
random bytes are out of reach for good. In a list every element verifies cookies, so the weakest one counts, also the old one at the end.`,
  examples: {
    wrong: { options: "secret: 'Xk3vQ9zLp2Rw7TnB'" },
    right: { options: 'secret: process.env.SESSION_SECRET' },
  },
  onConfig: (facts) => weakSecrets(facts, has('short'), `the secret is shorter than ${MIN_BYTES} bytes`),
}

export const secretLowEntropy: Rule = {
  slug: 'secret-low-entropy',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: 'fewer than 8 distinct characters, or Shannon entropy × length under 100 bits (80 in hexadecimal, 66 in digits). Or a run of the alphabet, the digits or the keyboard. Or bytes in base64 or hex that count up or repeat. A repetition counts once. Under 32 bytes, `secret-short` says it',
  why: 'Repetitions and few different characters are what guessing programs try first, at any length.',
  remedy: 'generate one',
  references: ['Django security.W009'],
  teach: `Length alone is no strength: 'aaaa…' has 32 bytes and falls at the first guess. What counts is how many equally likely secrets there
could have been. A generated secret of 32 bytes has 256 bits; no text that a person makes up comes near.`,
  examples: {
    wrong: { options: "secret: 'xq'.repeat(32)" },
    right: { options: 'secret: process.env.SESSION_SECRET' },
  },
  onConfig: (facts) => {
    // A short secret has few bits anyway: one finding says it, unless somebody silenced that one.
    const isTold = (secret: JudgedSecret): boolean => has('short')(secret) && !facts.silencing.covers('secret-short')
    const isWeak = (secret: JudgedSecret): boolean => has('low-entropy')(secret) && !isTold(secret)
    return weakSecrets(facts, isWeak, 'the secret is easy to guess, however long it is')
  },
}

export const secretPlaceholder: Rule = {
  slug: 'secret-placeholder',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: 'a sample from documentation, the digest of a word, or words put together (`changeme`, `keyboard cat`, `your-secret…`, leet too). Or a key of another service, or the address of a secret (`arn:…`, a URL). Text that base64 or hex hides is judged too',
  why: 'It is printed in documentation or made of the words that samples are made of: attackers try these lists first.',
  remedy: 'generate one',
  references: ['hyperdxio/hyperdx#3089'],
  teach: `Samples get copied, and what was meant to be changed stays. Lists of such secrets are public, and a scanner needs one cookie to try
them all. Some look random, since somebody generated them once, for a README.`,
  examples: {
    wrong: { options: "secret: 'a secret with minimum length of 32 characters'" },
    right: { options: 'secret: process.env.SESSION_SECRET' },
  },
  onConfig: (facts) =>
    weakSecrets(facts, has('placeholder'), 'the secret is a placeholder: a sample, a phrase, or the name of a secret'),
}

export const secretDuplicate: Rule = {
  slug: 'secret-duplicate',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: 'the same element twice',
  why: 'A rotation that did not happen: the old key is still the new one.',
  remedy: 'remove one',
  references: ['OWASP ASVS 5.0 13.3.4'],
  teach: `A list of secrets rotates keys: the first signs, all verify, and the old one leaves the list when its cookies are gone. The same key
twice means that the new one never arrived, mostly because two environment variables hold the same value.`,
  examples: {
    wrong: { options: 'secret: [process.env.SESSION_SECRET, process.env.SESSION_SECRET]' },
    right: { options: 'secret: [process.env.SESSION_SECRET, process.env.OLD_SESSION_SECRET]' },
  },
  onConfig: (facts) => {
    const seen = new Set<string>()
    const again = facts.secrets.filter(({ text }) => {
      const isAgain = text.trim() !== '' && seen.has(text)
      seen.add(text)
      return isAgain
    })
    if (again.length === 0) return []
    return [
      {
        at: again.slice(0, MAX_PLACES).map(({ path }) => facts.at(path)),
        message: 'the same secret stands in the list twice',
        text: 'Remove one of the two. The first secret signs, all of them verify.',
        fixes: [{ ...safely(...again.map(({ path }) => remove(path))), snippet: ROTATION }],
      },
    ]
  },
}
