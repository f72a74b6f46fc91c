import { parseArgs } from 'node:util'
import { CLEAN, plainWord, UsageError } from './io.ts'
import { renderLesson } from '../guard/report/lesson.ts'
import { RULES, ruleNamed } from '../guard/rules/index.ts'
import { closest } from '../guard/read/nearest-name.ts'
import type { Io } from './io.ts'

const HELP = `Usage: fastify-session-guard explain <rule>

Teaches one rule: what goes wrong, how an attacker uses it, what browsers do, the fix, when not
to use it, the standard. The name may be what another tool or stack calls it: W012,
SESSION_COOKIE_SECURE, saveUninitialized.`

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
  if (rule === undefined) {
    const word = plainWord(name)
    throw new UsageError(`There is no ${word === undefined ? 'such rule' : `rule ${word}`}.${suggestion(name)}`)
  }
  io.out(renderLesson(rule, io.columns))
  return CLEAN
}

function suggestion(name: string): string {
  const slug = closest(
    name.replace(/^session\//, ''),
    RULES.map((rule) => rule.slug),
  )
  return slug === undefined ? ' See: fastify-session-guard rules' : ` Did you mean ${slug}?`
}
