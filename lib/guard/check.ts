import { firstPointer, fixChooser } from './choose-fix.ts'
import type { Trial } from './choose-fix.ts'
import { describeEnvironment, readEnvironment } from './read/environment.ts'
import { factsOf } from './read/config-facts.ts'
import { readOptions } from './read/read-options.ts'
import { findingsOf, severityOf } from './rules/rule.ts'
import { RULES } from './rules/index.ts'
import { bySeverity } from './report/severities.ts'
import { optionType } from './rules/values.ts'
import { silenceUnused, unusedSilences } from './rules/silence.ts'
import { readSilences, silenceFindings } from './silence.ts'
import { faultsOf } from './read/validate.ts'
import type { Finding } from '../../types/index.ts'
import type { CheckContext, EnvironmentInput } from './read/environment.ts'
import type { ConfigFacts } from './read/config-facts.ts'
import type { SilenceEntry } from './silence.ts'
import type { Fault } from './read/validate.ts'
import type { ChooseFix, Problem, Rule } from './rules/rule.ts'

// Options with a thousand unknown keys are one mistake, and a report of a thousand pages helps nobody.
const MAX_OF_A_RULE = 50

/**
 * Judges options of the plugin as `register` does. Returns all findings, the worst first. Findings of one severity
 * stand in the order of the catalogue. Pure: reads neither files nor `process`, prints nothing, and never throws,
 * whatever the options are.
 *
 * @param options What `register` would get; `undefined` is none.
 * @param environment What `NODE_ENV` says, or an object like `process.env`. Nothing, or an unknown name, is production.
 * The option `environment` wins over it.
 * @param context What else is known about the process and the app.
 * @returns The findings, silenced ones included and marked. Values of secrets never appear in them.
 */
export function checkConfig(options: unknown, environment?: EnvironmentInput, context: CheckContext = {}): Finding[] {
  const facts = readFacts(options, environment, context)
  const { name } = facts.environment
  const choose = fixesFor(facts, environment, context)
  const findings = problemsOf(facts).flatMap(({ rule, problems }) =>
    findingsOf(rule, problems, name, 'register', choose),
  )
  const unused = facts.silencing.entries.filter((entry) => isUnused(entry, findings, facts))
  const unusedFindings = findingsOf(silenceUnused, unusedSilences(facts, unused), name, 'register', choose)
  return bySeverity(silenceFindings([...findings, ...unusedFindings], facts.silencing))
}

/** A value that is no options object breaks one rule, and not every other rule too. */
function problemsOf(facts: ConfigFacts): { rule: Rule; problems: Problem[] }[] {
  const rules = facts.isFaulty() ? [optionType] : RULES
  return rules.map((rule) => ({ rule, problems: (rule.onConfig?.(facts) ?? []).slice(0, MAX_OF_A_RULE) }))
}

/** Tries fixes on the options that facts are about. */
export function fixesFor({ read }: ConfigFacts, environment: EnvironmentInput, context: CheckContext): ChooseFix {
  return fixChooser(read, (tried) => {
    const facts = readFacts(tried.root, environment, context)
    const { name } = facts.environment
    return problemsOf(facts).flatMap(({ rule, problems }) =>
      problems.flatMap((problem) => {
        const severity = problem.severity ?? severityOf(rule, name)
        const isSilenced = (problem.silenceable ?? rule.silenceable) && facts.silencing.covers(rule.slug)
        return severity === null || isSilenced ? [] : trialOf(rule, problem, severity === 'fatal')
      }),
    )
  })
}

function trialOf({ slug }: Rule, { at, fixes = [] }: Problem, isFatal: boolean): Trial {
  return { slug, pointer: firstPointer(at), isFatal, fixes }
}

/** Says in one line which rules apply to options, and why; the second line of a report. */
export function environmentLine(options: unknown, environment?: EnvironmentInput): string {
  return describeEnvironment(readFacts(options, environment, {}).environment)
}

/** Reads everything that rules look at, once. */
export function readFacts(options: unknown, input: EnvironmentInput, context: CheckContext): ConfigFacts {
  const read = readOptions(options)
  const faults = faultsOf(read)
  const environment = readEnvironment(input, read.root['environment'])
  const list: unknown = read.root['silence']
  const entries = Array.isArray(list)
    ? list.map((entry: unknown, index) => (isFlawless(faults, index) ? entry : undefined))
    : []
  const silencing = readSilences(entries, RULES, context.now ?? Date.now())
  return factsOf(read, faults, environment, context, silencing)
}

function isFlawless(faults: readonly Fault[], index: number): boolean {
  return !faults.some(({ path }) => path[0] === 'silence' && (path.length === 1 || path[1] === index))
}

/**
 * Tells whether an entry is known to match nothing. A rule that speaks later, or not in this environment, may still
 * match. An entry for `silence-unused` is used as soon as another entry is unused.
 */
function isUnused(entry: SilenceEntry, findings: readonly Finding[], facts: ConfigFacts): boolean {
  if (entry.flaw !== null || findings.some(({ rule }) => rule === `session/${entry.slug}`)) return false
  const rule = RULES.find(({ slug }) => slug === entry.slug)
  if (rule === undefined || severityOf(rule, facts.environment.name) === null) return false
  if (entry.slug !== silenceUnused.slug) return rule.phases.every((phase) => phase === 'register' || phase === 'scan')
  return !facts.silencing.entries.some((other) => other.slug !== entry.slug && isUnused(other, findings, facts))
}
