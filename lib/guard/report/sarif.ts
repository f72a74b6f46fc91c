import { RULES } from '../rules/index.ts'
import type { Finding, Severity } from '../../../types/index.ts'
import type { ReportSource } from './json.ts'
import type { Rule } from '../rules/rule.ts'

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  fatal: 'error',
  warning: 'warning',
  info: 'note',
}

/** The findings as SARIF 2.1.0, for code scanning. Silenced ones are in it as suppressed. */
export function renderSarif(findings: readonly Finding[], { version, target, environment }: ReportSource): string {
  const used = RULES.filter(({ slug }) => findings.some(({ rule }) => rule === `session/${slug}`))
  const log = {
    $schema: 'https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json',
    version: '2.1.0',
    runs: [
      {
        tool: {
          driver: {
            name: 'fastify-session-guard',
            semanticVersion: version,
            rules: used.map((rule) => descriptor(rule)),
          },
        },
        properties: { environment },
        results: findings.map((finding) => result(finding, used, target)),
      },
    ],
  }
  return JSON.stringify(log, null, 2)
}

function descriptor({ slug, when, why, remedy, teach, severity }: Rule): object {
  return {
    id: `session/${slug}`,
    name: slug,
    shortDescription: { text: when },
    fullDescription: { text: why },
    help: { text: `${teach}\n\nRemedy: ${remedy}` },
    defaultConfiguration: { level: LEVELS[severity.production] },
  }
}

function result(finding: Finding, used: readonly Rule[], target: string): object {
  const { rule, severity, message, at, why, fix, silenced } = finding
  const places = at.map(({ path, value }) => `${path} = ${value}`).join(', ')
  const remedy = fix.snippet === undefined ? fix.text : `${fix.snippet} — ${fix.text}`
  return {
    ruleId: rule,
    ruleIndex: used.findIndex(({ slug }) => rule === `session/${slug}`),
    level: LEVELS[severity],
    message: { text: `${message} (${places}). ${why} Fix: ${remedy}` },
    locations: [
      {
        physicalLocation: { artifactLocation: { uri: uriOf(target) } },
        logicalLocations: at.map(({ path }) => ({
          fullyQualifiedName: path === '' ? 'options' : path,
          kind: 'member',
        })),
      },
    ],
    // Stable over changes of wording, so that a finding is recognised the next time.
    partialFingerprints: { 'rule/place': `${rule}:${at.map(({ pointer, path }) => pointer || path).join(',')}` },
    ...(silenced === undefined ? {} : { suppressions: [{ kind: 'inSource', justification: silenced.reason }] }),
  }
}

/** A relative file becomes a URI reference; an address is one. */
function uriOf(target: string): string {
  return /^https?:/.test(target) ? target : target.split(/[\\/]/).map(encodeURIComponent).join('/')
}
