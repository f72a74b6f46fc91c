import { LIFETIMES } from '../../options.ts'
import { formatDuration, parseDuration } from '../../session/duration.ts'
import { LIFETIME_ORDER } from '../read/sound-lifetimes.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import { inOrder } from './repairs.ts'
import type { SetChange } from './fix.ts'
import type { Duration } from '../../../types/index.ts'
import type { Lifetimes } from '../../options.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Problem, Rule } from './rule.ts'

type Lifetime = keyof Lifetimes

/** Beyond these, a lifetime is long whatever the app is for. */
const MAX_LIFETIMES = { idleTimeout: '24h', absoluteTimeout: '30d', rememberTimeout: '400d' } as const

/** A lifetime that is in force: one of the wrong shape is judged by another rule. */
function has(facts: ConfigFacts, ...names: Lifetime[]): boolean {
  return names.every((name) => !facts.isFaulty(name)) && !facts.isFaulty('assurance')
}

function isLonger(milliseconds: number, limit: Duration): boolean {
  return milliseconds > (parseDuration(limit) as number)
}

const ORDER: readonly { short: Lifetime; long: Lifetime; reason: string }[] = [
  { short: 'idleTimeout', long: 'absoluteTimeout', reason: 'a session cannot idle for longer than it lives' },
  { short: 'renewalTimeout', long: 'idleTimeout', reason: 'a session would end before its id was ever replaced' },
  { short: 'absoluteTimeout', long: 'rememberTimeout', reason: 'a remembered login would end before one that is not' },
]

function inversion(facts: ConfigFacts, { short, long, reason }: (typeof ORDER)[number]): Problem[] {
  const { lifetimes } = facts
  // A level that means nothing leaves defaults open, and what is given stands.
  const isSaid = [short, long].every((name) => facts.isGiven(name) && !facts.isFaulty(name))
  if ((!isSaid && !has(facts, short, long)) || lifetimes[short] <= lifetimes[long]) return []
  const shorter = formatDuration(lifetimes[short])
  const longer = formatDuration(lifetimes[long])
  return [
    {
      at: [facts.at([short], shorter), facts.at([long], longer)],
      message: `${short} ${shorter} is longer than ${long} ${longer}: ${reason}`,
      text: `Make ${short} at most ${long}.`,
      fixes: [inOrder(facts, short, long)],
    },
  ]
}

export const timeoutsInverted: Rule = {
  slug: 'timeouts-inverted',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register'],
  silenceable: false,
  when: '`idleTimeout` over `absoluteTimeout`, `renewalTimeout` over `idleTimeout`, or `rememberTimeout` under `absoluteTimeout`',
  why: 'One of the two can never take effect, so the session does not end when the options say it does.',
  remedy: 'put them in order: renewal ≤ idle ≤ absolute ≤ remember',
  references: ['OWASP ASVS 5.0 7.1.1'],
  teach: `Four clocks run: renewalTimeout replaces the id, idleTimeout ends a session nobody uses, absoluteTimeout ends one however busy,
rememberTimeout does that for a remembered login. In any other order one of them is dead text, mostly because two units were mixed up.`,
  examples: {
    wrong: { options: "idleTimeout: '8h', absoluteTimeout: '1h'" },
    right: { options: "idleTimeout: '1h', absoluteTimeout: '8h'" },
  },
  onConfig: (facts) => ORDER.flatMap((pair) => inversion(facts, pair)),
}

/** The limit of the assurance level that the app claims, or the general one. */
function limitOf(facts: ConfigFacts, lifetime: 'idleTimeout' | 'absoluteTimeout'): Duration {
  const { assurance } = facts.options
  return assurance === undefined ? MAX_LIFETIMES[lifetime] : LIFETIMES[assurance][lifetime]
}

export const idleTooLong: Rule = {
  slug: 'idle-too-long',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: '`idleTimeout` is beyond the assurance level (aal2 1 h, aal3 15 min), or over 24 h',
  why: 'An unattended screen, or a copied cookie, stays logged in for that long after its last use.',
  remedy: 'shorten it, or silence it with the reason',
  references: ['NIST SP 800-63B-4 2.2.3, 2.3.3', 'OWASP ASVS 5.0 7.3.1'],
  teach: `Most sessions are not logged out; they are left. The idle timeout is how long a shared computer, or a cookie copied from a backup,
keeps working afterwards. NIST allows an hour at AAL2 and 15 minutes at AAL3. For a longer stay on one's own device there is
login(user, { remember: true }). Let the sensitive parts ask for a recent login: requireLogin({ within: '10m' }).`,
  examples: {
    wrong: { options: "idleTimeout: '3d', absoluteTimeout: '7d'" },
    right: { options: "idleTimeout: '1h'" },
  },
  onConfig: (facts) => {
    const limit = limitOf(facts, 'idleTimeout')
    if (!has(facts, 'idleTimeout') || !isLonger(facts.lifetimes.idleTimeout, limit)) return []
    return [
      {
        at: [facts.at(['idleTimeout'])],
        message: `idleTimeout is over ${limit}${levelOf(facts)}`,
        text: `Shorten it to ${limit} or less, or silence this with the reason.`,
        fixes: [
          perhaps(set(['idleTimeout'], limit)),
          perhaps(set(['idleTimeout'], limit), ...shorterRenewal(facts, limit)),
        ],
      },
    ]
  },
}

/** Shortens every lifetime that the options give to a limit. */
function downTo(facts: ConfigFacts, limit: Duration): SetChange[] {
  return LIFETIME_ORDER.filter((name) => facts.isGiven(name) && !facts.isFaulty(name))
    .filter((name) => isLonger(facts.lifetimes[name], limit))
    .map((name) => set([name], limit))
}

function shorterRenewal(facts: ConfigFacts, limit: Duration): SetChange[] {
  return isLonger(facts.lifetimes.renewalTimeout, limit) ? [set(['renewalTimeout'], limit)] : []
}

function levelOf(facts: ConfigFacts): string {
  return facts.options.assurance === undefined ? '' : `, the limit of ${facts.options.assurance}`
}

export const absoluteTooLong: Rule = {
  slug: 'absolute-too-long',
  severity: { production: 'warning', development: null },
  severityNote: 'fatal in production at aal3 over 12 h',
  phases: ['register'],
  silenceable: true,
  when: '`absoluteTimeout` is over 30 d, at aal2 over 24 h, at aal3 over 12 h; there `rememberTimeout` too',
  why: 'A stolen session that is kept busy lives until the absolute deadline, and nothing else ends it.',
  remedy: 'shorten it',
  references: ['NIST SP 800-63B-4 2.1.3, 2.2.3, 2.3.3', 'OWASP ASVS 5.0 7.3.2'],
  teach: `A thief keeps a session from idling out with one request now and then. Only the absolute timeout, counted from the login, ends it.
NIST asks for a new login after 30 days at AAL1, 24 hours at AAL2 and 12 hours at AAL3, remembered or not.`,
  examples: {
    wrong: { options: "absoluteTimeout: '90d'" },
    right: { options: "absoluteTimeout: '7d'" },
  },
  onConfig: (facts) => {
    const limit = limitOf(facts, 'absoluteTimeout')
    const { assurance } = facts.options
    const names: Lifetime[] = assurance === undefined ? ['absoluteTimeout'] : ['absoluteTimeout', 'rememberTimeout']
    const long = names
      .filter((name) => has(facts, name) && facts.isGiven(name) && isLonger(facts.lifetimes[name], limit))
      .filter((name) => name !== 'rememberTimeout' || !isLonger(facts.lifetimes[name], MAX_LIFETIMES.rememberTimeout))
    if (long.length === 0) return []
    return [
      {
        at: long.map((name) => facts.at([name])),
        message: `${long.join(' and ')} over ${limit}${levelOf(facts)}`,
        text: `Shorten to ${limit} or less.`,
        fixes: [
          ...(assurance === 'aal3' ? [inOrder(facts, ...long)] : []),
          perhaps(...long.map((name) => set([name], limit))),
          perhaps(...downTo(facts, limit)),
        ],
        ...(assurance === 'aal3' ? { severity: facts.environment.name === 'production' ? 'fatal' : 'warning' } : {}),
      },
    ]
  },
}

export const rememberTooLong: Rule = {
  slug: 'remember-too-long',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register', 'scan'],
  silenceable: true,
  when: '`rememberTimeout` is over 400 days',
  why: 'Browsers cut the lifetime of every cookie at 400 days, so the promise cannot be kept.',
  remedy: 'shorten it',
  references: ['RFC 6265bis 5.5'],
  teach: `However far in the future Max-Age points, browsers keep a cookie for 400 days at most. The server would go on holding sessions that
no browser can present, but a copied cookie can.`,
  examples: {
    wrong: { options: "rememberTimeout: '500d'" },
    right: { options: "rememberTimeout: '90d'" },
  },
  onConfig: (facts) => {
    const { rememberTimeout } = facts.lifetimes
    if (!has(facts, 'rememberTimeout') || !isLonger(rememberTimeout, MAX_LIFETIMES.rememberTimeout)) return []
    return [
      {
        at: [facts.at(['rememberTimeout'], formatDuration(facts.lifetimes.rememberTimeout))],
        message: 'rememberTimeout is over 400 days, and browsers keep no cookie longer',
        text: 'Shorten it to 400d or less.',
        fixes: [perhaps(set(['rememberTimeout'], '400d')), perhaps(...downTo(facts, '400d'))],
      },
    ]
  },
}

export const renewalOff: Rule = {
  slug: 'renewal-off',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: '`renewalTimeout` is 0',
  why: 'The same session id is good until the session ends, so a copied cookie is never found out.',
  remedy: 'turn it on',
  references: ['OWASP Session Management Cheat Sheet: renewal timeout'],
  teach: `Renewal replaces the id of a busy session every few minutes. An id that leaked into a log or a backup soon opens nothing. When the
thief and the owner both come with ids of the same session, the plugin notices and ends the session. Without renewal neither happens.`,
  examples: {
    wrong: { options: "renewalTimeout: '0s'" },
    right: { options: "renewalTimeout: '15m'" },
  },
  onConfig: (facts) => {
    if (!has(facts, 'renewalTimeout') || facts.lifetimes.renewalTimeout !== 0) return []
    return [
      {
        at: [facts.at(['renewalTimeout'])],
        message: 'the session id is never replaced by age',
        text: 'Leave it out, or give it a duration.',
        fixes: [safely(remove(['renewalTimeout']))],
      },
    ]
  },
}
