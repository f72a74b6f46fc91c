import t from 'tap'
import { renderLesson } from '../../lib/guard/report/lesson.ts'
import { renderRuleTable } from '../../lib/guard/report/rule-table.ts'
import { checkConfig } from '../../lib/guard/check.ts'
import { CROSSWALK, weaknessesOf } from '../../lib/guard/rules/crosswalk.ts'
import { exceptionTo } from '../../lib/guard/rules/exceptions.ts'
import { intentionsFor } from '../../lib/guard/rules/intentions.ts'
import { linkTo } from '../../lib/guard/rules/links.ts'
import { OTHER_STACKS } from '../../lib/guard/rules/other-stacks.ts'
import { REMEDIES } from '../../lib/scan/cookie-findings.ts'
import { evaluate, good } from './configs.ts'
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
  for (const { slug, phases, onConfig, onNeighbours, onRequest, onAnswer, onSource, onScan } of RULES) {
    const isSilenceUnused = slug === 'silence-unused'
    t.equal(phases.includes('register'), onConfig !== undefined || isSilenceUnused, `${slug} register`)
    t.equal(phases.includes('ready'), onNeighbours !== undefined || isSilenceUnused, `${slug} ready`)
    t.equal(phases.includes('request'), (onRequest ?? onAnswer) !== undefined, `${slug} request`)
    t.equal(phases.includes('source'), onSource !== undefined, `${slug} source`)
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

t.test('severities are said in words', async (t) => {
  const severityLine = (name: string): string | undefined =>
    /^ {2}Severity {5}(.*)$/m.exec(renderLesson(ruleNamed(name) as (typeof RULES)[number]))?.[1]
  t.equal(severityLine('prefix-host'), 'fatal everywhere')
  t.equal(severityLine('domain-wide'), 'warning in production')
  t.equal(severityLine('absolute-too-long'), 'warning in production, fatal in production at aal3 over 12 h')
  t.equal(severityLine('environment-conflict'), 'fatal everywhere, a warning where NODE_ENV is a name of its own')
  t.equal(severityLine('secret-short'), 'fatal in production, warning elsewhere')
})

t.test('each rule names its weakness, and what other tools call it', async (t) => {
  for (const { slug } of RULES) t.ok(weaknessesOf(slug).length > 0, `${slug} has a number in CWE`)
  for (const { id, rules } of CROSSWALK) {
    const strange = rules.filter((slug) => !RULES.some((rule) => rule.slug === slug))
    t.strictSame(strange, [], id)
    t.ok(ruleNamed(id), id)
  }
  t.equal(ruleNamed('W012')?.slug, 'secure-required')
  t.equal(ruleNamed('security.w016')?.slug, 'csrf-cookie-insecure')
  t.match(
    renderLesson(ruleNamed('W012') as (typeof RULES)[number]),
    'Elsewhere    Django check --deploy: security.W010',
  )
})

t.test('each source of a rule is linked in its lesson', async (t) => {
  for (const rule of RULES) {
    const lesson = renderLesson(rule)
    for (const source of [...rule.references, ...weaknessesOf(rule.slug).map((cwe) => `CWE-${cwe}`)]) {
      const link = linkTo(source)
      t.ok(link !== undefined && URL.canParse(link) && !link.includes('undefined'), `${rule.slug}: ${source}`)
      t.match(lesson, String(link))
    }
  }
  t.equal(linkTo('RFC 9111 3.5'), 'https://www.rfc-editor.org/rfc/rfc9111.html#section-3.5')
  t.equal(linkTo('expressjs/session#281'), 'https://github.com/expressjs/session/issues/281')
  t.equal(linkTo('CWE-614'), 'https://cwe.mitre.org/data/definitions/614.html')
  t.match(linkTo('OWASP ASVS 5.0 7.4.1'), '/5.0/en/0x16-V7-Session-Management.md')
  t.equal(linkTo('hearsay'), undefined)
})

t.test('a lesson is found by the setting of another stack, and names it', async (t) => {
  for (const [slug, stacks] of Object.entries(OTHER_STACKS)) {
    const rule = RULES.find((one) => one.slug === slug)
    if (rule === undefined) {
      t.fail(`${slug} is no rule`)
      continue
    }
    const lesson = renderLesson(rule)
    for (const [stack, [setting = '']] of Object.entries(stacks)) t.match(lesson, `${stack}: ${setting}`)
  }
  t.equal(ruleNamed('SESSION_COOKIE_SECURE')?.slug, 'secure-required')
  t.equal(ruleNamed('session.cookie_httponly')?.slug, 'httponly-disabled')
  t.equal(ruleNamed('saveUninitialized')?.slug, 'foreign-option')
  t.equal(ruleNamed('SESSION_COOKIE')?.slug, undefined)
})

t.test('a rule by which a scan judges cookies says that a scan sees it', async (t) => {
  for (const slug of Object.keys(REMEDIES)) t.ok(ruleNamed(slug)?.phases.includes('scan'), slug)
})

t.test('a rule that can be silenced says for whom, as far as the scan is not its only phase', async (t) => {
  const isForOptions = ({ phases }: (typeof RULES)[number]): boolean => phases.some((phase) => phase !== 'scan')
  const mute = RULES.filter((rule) => rule.silenceable && isForOptions(rule) && exceptionTo(rule) === undefined)
  t.strictSame(
    mute.map(({ slug }) => slug),
    [],
  )
})

t.test('each intention of a lesson is shown, and is right', async (t) => {
  for (const rule of RULES) {
    for (const { wish, code, isOptions } of intentionsFor(rule)) {
      t.match(renderLesson(rule), wish)
      if (isOptions === false) continue
      const found = checkConfig(good(evaluate(code)), 'production')
      t.strictSame(
        found.filter(
          ({ rule: id, severity, silenced }) =>
            silenced === undefined && (id === `session/${rule.slug}` || severity === 'fatal'),
        ),
        [],
        `${rule.slug}: ${wish}`,
      )
    }
  }
})

t.test('the guide lists the rules of other tools with ours beside them', async (t) => {
  const [table = ''] = (guide('lib/guard/README.md').split('<!-- crosswalk -->')[1] ?? '').split('<!-- /crosswalk -->')
  const cells = (text: string): string => text.trim().replaceAll(/-{3,}/g, '---').replaceAll(/ +/g, ' ')
  t.equal(cells(table), cells(renderCrosswalk()))
})

t.test('the table of rules in the guide of the guard is the catalogue', async (t) => {
  const [table = ''] = (guide('lib/guard/README.md').split('<!-- rules -->')[1] ?? '').split('<!-- /rules -->')
  t.equal(table.trim(), renderRuleTable(), 'npx fastify-session-guard rules --format markdown')
})

/** Returns the table of the guide: rules of other tools, and ours. */
function renderCrosswalk(): string {
  const rows = CROSSWALK.map(({ tool, id, rules, note }) => {
    const ours = rules.map((rule) => `\`${rule}\``).join(', ')
    return `| ${tool} | \`${id}\` | ${ours}${note === undefined ? '' : `; ${note}`} |`
  })
  return ['| tool | its rule | the rule here |', '| --- | --- | --- |', ...rows].join('\n')
}
