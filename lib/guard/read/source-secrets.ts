import type { SourceSecret } from './phase-facts.ts'

/** Comments and texts of JavaScript and TypeScript; what stands in a comment is nobody's secret. */
const TOKEN = /\/\/[^\n]*|\/\*[\s\S]*?\*\/|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\.|[^`\\])*`/g

/** A name that is given a value, or a list of values: `secret: [a, `, `const SESSION_SECRET = `. */
const NAMED = /(?:^|[^\w$.])(\w*secrets?)\b\s*['"]?\s*(?::\s*(?:string\s*)?=?|=)\s*(?:\[[^[\]]*)?$/i

/** The default for a variable that is not set: `process.env.SESSION_SECRET ?? `. */
const FALLBACK = /\b(\w*secret\w*)\b['"]?\]?\s*(?:\?\?|\|\|)\s*$/i

const MAX_BEFORE = 300

const MAX_SOURCE = 1_000_000

const MAX_SECRETS = 50

/**
 * Secrets that stand in source text as literals, also as what stands in for an environment variable. The text is only
 * read.
 */
export function secretsInSource(text: string): SourceSecret[] {
  const found: SourceSecret[] = []
  let before = ''
  let end = 0
  for (const { 0: token, index } of text.slice(0, MAX_SOURCE).matchAll(TOKEN)) {
    before = (before + text.slice(end, index)).slice(-MAX_BEFORE)
    end = index + token.length
    if (token.startsWith('/')) continue
    const name = isLiteral(token) ? nameBefore(before) : undefined
    if (name !== undefined && found.length < MAX_SECRETS) found.push({ name, ...placeOf(text, index) })
    // A key may be a text itself; any other text is only a place in the code.
    before += /^['"]\w*secret\w*['"]$/i.test(token) ? token : "''"
  }
  return found
}

/** A text that is the same each time; an empty one is no secret, and a template may hold a variable. */
function isLiteral(token: string): boolean {
  return token.length > 2 && !(token.startsWith('`') && token.includes('${'))
}

function nameBefore(before: string): string | undefined {
  return (NAMED.exec(before) ?? FALLBACK.exec(before))?.[1]
}

function placeOf(text: string, index: number): { line: number; column: number } {
  const lines = text.slice(0, index).split('\n')
  return { line: lines.length, column: (lines.at(-1) as string).length + 1 }
}
