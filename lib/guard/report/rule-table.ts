import { RULES } from '../rules/index.ts'
import type { Severity } from '../../../types/index.ts'
import type { Rule } from '../rules/rule.ts'

/** Returns the severity of a rule in words: `fatal everywhere`, `fatal in production, warning elsewhere`. */
export function severityText({ severity, severityNote }: Rule): string {
  const text = inWords(severity)
  return severityNote === undefined ? text : `${text}, ${severityNote}`
}

function inWords({ production, development }: { production: Severity; development: Severity | null }): string {
  if (development === null) return `${production} in production`
  if (development === production) return `${production} everywhere`
  return `${production} in production, ${development} elsewhere`
}

/** The catalogue as a Markdown table; the one in the documentation is this one. */
export function renderRuleTable(): string {
  const rows = RULES.map((rule) => {
    const mark = rule.silenceable ? '' : ' ⊘'
    const cells = [`\`${rule.slug}\`${mark}`, severityText(rule), rule.phases.join(', '), rule.when, rule.remedy]
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  })
  return ['| rule | severity | phase | fires when | fix |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}
