import t from 'tap'
import { renderLesson } from '../../lib/guard/report/lesson.ts'
import { renderRuleTable } from '../../lib/guard/report/rule-table.ts'
import { RULES, ruleNamed } from '../../lib/guard/rules/index.ts'
import { guide } from '../support/guides.ts'

t.test('a slug names one rule, and is fit for a URL', async (t) => {
  const slugs = RULES.map(({ slug }) => slug)
  t.equal(new Set(slugs).size, slugs.length)
  t.strictSame(
    slugs.filter((slug) => !/^[a-z]+(-[a-z]+)*$/.test(slug)),
    [],
  )
})

t.test('a rule is found by slug and by id', async (t) => {
  t.equal(ruleNamed('domain-wide')?.slug, 'domain-wide')
  t.equal(ruleNamed('session/domain-wide')?.slug, 'domain-wide')
  t.equal(ruleNamed('session/nothing'), undefined)
})

t.test('each rule speaks in the phases that it claims', async (t) => {
  for (const { slug, phases, onConfig, onNeighbours, onRequest, onScan } of RULES) {
    const isSilenceUnused = slug === 'silence-unused'
    t.equal(phases.includes('register'), onConfig !== undefined || isSilenceUnused, `${slug} register`)
    t.equal(phases.includes('ready'), onNeighbours !== undefined || isSilenceUnused, `${slug} ready`)
    t.equal(phases.includes('request'), onRequest !== undefined, `${slug} request`)
    // Cookies on the wire are judged by the rules that judge options.
    if (onScan !== undefined) t.ok(phases.includes('scan'), `${slug} scan`)
  }
})

t.test('every rule says why, what to do, and teaches', async (t) => {
  for (const rule of RULES) {
    const lesson = renderLesson(rule)
    for (const part of [rule.when, rule.why, rule.remedy, rule.teach]) t.ok(part.length > 3, rule.slug)
    t.match(lesson, `session/${rule.slug}`)
    const isForOptions = rule.phases.some((phase) => phase !== 'scan')
    t.match(lesson, rule.silenceable && isForOptions ? `silence: [{ rule: '${rule.slug}'` : 'not possible')
    t.notMatch(lesson, '`', 'backticks are for Markdown')
    const [wrong, right] = ['Wrong', 'Right'].map((word) => new RegExp(`^  ${word} {8}(.+)$`, 'm').exec(lesson)?.[1])
    t.ok(wrong !== undefined && right !== undefined && wrong !== right, `${rule.slug} shows two examples that differ`)
  }
})

t.test('the table of rules in the guide of the guard is the catalogue', async (t) => {
  const [table = ''] = (guide('lib/guard/README.md').split('<!-- rules -->')[1] ?? '').split('<!-- /rules -->')
  t.equal(table.trim(), renderRuleTable(), 'npx fastify-session-guard rules --format markdown')
})
