import type { Finding, Severity } from '../../../types/index.ts'
import type { ReportSource } from './json.ts'

const COMMANDS: Readonly<Record<Severity, string>> = { fatal: 'error', warning: 'warning', info: 'notice' }

/** The findings as workflow commands, which GitHub shows beside the code. Silenced ones are left out. */
export function renderGithub(findings: readonly Finding[], { target }: Pick<ReportSource, 'target'>): string {
  return findings
    .filter(({ silenced }) => silenced === undefined)
    .map((finding) => annotation(finding, target))
    .join('\n')
}

function annotation({ severity, rule, at, message, why, fix }: Finding, target: string): string {
  const places = at.map(({ path, value }) => `${path} = ${value}`).join(', ')
  const remedy = fix.snippet === undefined ? fix.text : `${fix.snippet}\n${fix.text}`
  const text = `${message} (${places})\n${why}\n${remedy}`
  return `::${COMMANDS[severity]} file=${property(target)},title=${property(rule)}::${data(text)}`
}

/** A line break would end the command, and the next line could be one of its own. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
