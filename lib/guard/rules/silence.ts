import { closest } from '../read/nearest-name.ts'
import { perhaps, remove, safely, set } from './fix.ts'
import type { FindingLocation } from '../../../types/index.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Problem, Rule } from './rule.ts'
import type { SilenceEntry, SilenceFlaw } from '../silence.ts'

const FLAWS: Readonly<Record<SilenceFlaw, { says: string; remedy: string }>> = {
  'unknown-rule': {
    says: 'names no rule',
    remedy: 'Correct the name; npx fastify-session-guard rules lists them all.',
  },
  'no-reason': { says: 'gives no reason', remedy: 'Say why this is acceptable here.' },
  'bad-date': { says: 'expires on something that is no ISO date', remedy: "Write the date like '2027-01-31'." },
  expired: { says: 'has expired', remedy: 'Correct what it silenced, or decide anew and move the date.' },
  'cannot-be-silenced': {
    says: 'is about a rule that cannot be silenced',
    remedy:
      'Remove the entry, and correct what the rule is about: a browser would drop the cookie anyway, or the option means nothing.',
  },
}

type FlawedEntry = SilenceEntry & { flaw: SilenceFlaw }

const MAX_ENTRIES = 50

/** `silence[0] = { rule: "domain-wide", reason: missing }`. */
function entryAt({ at }: Pick<ConfigFacts, 'at'>, { index }: SilenceEntry): FindingLocation {
  const parts = (['rule', 'reason', 'expires'] as const).flatMap((part) => {
    const { value } = at(['silence', index, part])
    return part === 'expires' && value === 'missing' ? [] : [`${part}: ${value}`]
  })
  return { ...at(['silence', index]), value: `{ ${parts.join(', ')} }` }
}

function flawProblem(facts: ConfigFacts, entry: FlawedEntry): Problem {
  const { says, remedy } = FLAWS[entry.flaw]
  const suggestion = entry.flaw === 'unknown-rule' ? closest(entry.slug, facts.silencing.slugs) : undefined
  return {
    at: [entryAt(facts, entry)],
    message: `silence[${entry.index}] ${says}`,
    text: suggestion === undefined ? remedy : `Did you mean ${suggestion}? ${remedy}`,
    ...(suggestion === undefined ? {} : { suggestion }),
    fixes: [
      ...(suggestion === undefined ? [] : [perhaps(set(['silence', entry.index, 'rule'], suggestion))]),
      perhaps(remove(['silence', entry.index])),
    ],
  }
}

export const silenceInvalid: Rule = {
  slug: 'silence-invalid',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register'],
  silenceable: false,
  when: 'an entry of `silence` with an unknown rule, no reason, an expired or malformed date, or a rule that cannot be silenced',
  why: 'An exception without a rule, a reason or a valid date cannot be reviewed, and hides a danger.',
  remedy: 'correct or remove the entry',
  references: [],
  teach: `Silencing a finding is a decision that somebody will ask about. It names one rule, says why, and may say until when: { rule:
'domain-wide', reason: 'one login for shop and forum', expires: '2027-01-31' }. When the day is over the finding counts again, and
the entry is refused, so that nothing stays silent by being forgotten.`,
  examples: {
    wrong: { options: "silence: [{ rule: 'domain-wide', reason: '' }]" },
    right: {
      options: "silence: [{ rule: 'max-sessions-unset', reason: 'devices are many, and shown to their owner' }]",
      without: ['maxSessions'],
    },
  },
  intentions: [
    {
      wish: 'For good',
      code: "cookie: { domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login for shop and forum' }]",
    },
    {
      wish: 'Until a day',
      code: "cookie: { domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'the forum moves in spring', expires: '2099-03-31' }]",
    },
  ],
  onConfig: (facts) =>
    facts.silencing.entries
      .filter((entry): entry is FlawedEntry => entry.flaw !== null)
      .slice(0, MAX_ENTRIES)
      .map((entry) => flawProblem(facts, entry)),
}

export const silenceUnused: Rule = {
  slug: 'silence-unused',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register', 'ready'],
  silenceable: true,
  when: 'an entry of `silence` that matches no finding',
  why: 'The mistake that the entry silenced is gone. The entry would hide the same mistake when somebody makes it again.',
  remedy: 'remove the entry',
  references: [],
  teach: `An entry that matches nothing today may match tomorrow, for a reason that nobody has looked at. Remove the entry together with the
mistake that it was about.`,
  examples: {
    wrong: { options: "silence: [{ rule: 'path-narrow', reason: 'two apps on one host' }]" },
    right: { options: 'silence: []' },
  },
}

/** The entries that matched nothing, as problems of `silence-unused`. */
export function unusedSilences(facts: Pick<ConfigFacts, 'at'>, unused: readonly SilenceEntry[]): Problem[] {
  return unused.slice(0, MAX_ENTRIES).map((entry) => ({
    at: [entryAt(facts, entry)],
    message: `silence[${entry.index}] matches nothing: ${entry.slug} has no finding here`,
    text: 'Remove the entry.',
    fixes: [safely(remove(['silence', entry.index]))],
  }))
}
