import { ONE_MACHINE, perhaps, putStore } from './fix.ts'
import { isUsable } from './store.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Rule } from './rule.ts'

/** The calls of `app.sessions` that a store has no power for. */
function refusedCalls({ store }: ConfigFacts): string[] {
  return [...(store.hasCutoff ? [] : ['revokeAll()']), ...(store.canListAll ? [] : ['all()', 'count()'])]
}

export const storePowersMissing: Rule = {
  slug: 'store-powers-missing',
  severity: { production: 'info', development: null },
  phases: ['register'],
  silenceable: true,
  when: 'the store keeps no cutoff (`raiseCutoff`, `readCutoff`), or cannot list its records (`listAll`, `count`)',
  why: 'After a break-in nobody can end every session at once: app.sessions.revokeAll() and the command revoke --all are refused.',
  remedy: 'a store of this package',
  references: ['OWASP ASVS 5.0 7.4.5'],
  teach: `Ending all sessions is one write in a store that keeps a cutoff: no session that began before the instant is let in again. Listing and
counting need a store that can walk over its records. The stores for SQLite, Redis, PostgreSQL and memory do both. A store of your own, or an
adapted express-session store, may not. Without a cutoff, a change of the secret is what remains: it ends every session too.`,
  examples: {
    wrong: { shown: 'store: expressStore(oldStore)', options: 'store: { ...store, raiseCutoff: undefined }' },
    right: { options: "store: sqliteStore({ database: new Database('sessions.db') })" },
  },
  exception: 'An app that can end all sessions by changing its secret can do without: silence this with that reason.',
  onConfig: (facts) => {
    const calls = isUsable(facts) ? refusedCalls(facts) : []
    // The finding about the user index asks for another store already.
    const isTold = !facts.store.hasUserIndex && facts.options.maxSessions !== undefined
    if (calls.length === 0 || isTold) return []
    return [
      {
        at: [facts.at(['store'])],
        message: `this store cannot do what app.sessions offers: ${calls.join(', ')}`,
        text: 'Take a store of this package, or silence this with the way in which you end all sessions.',
        fixes: [perhaps(putStore(ONE_MACHINE))],
      },
    ]
  },
}
