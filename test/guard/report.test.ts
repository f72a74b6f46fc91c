import { spawnSync } from 'node:child_process'
import { Ajv } from 'ajv'
import t from 'tap'
import { onReport } from '../../lib/guard/report/channel.ts'
import type { GuardReport } from '../../lib/guard/report/channel.ts'
import { checkConfig, environmentLine } from '../../lib/guard/check.ts'
import { SecureSessionConfigError } from '../../lib/guard/config-error.ts'
import { enforce } from '../../lib/guard/enforce.ts'
import { countFindings, renderReport } from '../../lib/guard/report/text.ts'
import { renderGithub } from '../../lib/guard/report/github.ts'
import { renderJson } from '../../lib/guard/report/json.ts'
import { renderSarif } from '../../lib/guard/report/sarif.ts'
import type { Finding } from '../../types/index.ts'
import { good, named } from './configs.ts'
import { SARIF_SCHEMA } from './sarif-schema.ts'

const WRONG = good({
  cookie: { sameSite: 'none', secure: 'auto', httponly: true, domain: 'example.com', name: '__Secure-id' },
  silence: [{ rule: 'domain-wide', reason: 'one login\nfor two hosts', expires: '2999-12-31' }],
})
const FINDINGS = checkConfig(WRONG, 'prod')
const SOURCE = { version: '1.2.3', target: 'dist/my app.js', environment: environmentLine(WRONG, 'prod') }

t.test('the environment line says which rules apply, and why', async (t) => {
  t.equal(environmentLine({}, 'production'), 'production (from NODE_ENV)')
  t.equal(environmentLine({}, 'test'), 'test (from NODE_ENV)')
  t.equal(environmentLine({ environment: 'development' }, 'production'), 'development (from the option environment)')
  t.equal(environmentLine({}), 'production (neither environment nor NODE_ENV is set; production rules apply)')
  t.equal(
    environmentLine({}, 'prod'),
    'production (NODE_ENV is "prod", which is not a known name; production rules apply)',
  )
  t.match(environmentLine({ environment: 'staging' }), 'the option environment is "staging"')
})

t.test('findings are counted by severity, without the silenced', async (t) => {
  t.equal(countFindings(FINDINGS), '3 fatal, 1 warning')
  t.equal(countFindings(checkConfig({}, 'production')), '2 fatal, 1 warning, 1 info')
  t.equal(countFindings([]), 'no findings')
})

t.test('the report spells out what is fatal, and names the rest', async (t) => {
  const report = renderReport(FINDINGS, { environment: SOURCE.environment, checkAgain: 'run this' })
  t.match(report, /^ {2}environment: production \(NODE_ENV is "prod"/)
  t.match(
    report,
    '  ✖ fatal  session/samesite-none-requires-secure\n    at     cookie.sameSite = "none", cookie.secure = "auto"\n',
  )
  t.match(
    report,
    "    fix    cookie: { sameSite: 'none', secure: true }\n           Not used across sites? cookie: { sameSite: 'lax', secure: true }\n",
  )
  t.match(report, 'Did you mean httpOnly?')
  t.match(
    report,
    '  ⚠ 1 warning: session/environment-unknown\n  1 silenced: session/domain-wide\n  check again: run this',
  )
  t.ok(
    report.split('\n').every((line) => line.length <= 100),
    'lines fit a terminal',
  )
})

t.test('all can be spelt out, the silenced with their reason', async (t) => {
  const layout = { environment: '', spellOut: 'all', showSilenced: true } as const
  t.match(renderReport(FINDINGS, layout), 'quiet  silenced until 2999-12-31: one login for two hosts')
  const forever = FINDINGS.map((finding): Finding => ({ ...finding, silenced: { reason: 'x', expires: null } }))
  t.match(renderReport(forever, layout), 'quiet  silenced: x')
  t.equal(renderReport([], { environment: 'test' }), '  environment: test')
})

t.test('colours are for terminals', async (t) => {
  t.match(renderReport(FINDINGS, { environment: '', color: true }), '\u001b[31;1m✖ fatal\u001b[0m')
  t.match(renderReport(FINDINGS, { environment: '', color: true }), '\u001b[33m⚠\u001b[0m 1 warning')
  t.notMatch(renderReport(FINDINGS, { environment: '' }), '\u001b')
})

t.test('nothing fatal lets the app start, with its warnings', async (t) => {
  const warnings = enforce(checkConfig(good({ cookie: { path: '/app', name: '__Secure-id' } }), 'prod'), 'here')
  t.strictSame(named(warnings), ['warning path-narrow', 'warning environment-unknown'])
  const silence = [{ rule: 'secret-short', reason: 'moving' }]
  t.strictSame(
    enforce(checkConfig(good({ secret: 'Xk3vQ9zLp2Rw7TnBYc6mHs8DfGj4Kq', silence }), 'production'), ''),
    [],
    'silenced',
  )
  t.strictSame(enforce([], ''), [])
})

t.test('a fatal finding refuses the boot, with everything that was found', async (t) => {
  t.plan(10)
  try {
    enforce(FINDINGS, SOURCE.environment)
  } catch (error) {
    if (!(error instanceof SecureSessionConfigError)) throw error
    t.ok(error instanceof Error)
    t.equal(error.name, 'SecureSessionConfigError')
    t.equal(error.code, 'SESSION_GUARD_REFUSED')
    t.equal(error.message, 'refused to start: 3 fatal, 1 warning')
    t.strictSame(error.findings, FINDINGS)
    t.strictSame(Object.keys(error), ['code'], 'the findings are not printed twice')
    t.match(error.report, 'session/unknown-option')
    t.match(
      error.stack,
      `SecureSessionConfigError [SESSION_GUARD_REFUSED]: ${error.message}\n${error.report}\n\n    at `,
    )
    t.equal(error.stack?.match(/^ {4}at .*:\d+/gm)?.length, 1, 'one real frame')
    t.match(error.report, /check again: npx fastify-session-guard check .*--env production$/)
  }
})

t.test('an error without a stack still has its report', async (t) => {
  const { stackTraceLimit } = Error
  Error.stackTraceLimit = 0
  t.teardown(() => {
    Error.stackTraceLimit = stackTraceLimit
  })
  t.match(
    new SecureSessionConfigError([], 'report').stack,
    /refused to start: no findings\nreport\n\n {4}at fastify-session-guard/,
  )
})

t.test('the command to check again names the file that was started, if it lies below', async (t) => {
  const { argv } = process
  t.teardown(() => {
    process.argv = argv
  })
  const commandFor = (file: string[]): string => {
    process.argv = ['node', ...file]
    try {
      enforce(FINDINGS, '')
    } catch (error) {
      return (error as SecureSessionConfigError).report.split('check again: ')[1] ?? ''
    }
    return ''
  }
  t.equal(
    commandFor([`${process.cwd()}/dist/app.js`]),
    'npx fastify-session-guard check ./dist/app.js --env production',
  )
  for (const file of [[], ['/elsewhere/app.js'], [`${process.cwd()}/node_modules/.bin/x`]]) {
    t.equal(commandFor(file), 'npx fastify-session-guard check --env production')
  }
})

t.test('an uncaught refusal prints its report once, as it is', async (t) => {
  const script = `
    import { checkConfig } from './lib/guard/check.ts'
    import { enforce } from './lib/guard/enforce.ts'
    enforce(checkConfig({}, 'production'), 'here')`
  const { stderr, status } = spawnSync(process.execPath, [...process.execArgv, '--input-type=module', '-e', script], {
    encoding: 'utf8',
  })
  t.equal(status, 1)
  t.equal(stderr.split('session/secret-missing').length, 2)
  t.match(
    stderr,
    '\nSecureSessionConfigError [SESSION_GUARD_REFUSED]: refused to start: 2 fatal, 1 warning\n  environment: here\n',
  )
})

t.test('every phase tells what it found, before it refuses', async (t) => {
  const heard: GuardReport[] = []
  onReport((report) => heard.push(report))
  t.throws(() => enforce(FINDINGS, 'here'), { code: 'SESSION_GUARD_REFUSED' })
  enforce([], 'there')
  t.strictSame(heard, [
    { findings: FINDINGS, environment: 'here' },
    { findings: [], environment: 'there' },
  ])
})

t.test('json is versioned and counts', async (t) => {
  const report = JSON.parse(renderJson(FINDINGS, SOURCE)) as Record<string, unknown>
  t.match(report, {
    schemaVersion: 1,
    tool: { name: 'fastify-session-guard', version: '1.2.3' },
    target: 'dist/my app.js',
    environment: SOURCE.environment,
    summary: { fatal: 3, warning: 1, info: 0, silenced: 1 },
  })
  t.strictSame(report['findings'], FINDINGS, 'a finding is plain JSON')
})

t.test('github annotations are one command a line', async (t) => {
  const lines = renderGithub(FINDINGS, SOURCE).split('\n')
  t.equal(lines.length, 4, 'silenced ones are left out')
  t.match(
    lines[0],
    /^::error file=dist\/my app.js,title=session%2Funknown-option::|^::error file=dist\/my app.js,title=session\/unknown-option::/,
  )
  t.ok(lines.every((line) => /^::(error|warning|notice) file=/.test(line)))
  const nasty: Finding = { ...(FINDINGS[0] as Finding), message: 'a\r\n::error::b 100%' }
  t.match(
    renderGithub([nasty], { target: 'a,b:c' }),
    /^::error file=a%2Cb%3Ac,title=[^\n]*::a%0D%0A::error::b 100%25[^\n]*$/,
  )
  t.match(renderGithub(checkConfig(good({ maxSessions: undefined }), 'production'), SOURCE), /^::notice /)
})

t.test('sarif is valid, and marks what is suppressed', async (t) => {
  const validate = new Ajv({ strict: false, allErrors: true }).compile(SARIF_SCHEMA)
  const everything = [...FINDINGS, ...checkConfig({}, undefined), ...checkConfig(null)]
  for (const findings of [FINDINGS, everything, []]) {
    for (const target of ['dist/my app.js', 'https://app.example.com/']) {
      const log: unknown = JSON.parse(renderSarif(findings, { ...SOURCE, target }))
      t.ok(validate(log), JSON.stringify(validate.errors))
    }
  }
  const { runs } = JSON.parse(renderSarif(FINDINGS, SOURCE)) as {
    runs: [{ results: Record<string, unknown>[]; tool: { driver: { rules: { id: string }[] } } }]
  }
  const { results, tool } = runs[0]
  t.strictSame(
    results.map(({ suppressions }) => suppressions !== undefined),
    FINDINGS.map(({ silenced }) => silenced !== undefined),
  )
  for (const { ruleId, ruleIndex } of results) t.equal(tool.driver.rules[ruleIndex as number]?.id, ruleId)
  t.match(JSON.stringify(results[0]), '"uri":"dist/my%20app.js"')
})
