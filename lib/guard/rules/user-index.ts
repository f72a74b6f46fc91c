import { ONE_MACHINE, perhaps, putStore, remove, set } from './fix.ts'
import { isUsable } from './store.ts'
import type { Rule } from './rule.ts'

const FIRST_PARTY = `store: ${ONE_MACHINE}`

export const userIndexMissing: Rule = {
  slug: 'user-index-missing',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register'],
  silenceable: true,
  when: '`maxSessions` is used and the store has no user index',
  why: "Without an index nobody can count a user's sessions or find them to end them, so the limit would not hold.",
  remedy: 'a store that has one',
  references: ['OWASP ASVS 5.0 7.4.2'],
  teach: `A store finds a record by its handle. To count a user's sessions, to end them after a change of password, it has to know which ones are
theirs: addToIndex, keepInIndex, removeFromIndex, listIndex. All stores of this package have that; an adapted express-session
store has not.`,
  examples: {
    wrong: { options: 'store: { get() {}, create() {}, update() {}, touch() {}, delete() {} }, maxSessions: 3' },
    right: { options: `${FIRST_PARTY}, maxSessions: 3` },
  },
  onConfig: (facts) => {
    const { store, options } = facts
    if (!isUsable(facts) || store.hasUserIndex || options.maxSessions === undefined) return []
    return [
      {
        at: [facts.at(['maxSessions']), facts.at(['store'])],
        message: "maxSessions needs a store that can list a user's sessions",
        text: 'Take a store of this package, or leave maxSessions out.',
        fixes: [perhaps(putStore(ONE_MACHINE)), perhaps(remove(['maxSessions']))],
      },
    ]
  },
}

export const maxSessionsUnset: Rule = {
  slug: 'max-sessions-unset',
  severity: { production: 'info', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'no `maxSessions`: how many sessions a user may have at once is not said',
  why: 'A stolen password can be used from any number of machines beside its owner, and nobody is told.',
  remedy: '`maxSessions`',
  references: ['OWASP ASVS 5.0 7.1.2'],
  teach: `ASVS asks for a decision on concurrent sessions, not for a number. With a limit, the least recently used session makes room
('evict'), or the new login is refused ('refuse'). Both bound what one stolen password gives.`,
  examples: {
    wrong: { options: '', without: ['maxSessions'] },
    right: { options: 'maxSessions: 10' },
  },
  intentions: [
    { wish: 'The sixth login ends the session that was used least recently', code: 'maxSessions: 5' },
    { wish: 'The second login is refused', code: "maxSessions: { limit: 1, onLimit: 'refuse' }" },
    { wish: 'Staff have less', code: 'maxSessions: (user) => (user.isStaff ? 1 : 10)' },
  ],
  exception:
    'An app whose users see and end their own sessions in a list can do without a number: silence this with that reason.',
  onConfig: (facts) => {
    if (facts.isGiven('maxSessions')) return []
    return [
      {
        at: [facts.at(['maxSessions'])],
        message: 'a user may have any number of sessions',
        text: facts.store.hasUserIndex
          ? 'Set a limit, or silence this with the reason.'
          : "This store cannot count a user's sessions. Take one of this package for a limit, or silence this with the reason.",
        fixes: [perhaps(set(['maxSessions'], 10))],
      },
    ]
  },
}
