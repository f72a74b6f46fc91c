import { closest } from '../read/nearest-name.ts'
import type { FindingLocation } from '../../../types/index.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { Problem, Rule } from './rule.ts'
import type { SilenceEntry, SilenceFlaw } from '../silence.ts'

const FLAWS: Readonly<Record<SilenceFlaw, { says: string; mend: string }>> = {
  'unknown-rule': { says: 'names no rule', mend: 'Correct the name; npx fastify-session-guard rules lists them all.' },
  'no-reason': { says: 'gives no reason', mend: 'Say why this is acceptable here.' },
  'bad-date': { says: 'expires on something that is no ISO date', mend: "Write the date like '2027-01-31'." },
  expired: { says: 'has expired', mend: 'Mend what it silenced, or decide anew and move the date.' },
  'cannot-be-silenced': {
    says: 'is about a rule that cannot be silenced',
    mend: 'Drop it, and mend what the rule is about: a browser would drop the cookie anyway, or the option means nothing.',
  },
}

type FlawedEntry = SilenceEntry & { flaw: SilenceFlaw }

const MOST_ENTRIES = 50

/** `silence[0] = { rule: "domain-wide", reason: missing }`. */
function entryAt({ at }: Pick<ConfigFacts, 'at'>, { index }: SilenceEntry): FindingLocation {
  const parts = (['rule', 'reason', 'expires'] as const).flatMap((part) => {
    const { value } = at(['silence', index, part])
    return part === 'expires' && value === 'missing' ? [] : [`${part}: ${value}`]
  })
  return { ...at(['silence', index]), value: `{ ${parts.join(', ')} }` }
}

function flawProblem(facts: ConfigFacts, entry: FlawedEntry): Problem {
  const { says, mend } = FLAWS[entry.flaw]
  const suggestion = entry.flaw === 'unknown-rule' ? closest(entry.slug, facts.silencing.slugs) : undefined
  return {
    at: [entryAt(facts, entry)],
    message: `silence[${entry.index}] ${says}`,
    text: suggestion === undefined ? mend : `Did you mean ${suggestion}? ${mend}`,
    ...(suggestion === undefined ? {} : { suggestion }),
  }
}

export const silenceInvalid: Rule = {
  slug: 'silence-invalid',
  severity: { production: 'fatal', development: 'fatal' },
  phases: ['register'],
  silenceable: false,
  when: 'an entry of `silence` with an unknown rule, no reason, an expired or malformed date, or a rule that cannot be silenced',
  why: 'An exception nobody can follow up is a hole with a lid on it.',
  remedy: 'mend or drop it',
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
  onConfig: (facts) =>
    facts.silencing.entries
      .filter((entry): entry is FlawedEntry => entry.flaw !== null)
      .slice(0, MOST_ENTRIES)
      .map((entry) => flawProblem(facts, entry)),
}

export const silenceUnused: Rule = {
  slug: 'silence-unused',
  severity: { production: 'warning', development: 'warning' },
  phases: ['register', 'ready'],
  silenceable: true,
  when: 'an entry of `silence` that matches no finding',
  why: 'What it silenced is mended; left in place, it will hide the same mistake when somebody makes it again.',
  remedy: 'drop it',
  references: [],
  teach: `An entry that matches nothing today will match tomorrow, for a reason that nobody has looked at. Drop it with the mistake it was about.`,
  examples: {
    wrong: { options: "silence: [{ rule: 'path-narrow', reason: 'two apps on one host' }]" },
    right: { options: 'silence: []' },
  },
}

/** The entries that matched nothing, as problems of `silence-unused`. */
export function unusedSilences(facts: Pick<ConfigFacts, 'at'>, unused: readonly SilenceEntry[]): Problem[] {
  return unused.slice(0, MOST_ENTRIES).map((entry) => ({
    at: [entryAt(facts, entry)],
    message: `silence[${entry.index}] matches nothing: ${entry.slug} has no finding here`,
    text: 'Drop it.',
  }))
}
