import type { ConfigFacts } from '../read/config-facts.ts'
import type { Migration } from '../../../types/index.ts'
import { perhaps, remove } from './fix.ts'
import type { Problem, Rule } from './rule.ts'

/** The migrations that are what they should be, with their places. */
function migrationsOf({ options }: ConfigFacts): [path: ['migrateFrom', number], migration: Migration][] {
  return (options.migrateFrom ?? []).flatMap((migration: Migration | undefined, index) =>
    migration === undefined ? [] : [[['migrateFrom', index], migration]],
  )
}

export const migrationOpen: Rule = {
  slug: 'migration-open',
  severity: { production: 'warning', development: null },
  phases: ['register'],
  silenceable: true,
  when: '`migrateFrom` lets in old sessions, or did so until a day that is over',
  why: 'As long as old sessions are let in, the secret, the store and the rules of the old library are part of this app.',
  remedy: 'set `until`, and remove the entry after that day',
  references: ['OWASP ASVS 5.0 13.2'],
  teach: `A way in for old sessions is a second front door. Whoever has the old secret can open it: a former colleague, an old backup, a
repository. Most old sessions are used within days. Set until to the day on which the last old session ends by itself, and remove the
entry from migrateFrom when that day is over.`,
  examples: {
    wrong: {
      options: 'migrateFrom: [expressSession({ secret: process.env.OLD_SESSION_SECRET, store: oldStore, user })]',
    },
    right: { options: 'migrateFrom: []' },
  },
  onConfig: (facts) => migrationsOf(facts).map(([path, migration]) => openProblem(facts, path, migration)),
}

function openProblem(facts: ConfigFacts, path: ['migrateFrom', number], { from, endsAt }: Migration): Problem {
  const at = [facts.at(path)]
  const fixes = [perhaps(remove(path))]
  if (endsAt === Infinity) {
    const text = "Set until to the day on which the last old session ends: until: '2027-03-31'."
    return { at, message: `old sessions of ${from} are let in without an end`, text, fixes }
  }
  const end = new Date(endsAt).toISOString()
  if (endsAt <= (facts.context.now ?? Date.now())) {
    return {
      at,
      message: `no old session of ${from} is let in any more since ${end}`,
      text: 'Remove this entry.',
      fixes,
    }
  }
  const text = 'Remove this entry after that instant.'
  return { at, message: `old sessions of ${from} are let in until ${end}`, text, fixes }
}

/** A way in is open on purpose. */
const ACCEPTED = "silence: [{ rule: 'migration-open', reason: 'until the end of March' }]"

export const migrationSecretWeak: Rule = {
  slug: 'migration-secret-weak',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: 'an old secret in `migrateFrom` is a placeholder or too short: under 32 bytes for sealed sessions, under 16 bytes for signed random ids',
  why: 'Whoever finds a secret that seals whole sessions makes a session of any user, and this app lets it in as a login.',
  remedy: 'leave these sessions out, or accept the risk by `silence`',
  references: ['OWASP ASVS 5.0 11'],
  teach: `Old cookies of cookie-session, iron-session and @fastify/secure-session hold the session themselves. Whoever guesses the key writes
{ userId: 'admin' } into a cookie and is let in. One own cookie is enough to try keys on, offline. The old app was open in the same way, but
its fault need not move along. The ids of express-session and @fastify/session are random too, so a weak secret alone opens no session there.`,
  examples: {
    wrong: { options: `migrateFrom: [cookieSession({ keys: ['keyboard cat'], user })], ${ACCEPTED}` },
    right: { options: `migrateFrom: [cookieSession({ keys: [process.env.OLD_SESSION_SECRET], user })], ${ACCEPTED}` },
  },
  onConfig: (facts) =>
    migrationsOf(facts).flatMap(([path, { from, weakness }]) => {
      if (typeof weakness !== 'string') return []
      const message = `the old secret of ${from} is too weak for what it lets in: ${weakness}`
      const text = 'Leave these sessions out of migrateFrom, so that their users log in again.'
      return [{ at: [facts.at(path)], message, text, fixes: [perhaps(remove(path))] }]
    }),
}

export const migrationCookieShared: Rule = {
  slug: 'migration-cookie-shared',
  severity: { production: 'fatal', development: 'warning' },
  phases: ['register'],
  silenceable: true,
  when: 'an entry of `migrateFrom` has `keepOld`, and its cookie has the name of the cookie of this app',
  why: 'The new cookie takes the place of the old one, so a visitor of the trial is logged out of the old app.',
  remedy: 'another `cookie.name`',
  references: ['RFC 6265bis 5.7'],
  teach: `With keepOld both apps serve the same visitors, each by a cookie of its own. Two apps with one cookie name overwrite the cookie of each
other: the old app meets an id that it never made. Where path or domain differ, a browser sends both cookies, and neither of them counts.`,
  examples: {
    wrong: {
      options: `cookie: { name: '__Host-sid' }, migrateFrom: [expressSession({ secret: process.env.OLD_SESSION_SECRET, store: oldStore, user, cookieName: '__Host-sid', keepOld: true })], ${ACCEPTED}`,
    },
    right: {
      options: `migrateFrom: [expressSession({ secret: process.env.OLD_SESSION_SECRET, store: oldStore, user, cookieName: '__Host-sid', keepOld: true })], ${ACCEPTED}`,
    },
  },
  onConfig: (facts) =>
    migrationsOf(facts).flatMap(([path, { from, keepOld, cookieNames }]) => {
      const { name } = facts.cookie
      if (!keepOld || !cookieNames.some((oldName) => oldName === name)) return []
      const message = `the trial shares the cookie of ${from}, so its visitors are logged out of the old app`
      const text = 'Give this app another cookie.name, or leave keepOld out.'
      const fixes = [perhaps(remove(['cookie', 'name']))]
      return [{ at: [facts.at(path), facts.at(['cookie', 'name'], name)], message, text, fixes }]
    }),
}
