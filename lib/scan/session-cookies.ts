import { isFingerprint } from '../guard/rules/name.ts'
import type { SetCookie } from './set-cookie.ts'

/** Names that carry no session, however random their values look. */
const OTHER = new RegExp(
  [
    // Forms, consent, languages and themes.
    /csrf|xsrf|antiforgery|requestverification|captcha|consent|gdpr|dismissed|lang|locale|i18n|theme|tz|timezone|currency|^prefs?$|preference|settings/,
    /callback|return[-_.]?(to|url)|redirect|^next$|referr?er|flash|message|toast/,
    // The steps of a login at an identity provider.
    /(^|[-_.])state$|nonce|pkce|code[-_.]?verifier/,
    // Cultures, messages and trials of frameworks, which have the names of the frameworks.
    /^\.aspnetcore\.(culture|mvc\.)|^wordpress_test_cookie$/,
    // Baskets, devices and releases.
    /(^|[-_])(cart|basket)($|[-_])|device|anonymous|experiment|(^|[-_])geo|^build|^etag$/,
    // Measuring and advertising.
    /^(ai|rl|utm|sbjs|pys|mf|statsig|qualified|xdebug)[-_]|^s_(sess|pers)$|^(wcsid|ttcsid|hblid|olfsk)|^abtasty|^crisp-|^optimizely|^_?clarity/,
    /analytics|track(er|ing)|^fp(id|lc)$|^ide$|^nid$|^_ga|^_gid|^_gcl|^_gat|^_fb[pc]$|^ajs_|^amp_|^amplitude|^mp_|^_hj|^__?hs|^hubspot|^_pk_|^_cl(ck|sk)$|^_uet/,
    /^optanon|^intercom|^_dd_s$|^ab[-_]|visitor|^_scid|^_tt|^_pin|^li_|^muid$|^ph_|^drift|^__stripe/,
    // Load balancers, firewalls and bots.
    /^__?cf|^cf[-_](?!authorization)|affinity|^awsalb|^gclb$|^ts[\da-f]{6,}$|^citrix_ns|^nsc_|^bigip|^serverid$|^route$|^datadome$|^visid_incap|^incap_ses|^nlbi_|^_abck$|^bm_|^ak_/,
    /^reese84$|^_px|^aws-waf|^rdwr/,
    // A signature beside a cookie is no session of its own.
    /\.sig$/,
  ]
    .map(({ source }) => source)
    .join('|'),
  'i',
)

/** Names that speak about a session or a login, and hold neither: `session_timeout`, `last_login`, `auth_provider`. */
const ABOUT =
  /time|expir|hint|provider|method|count|type|start|attempt|source|views?$|user_?name|(^|[-_])(last|has|is|show|first)|last[-_]?login|author|obsess|possess|assess|comment/i

const SESSION =
  /sess|(^|[^a-z])sid($|[^a-z])|sid$|auth|login|remember|(^|[-_.])(access|id|refresh|session|user)?[-_]?token$|jwt|^id$/i

/** A JSON Web Token, signed or encrypted: whoever has one is somebody. */
const TOKEN = /^(Bearer(\s|%20))?eyJ[\w-]{8,}\.[\w-]*\.[\w-]+/

/** 128 random bits and more, in the alphabets that ids are written in; express signs with an `s:` before it. */
const ID = /^(s(:|%3A))?[\w.~+/=%-]{22,}$/

/** Values that say yes or no, and identify nobody. */
const FLAG = /^(true|false|yes|no|on|off|0|1|null|undefined|none|deleted)$/i

/** Names that stand for a session id, and for nothing about it as `session_timeout` does. */
const IS_ID = /(^|[._:-])(sid|sess|session|session[._-]?id)$/

/** Names of a login, whose values are believed to be one however short they are. */
const IS_LOGIN = /^(auth|login|id|jwt|remember[-_]?me)$|token$/

/** The shortest value that a name which only speaks of a session or a login makes an id. */
const MIN_LENGTH = 16

/** The beginning of a cookie that iron-session sealed. */
const SEALED = /^Fe26\.2(\*|%2A)/i

/** Tells whether a cookie carries a session, by its name (of any stack) or by its shape. */
export function isSessionCookie({ name, value, httpOnly }: SetCookie): boolean {
  if (SEALED.test(value)) return true
  const bare = bareName(name)
  if (OTHER.test(bare)) return false
  if (isFingerprint(bare)) return true
  if (TOKEN.test(value)) return true
  const isNamed = bare.includes('sess') && !ABOUT.test(bare)
  if (FLAG.test(value) || isPlace(value) || (isReadable(value) && !isNamed)) return false
  if (httpOnly && ID.test(value)) return true
  // `authMode=sso` and `session_day=20270131` identify nobody.
  const isId = IS_ID.test(bare) || IS_LOGIN.test(bare)
  if (!isId && (value.length < MIN_LENGTH || /^\d+$/.test(value))) return false
  return isNamed || (SESSION.test(bare) && !ABOUT.test(bare))
}

/** Tells whether the value of a session cookie is its id, as far as the name tells. */
export function isIdByName({ name, value }: SetCookie): boolean {
  const bare = bareName(name)
  return !FLAG.test(value) && (isFingerprint(bare) || IS_ID.test(bare))
}

/** Tells whether the session itself stands in a cookie: sealed, signed, or as JSON that anybody can read. */
export function isSelfContained(value: string): boolean {
  const text = decoded(value)
  if (SEALED.test(text) || isReadable(text)) return true
  // Flask and JSON Web Tokens begin with base64 JSON, large sessions of Flask with `.eJ`; Rails has two dashes after
  // the ciphertext.
  const [first = '', ...rest] = text.replace(/^s:/, '').split(/\.|--/)
  return (rest.length > 0 && isReadable(first)) || /^\.eJ|^[\w+/=-]{40,}--[\w+/=-]{16,}/.test(text)
}

function bareName(name: string): string {
  return name.replace(/^__(host-http|host|http|secure)-/i, '').toLowerCase()
}

/** Tells whether a value is an address: a URL or a path. */
function isPlace(value: string): boolean {
  return /^(https?:)?\//i.test(decoded(value).replace(/^"/, ''))
}

/** Tells whether a value is JSON that anybody can read, plain or in base64. */
function isReadable(value: string): boolean {
  const text = decoded(value)
  return isJson(text) || isJson(Buffer.from(text.replace(/^\./, ''), 'base64').toString('utf8'))
}

function isJson(text: string): boolean {
  try {
    const value: unknown = JSON.parse(text)
    return typeof value === 'object' && value !== null
  } catch {
    return false
  }
}

function decoded(value: string): string {
  try {
    return decodeURIComponent(value)
  } catch {
    return value
  }
}
