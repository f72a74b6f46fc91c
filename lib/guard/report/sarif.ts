import { weaknessesOf } from '../rules/crosswalk.ts'
import { RULES } from '../rules/index.ts'
import type { Finding, Severity, SourcePlace } from '../../../types/index.ts'
import { stringify } from './json.ts'
import type { ReportFailure, ReportSource } from './json.ts'
import type { Rule } from '../rules/rule.ts'
import { bySeverity } from './severities.ts'

const LEVELS: Readonly<Record<Severity, 'error' | 'warning' | 'note'>> = {
  fatal: 'error',
  warning: 'warning',
  info: 'note',
}

/** Scores by which code scanning sorts and filters: high, medium, low. */
const SCORES: Readonly<Record<Severity, string>> = { fatal: '8.0', warning: '5.0', info: '2.0' }

/** The findings as SARIF 2.1.0, for code scanning. Silenced ones are in it as suppressed. */
export function renderSarif(
  findings: readonly Finding[],
  { version, target, environment, failure }: ReportSource,
): string {
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
        ...(failure === undefined ? {} : { invocations: [invocation(failure, target)] }),
        properties: { environment },
        results: bySeverity(findings).map((finding) => result(finding, used, target)),
      },
    ],
  }
  return stringify(log)
}

/** A run that did not come to its end. */
function invocation({ message, hint, place }: ReportFailure, target: string): object {
  const text = hint === undefined ? message : `${message}. ${hint}`
  const notification = { level: 'error', message: { text }, locations: [{ physicalLocation: physical(place, target) }] }
  return { executionSuccessful: false, toolExecutionNotifications: [notification] }
}

function descriptor({ slug, when, why, remedy, teach, severity }: Rule): object {
  const weaknesses = weaknessesOf(slug)
  return {
    id: `session/${slug}`,
    name: slug,
    shortDescription: { text: when },
    fullDescription: { text: why },
    help: { text: `${teach}\n\nRemedy: ${remedy}` },
    helpUri: `https://cwe.mitre.org/data/definitions/${weaknesses[0]}.html`,
    defaultConfiguration: { level: LEVELS[severity.production] },
    properties: {
      tags: ['security', ...weaknesses.map((weakness) => `external/cwe/cwe-${String(weakness).padStart(3, '0')}`)],
      'security-severity': SCORES[severity.production],
    },
  }
}

function result(finding: Finding, used: readonly Rule[], target: string): object {
  const { rule, severity, message, at, why, fix, silenced } = finding
  const places = at.map(({ path, value }) => `${path} = ${value}`).join(', ')
  const remedy = fix.snippet === undefined ? fix.text : `${fix.snippet} — ${fix.text}`
  const place = at.find(({ source }) => source !== undefined)?.source
  return {
    ruleId: rule,
    ruleIndex: used.findIndex(({ slug }) => rule === `session/${slug}`),
    level: LEVELS[severity],
    message: { text: `${message} (${places}). ${why} Fix: ${remedy}` },
    locations: [{ physicalLocation: physical(place, target), logicalLocations: logical(at, target) }],
    // Stable over changes of wording, so that a finding is recognised the next time.
    partialFingerprints: { 'rule/place': `${rule}:${at.map(({ pointer, path }) => pointer || path).join(',')}` },
    ...(silenced === undefined ? {} : { suppressions: [{ kind: 'inSource', justification: silenced.reason }] }),
  }
}

/**
 * Code scanning shows no result without a file and a line. A finding without them stands on the first line of the
 * checked file.
 */
function physical(place: SourcePlace | undefined, target: string): object {
  return {
    artifactLocation: { uri: uriOf(place?.file ?? target) },
    region: place === undefined ? { startLine: 1 } : { startLine: place.line, startColumn: place.column },
  }
}

function logical(at: Finding['at'], target: string): object[] {
  if (isAddress(target)) return [{ fullyQualifiedName: target, kind: 'resource' }]
  const names = new Set(at.map(({ path }) => (path === '' ? 'options' : path)))
  return [...names].map((fullyQualifiedName) => ({ fullyQualifiedName, kind: 'member' }))
}

function isAddress(target: string): boolean {
  return /^https?:/.test(target)
}

/**
 * Returns a file as a URI reference, relative if the file is given so. An address keeps only its host and path, because
 * code scanning takes nothing but files.
 */
function uriOf(target: string): string {
  if (isAddress(target)) return target.replace(/^https?:\/\//, '').replace(/\/$/, '')
  const path = target.split(/[\\/]/).map(encodeURIComponent).join('/')
  return /^[A-Za-z]%3A\//.test(path) ? `file:///${path.replace('%3A', ':')}` : path.replace(/^\//, 'file:///')
}
