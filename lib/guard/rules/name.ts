import { isAttributeTooBig, isToken, prefixOf, validName } from '../read/cookie-syntax.ts'
import { goodName } from '../read/good-name.ts'
import { perhaps, remove, set } from './fix.ts'
import type { Rule } from './rule.ts'

// Signed and percent-encoded: handle.secret.signature at its longest.
const MAX_VALUE = 196

const MAX_PAIR = 4096

const MAX_ATTRIBUTE = 1024

export const cookieNameInvalid: Rule = {
  slug: 'cookie-name-invalid',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register'],
  silenceable: false,
  when: 'the name is empty, or not a token of RFC 9110',
  why: 'A name with a space, a quote, a separator or a letter outside ASCII is cut, dropped, or breaks other cookies of the response.',
  remedy: 'rename it',
  references: ['RFC 6265bis 4.1.1', 'RFC 9110 5.6.2'],
  teach: `A cookie's name ends at the first =, and the cookie at the first semicolon. A name that contains either, or white space, or a
character outside ASCII, arrives as something else, or not at all. Letters, digits and !#$%&'*+-.^_\`|~ are safe.`,
  examples: {
    wrong: { options: "cookie: { name: 'my session' }" },
    right: { options: "cookie: { name: '__Host-my-session' }" },
  },
  onConfig: (facts) => {
    const { name } = facts.cookie
    if (name === undefined || isToken(name)) return []
    return [
      {
        at: [facts.at(['cookie', 'name'])],
        message: name === '' ? 'the cookie has no name' : 'the cookie name holds characters that a name cannot have',
        text: "Use letters, digits, and !#$%&'*+-.^_`|~ only.",
        fixes: [perhaps(set(['cookie', 'name'], goodName(facts, name)))],
      },
    ]
  },
}

// Names that tell a passer-by which software answers, prefix removed, in lower case.
const FINGERPRINTS =
  /^(connect\.sid|connect\.sess|express\.sid|sails\.sid|koa[.:]sess|koa[.:]sid|sessionid|session_id|phpsessid|jsessionid|asp\.net_sessionid|aspsessionid\w*|\.aspnetcore\.\w+|laravel_session|ci_session|cakephp|symfony|cfid|cftoken|rack\.session|_\w+_session|_session_id|play_session|beaker\.session\.id|next-auth\.session-token|authjs\.session-token|iron-session|wordpress_\w+)$/

export const cookieNameFingerprint: Rule = {
  slug: 'cookie-name-fingerprint',
  severity: { production: 'info', development: null },
  phases: ['register', 'scan'],
  silenceable: true,
  when: 'the name is one that a framework is known by: `connect.sid`, `sessionId`, `PHPSESSID`, `JSESSIONID`, `koa.sess` …',
  why: 'It tells everybody which software answers, or claims to, and invites the attacks that are known for it.',
  remedy: 'a neutral name',
  references: ['OWASP Session Management Cheat Sheet: session ID name fingerprinting'],
  teach: `Scanners sort hosts by the names of their cookies. A name that belongs to one framework puts this app on lists it need not be on.
It is no hole by itself, which is why this is only a note.`,
  examples: {
    wrong: { options: "cookie: { name: '__Host-connect.sid' }" },
    right: { options: "cookie: { name: '__Host-session' }" },
  },
  onConfig: (facts) => {
    const name = validName(facts)
    if (name === undefined || name.length > 80) return []
    const bare = name.slice(prefixOf(name)?.length ?? 0).toLowerCase()
    if (!isFingerprint(bare)) return []
    return [
      {
        at: [facts.at(['cookie', 'name'])],
        message: 'the cookie name tells which software answers',
        text: 'Take a neutral name, or leave it out.',
        fixes: [perhaps(set(['cookie', 'name'], `${prefixOf(name) ?? ''}session`))],
      },
    ]
  },
}

/** Tells whether a name without its prefix, in lower case, belongs to a framework. */
export function isFingerprint(name: string): boolean {
  return FINGERPRINTS.test(name)
}

export const cookieTooBig: Rule = {
  slug: 'cookie-too-big',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register', 'scan'],
  silenceable: false,
  when: 'name and value together are over 4096 bytes, or an attribute is over 1024',
  why: 'Browsers discard a cookie over 4096 bytes and ignore an attribute over 1024.',
  remedy: 'shorten it',
  references: ['RFC 6265bis 5.6'],
  teach: `A browser drops a cookie whose name and value are longer than 4096 bytes. The browser ignores an attribute whose value is longer
than 1024. An overlong Path falls back to a default, and an overlong Domain counts as absent. The session id itself takes some 110 bytes.`,
  examples: {
    wrong: { options: `cookie: { name: '__Host-' + 'x'.repeat(4000) }` },
    right: { options: "cookie: { name: '__Host-session' }" },
  },
  onConfig: (facts) => {
    const { name = '', domain = '', path = '' } = facts.cookie
    const isNameBig = Buffer.byteLength(name) + MAX_VALUE > MAX_PAIR
    const attributes = Object.entries({ domain, path }).filter(([, value]) => isAttributeTooBig(value))
    return [
      ...(isNameBig
        ? [
            {
              attribute: 'name',
              limit: MAX_PAIR - MAX_VALUE,
              change: set(['cookie', 'name'], `${prefixOf(name) ?? ''}session`),
            },
          ]
        : []),
      ...attributes.map(([attribute]) => ({
        attribute,
        limit: MAX_ATTRIBUTE,
        change: attribute === 'path' ? set(['cookie', 'path'], '/') : remove(['cookie', attribute]),
      })),
    ].map(({ attribute, limit, change }) => ({
      at: [facts.at(['cookie', attribute])],
      message: `cookie.${attribute} is too long for browsers: at most ${limit} bytes`,
      text: attribute === 'domain' ? 'Leave domain out.' : 'Shorten it.',
      fixes: [perhaps(change)],
    }))
  },
}
