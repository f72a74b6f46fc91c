import type { EnvironmentName, Finding, FindingLocation, Phase, Severity } from '../../../types/index.ts'
import type { ConfigFacts } from '../read/config-facts.ts'
import type { AnswerFacts, NeighbourFacts, RequestFacts, ScanFacts, SourceSecret } from '../read/phase-facts.ts'
import { describeFix } from './fix.ts'
import type { Fix } from './fix.ts'
import type { CheckContext, EnvironmentInput } from '../read/environment.ts'

/** The severity of a finding under the production rules and under the relaxed rules; `null` for no finding. */
export interface Severities {
  readonly production: Severity
  readonly development: Severity | null
}

/** The result of a rule: the parts of a finding that the rule itself does not say. */
export interface Problem {
  readonly at: FindingLocation[]
  readonly message: string
  readonly text: string
  /** Ways to make it go away, the best first. The first that brings nothing worse is offered. */
  readonly fixes?: readonly Fix[]
  readonly suggestion?: string
  readonly severity?: Severity
  readonly silenceable?: false
}

/** A configuration as source text, so that it can be shown, pasted and tested. */
export interface ConfigExample {
  /** Members of an options object; a good secret, store, `tls` and `maxSessions` are around them. */
  readonly options: string
  readonly environment?: EnvironmentInput
  readonly context?: CheckContext
  /** The facts about neighbours, where there are any. */
  readonly neighbours?: Partial<NeighbourFacts>
  /** The facts about the request, where they differ from https on the app's own host. */
  readonly request?: Partial<RequestFacts>
  /** The facts about the answer to a request, where there are any. */
  readonly answer?: Partial<AnswerFacts>
  /** Source text of a file that is checked. */
  readonly source?: string
  /** The facts that a scan of the deployment shows. */
  readonly scan?: Partial<ScanFacts>
  /** The example that a lesson shows in place of options, for a rule that is about something else. */
  readonly shown?: string
  /** Leaves out the good options that would otherwise be around the example. */
  readonly without?: readonly string[]
}

/** A right configuration for one intention. */
export interface Intention {
  readonly wish: string
  /** Source text; members of an options object where `isOptions` is not `false`. */
  readonly code: string
  readonly isOptions?: false
}

/** One entry of the catalogue: the source of findings, of `explain`, and of the table in the README. */
export interface Rule {
  readonly slug: string
  readonly severity: Severities
  /** An exception to `severity`, in words. */
  readonly severityNote?: string
  readonly phases: readonly Phase[]
  /** `false` where a browser drops the cookie anyway, or the option means nothing. */
  readonly silenceable: boolean
  /** The condition, in words. */
  readonly when: string
  readonly why: string
  /** The remedy, in words. */
  readonly remedy: string
  readonly references: readonly string[]
  /** The lesson of `explain`: the danger, the attack, and the behaviour of browsers. */
  readonly teach: string
  readonly examples: { readonly wrong: ConfigExample; readonly right: ConfigExample }
  /** More right examples, by what their author is after; each member is shown, and judged in a test. */
  readonly intentions?: readonly Intention[]
  /** The case in which another choice is right, and how to declare it. */
  readonly exception?: string
  /** The register phase: what the options alone show. */
  readonly onConfig?: (facts: ConfigFacts) => Problem[]
  /** The ready phase: what the other plugins do. */
  readonly onNeighbours?: (facts: NeighbourFacts, config: ConfigFacts) => Problem[]
  /** The request phase: what the wire shows. */
  readonly onRequest?: (facts: RequestFacts, config: ConfigFacts) => Problem[]
  /** The request phase too: what the answer to a request shows. */
  readonly onAnswer?: (facts: AnswerFacts, config: ConfigFacts) => Problem[]
  /** The source phase: what stands in a file. */
  readonly onSource?: (secrets: readonly SourceSecret[]) => Problem[]
  /** The scan phase: what a deployment shows to the outside. */
  readonly onScan?: (facts: ScanFacts) => Problem[]
}

/** The severity of a rule in an environment; `test` behaves like `development`. */
export function severityOf(rule: Rule, environment: EnvironmentName): Severity | null {
  return environment === 'production' ? rule.severity.production : rule.severity.development
}

/** Picks the fix to offer; `undefined` when none of them helps. */
export type ChooseFix = (rule: Rule, problem: Problem) => Fix | undefined

const chooseNone: ChooseFix = () => undefined

/** A finding out of a rule and what it found; none where the environment silences the rule by itself. */
function findingOf(
  rule: Rule,
  problem: Problem,
  environment: EnvironmentName,
  phase: Phase,
  choose: ChooseFix,
): Finding[] {
  const severity = problem.severity ?? severityOf(rule, environment)
  if (severity === null) return []
  const { text, suggestion } = problem
  const fix = choose(rule, problem)
  return [
    {
      schemaVersion: 1,
      rule: `session/${rule.slug}`,
      severity,
      environment,
      phase,
      silenceable: problem.silenceable ?? rule.silenceable,
      message: problem.message,
      at: problem.at,
      why: rule.why,
      fix: fix === undefined ? { text } : { text, ...describeFix(fix) },
      ...(suggestion === undefined ? {} : { suggestion }),
      references: [...rule.references],
    },
  ]
}

/** The findings out of all that a rule found. */
export function findingsOf(
  rule: Rule,
  problems: readonly Problem[],
  environment: EnvironmentName,
  phase: Phase,
  choose: ChooseFix = chooseNone,
): Finding[] {
  return problems.flatMap((problem) => findingOf(rule, problem, environment, phase, choose))
}
