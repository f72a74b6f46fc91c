import { fixesFor, readFacts } from './check.ts'
import { findingsOf, severityOf } from './rules/rule.ts'
import { RULES } from './rules/index.ts'
import { silenceUnused, unusedSilences } from './rules/silence.ts'
import { readSilences, silenceFindings } from './silence.ts'
import { environmentOf } from '../options.ts'
import type { EnvironmentName, Finding, Phase, Silence } from '../../types/index.ts'
import type { CheckContext, EnvironmentInput } from './read/environment.ts'
import type { ConfigFacts } from './read/config-facts.ts'
import { secretsInSource } from './read/source-secrets.ts'
import type { AnswerFacts, NeighbourFacts, RequestFacts, ScanFacts } from './read/phase-facts.ts'
import type { ChooseFix, Problem, Rule } from './rules/rule.ts'
import type { SilenceEntry } from './silence.ts'

type Look = (rule: Rule) => Problem[] | undefined

function collect(environment: EnvironmentName, phase: Phase, look: Look, choose?: ChooseFix): Finding[] {
  return RULES.flatMap((rule) => findingsOf(rule, look(rule) ?? [], environment, phase, choose))
}

/** Facts of the ready phase, and what `register` found, by which unused entries of `silence` are told. */
export interface NeighbourContext extends CheckContext {
  readonly earlier?: readonly Finding[]
}

/**
 * Judges what the other plugins of an app do: the ready phase. Pure, never throws.
 *
 * @param options The options that `register` got, and `environment` what `checkConfig` got.
 * @param facts What `probeNeighbours` saw.
 * @returns The findings of this phase only, silenced ones included and marked.
 */
export function checkNeighbours(
  options: unknown,
  environment: EnvironmentInput,
  facts: NeighbourFacts,
  context: NeighbourContext = {},
): Finding[] {
  const config = readFacts(options, environment, context)
  const { name } = config.environment
  const choose = fixesFor(config, environment, context)
  const findings = collect(name, 'ready', (rule) => rule.onNeighbours?.(facts, config), choose)
  const known = [...(context.earlier ?? []), ...findings]
  const unused = config.silencing.entries.filter((entry) => isUnused(entry, known, config))
  const unusedFindings = findingsOf(silenceUnused, unusedSilences(config, unused), name, 'ready')
  return silenceFindings([...findings, ...unusedFindings], config.silencing)
}

/**
 * Entries that `register` had to leave open, since their rule speaks in this phase too; no later phase may still match.
 */
function isUnused({ slug, flaw }: SilenceEntry, known: readonly Finding[], { environment }: ConfigFacts): boolean {
  const rule = RULES.find((candidate) => candidate.slug === slug)
  if (rule === undefined || flaw !== null || severityOf(rule, environment.name) === null) return false
  const isSettled = rule.phases.includes('ready') && !rule.phases.includes('request') && rule !== silenceUnused
  return isSettled && known.every((finding) => finding.rule !== `session/${slug}`)
}

/**
 * The request phase of a running app. The options and the environment are read once, because thousands of requests are
 * judged. Never throws. Each finding is worth saying once. Findings that are silenced are included and marked.
 */
export class RequestPhase {
  readonly #config: ConfigFacts

  constructor(options: unknown, environment: EnvironmentInput, context: CheckContext = {}) {
    this.#config = readFacts(options, environment, context)
  }

  /** Judges what one request shows of the way it came. */
  request(facts: RequestFacts): Finding[] {
    return this.#judge((rule) => rule.onRequest?.(facts, this.#config))
  }

  /** Judges what the answer to one request shows. */
  answer(facts: AnswerFacts): Finding[] {
    return this.#judge((rule) => rule.onAnswer?.(facts, this.#config))
  }

  #judge(look: Look): Finding[] {
    return silenceFindings(collect(this.#config.environment.name, 'request', look), this.#config.silencing)
  }
}

/**
 * Judges the source text of a file: secrets that stand in it as literals. Pure, never throws; the text is not run. Each
 * finding has its place as `line:column` in its only location.
 */
export function checkSource(
  text: string,
  environment: string | undefined,
  silences: readonly Silence[] = [],
): Finding[] {
  const findings = collect(environmentOf(environment), 'source', (rule) => rule.onSource?.(secretsInSource(text)))
  return silenceFindings(findings, readSilences(silences, RULES, Date.now()))
}

/** Judges the facts that a running deployment shows to the outside, except its cookies' attributes: the scan phase. */
export function checkScan(facts: ScanFacts, environment: string | undefined): Finding[] {
  return collect(environmentOf(environment), 'scan', (rule) => rule.onScan?.(facts))
}
