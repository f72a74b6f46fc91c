import { parseArgs } from 'node:util'
import { CLEAN, plainWord, UsageError } from './io.ts'
import { renderLesson } from '../guard/report/lesson.ts'
import { weaknessesOf } from '../guard/rules/crosswalk.ts'
import { RULES, ruleNamed } from '../guard/rules/index.ts'
import { closest } from '../guard/read/nearest-name.ts'
import type { Rule } from '../guard/rules/rule.ts'
import type { Io } from './io.ts'

const HELP = `Usage: fastify-session-guard explain <rule>

Teaches one rule: what goes wrong, how an attacker uses it, what browsers do, the fix, when not
to use it, the standard. The name may be what another tool or stack calls it: W012,
SESSION_COOKIE_SECURE, saveUninitialized. The number of a weakness in CWE, or of a section of
OWASP ASVS 5.0, names all its rules: CWE-614, 3.4.2.`

/** Teaches one rule. */
export async function explain(argv: readonly string[], io: Io): Promise<number> {
  const { values, positionals } = parseArgs({
    args: [...argv],
    allowPositionals: true,
    options: { help: { type: 'boolean', short: 'h' } },
  })
  if (values.help === true) {
    io.out(HELP)
    return CLEAN
  }
  const [name, ...more] = positionals
  if (name === undefined || more.length > 0) throw new UsageError('explain takes the name of one rule.')
  const rule = ruleNamed(name)
  const about = rule === undefined ? slugsAbout(name) : []
  if (about.length > 0) {
    io.out([`Rules about ${name}:`, ...about.map((slug) => `  npx fastify-session-guard explain ${slug}`)].join('\n'))
    return CLEAN
  }
  if (rule === undefined) {
    const word = plainWord(name)
    throw new UsageError(`There is no ${word === undefined ? 'such rule' : `rule ${word}`}.${suggestion(name)}`)
  }
  io.out(renderLesson(rule, io.columns))
  return CLEAN
}

/** Returns the rules about a weakness in CWE, or about a section of OWASP ASVS. */
function slugsAbout(name: string): string[] {
  const [, cwe] = /^cwe-(\d{1,5})$/i.exec(name) ?? []
  const [, section] = /^v?(\d{1,2}(?:\.\d{1,2}){1,2})$/i.exec(name) ?? []
  const isAbout = ({ slug, references }: Rule): boolean =>
    weaknessesOf(slug).includes(Number(cwe)) ||
    references.some((reference) => `${reference}.`.startsWith(`OWASP ASVS 5.0 ${section}.`))
  return RULES.filter(isAbout).map(({ slug }) => slug)
}

function suggestion(name: string): string {
  const slug = closest(
    name.replace(/^session\//, ''),
    RULES.map((rule) => rule.slug),
  )
  return slug === undefined ? ' See: fastify-session-guard rules' : ` Did you mean ${slug}?`
}
