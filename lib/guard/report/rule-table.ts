import { RULES } from '../rules/index.ts'
import type { Severity } from '../../../types/index.ts'
import type { Rule } from '../rules/rule.ts'

const LETTERS: Readonly<Record<Severity, string>> = { fatal: 'F', warning: 'W', info: 'I' }

function letter(level: Severity | null): string {
  return level === null ? '–' : LETTERS[level]
}

/** `F/–`: production, development. */
export function severityText({ severity, severityNote }: Rule): string {
  const text = `${letter(severity.production)}/${letter(severity.development)}`
  return severityNote === undefined ? text : `${text}, ${severityNote}`
}

/** The catalogue as a Markdown table; the one in the README is this one. */
export function renderRuleTable(): string {
  const rows = RULES.map((rule) => {
    const mark = rule.silenceable ? '' : ' ⊘'
    const cells = [`\`${rule.slug}\`${mark}`, severityText(rule), rule.phases.join(', '), rule.when, rule.remedy]
    return `| ${cells.map((cell) => cell.replaceAll('|', String.raw`\|`)).join(' | ')} |`
  })
  return ['| rule | severity | phase | fires when | fix |', '| --- | --- | --- | --- | --- |', ...rows].join('\n')
}
