import type { Finding, Severity, SourcePlace } from '../../../types/index.ts'
import type { ReportSource } from './json.ts'
import { bySeverity } from './severities.ts'

const COMMANDS: Readonly<Record<Severity, string>> = { fatal: 'error', warning: 'warning', info: 'notice' }

/** The findings as workflow commands, which GitHub shows beside the code. Silenced ones are left out. */
export function renderGithub(
  findings: readonly Finding[],
  { target, failure }: Pick<ReportSource, 'target' | 'failure'>,
): string {
  const active = bySeverity(findings).filter(({ silenced }) => silenced === undefined)
  const lines = active.map((finding) => annotation(finding, target))
  if (failure === undefined) return lines.join('\n')
  const { message, hint, place } = failure
  const text = `Cannot check ${target}: ${message}${hint === undefined ? '' : `\n${hint}`}`
  return [...lines, `::error ${placeText(place, target)},title=fastify-session-guard::${data(text)}`].join('\n')
}

function annotation({ severity, rule, at, message, why, fix }: Finding, target: string): string {
  const places = at.map(({ path, value }) => `${path} = ${value}`).join(', ')
  const remedy = fix.snippet === undefined ? fix.text : `${fix.snippet}\n${fix.text}`
  const text = `${message} (${places})\n${why}\n${remedy}`
  const place = at.find(({ source }) => source !== undefined)?.source
  return `::${COMMANDS[severity]} ${placeText(place, target)},title=${property(rule)}::${data(text)}`
}

function placeText(place: SourcePlace | undefined, target: string): string {
  if (place === undefined) return `file=${property(target)}`
  return `file=${property(place.file)},line=${place.line},col=${place.column}`
}

/** Escapes line breaks, because a line break would end the command and the next line could be another command. */
function data(text: string): string {
  return text.replaceAll('%', '%25').replaceAll('\r', '%0D').replaceAll('\n', '%0A')
}

function property(text: string): string {
  return data(text).replaceAll(':', '%3A').replaceAll(',', '%2C')
}
