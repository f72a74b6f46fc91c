import { perhaps, remove } from './fix.ts'
import type { Rule } from './rule.ts'

/** Levels at which nobody but the subscriber may hold the session. */
const STRICT: readonly unknown[] = ['aal2', 'aal3']

export const copiedSessionKept: Rule = {
  slug: 'copied-session-kept',
  severity: { production: 'warning', development: 'warning' },
  severityNote: "fatal everywhere with assurance 'aal2' or 'aal3'",
  phases: ['register'],
  silenceable: true,
  when: "`onCopiedSession` is `'step-up'`",
  why: 'A thief who copied the cookie keeps the session, and only what asks for a recent login is out of reach.',
  remedy: 'remove it',
  references: ['NIST SP 800-63B-4 5.1', 'OWASP Session Management Cheat Sheet: renewal timeout'],
  teach: `Two clients that show ids of one session are mostly an owner and a thief. By default the session ends for both, and the owner logs
in again. With 'step-up' the session goes on for both. The login no longer counts as recent, so that requireLogin({ within }) asks for the
password. Every other route serves the thief. The levels aal2 and aal3 promise that the session belongs to the one who logged in.`,
  exception:
    "Clients that really have two cookie jars, as an app shell with two web views, cannot be told from a copy. Guard what matters with requireLogin({ within }), listen to the event replay, and silence this with the reason: silence: [{ rule: 'copied-session-kept', reason: '…' }].",
  examples: {
    wrong: { options: "onCopiedSession: 'step-up'" },
    right: { options: "onCopiedSession: 'end'" },
  },
  onConfig: (facts) => {
    const { onCopiedSession, assurance } = facts.options
    if (onCopiedSession !== 'step-up') return []
    const isStrict = STRICT.includes(assurance)
    return [
      {
        at: [facts.at(['onCopiedSession']), ...(isStrict ? [facts.at(['assurance'])] : [])],
        message: isStrict
          ? `a copied session goes on, which ${String(assurance)} does not allow`
          : 'a copied session goes on for whoever holds it',
        text: 'Remove onCopiedSession, so that a copied session ends.',
        fixes: [perhaps(remove(['onCopiedSession']))],
        ...(isStrict ? { severity: 'fatal' } : {}),
      },
    ]
  },
}
