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

const WORDS: Readonly<Record<Severity, string>> = { fatal: 'fatal', warning: 'a warning', info: 'a note' }

function inWords(level: Severity | null): string {
  return level === null ? 'silent' : WORDS[level]
}

/** `fatal everywhere`; `a warning in production, silent in development`. */
export function severityWords({ severity, severityNote }: Rule): string {
  const { production, development } = severity
  const text =
    production === development
      ? `${inWords(production)} everywhere`
      : `${inWords(production)} in production, ${inWords(development)} in development`
  return severityNote === undefined ? text : `${text}; ${spelledOut(severityNote)}`
}

/** The letters of a note in words. */
function spelledOut(note: string): string {
  return note
    .replace(/\bF\/F\b/, 'fatal everywhere')
    .replace(/\bF\/W\b/, 'fatal in production')
    .replace(/\bW(\/W)?\b/, 'a warning')
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
