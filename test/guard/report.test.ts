import { spawnSync } from 'node:child_process'
import { Ajv } from 'ajv'
import t from 'tap'
import { onReport } from '../../lib/guard/report/channel.ts'
import type { GuardReport } from '../../lib/guard/report/channel.ts'
import { checkConfig, environmentLine } from '../../lib/guard/check.ts'
import { SecureSessionConfigError } from '../../lib/guard/config-error.ts'
import { enforce } from '../../lib/guard/enforce.ts'
import { weaknessesOf } from '../../lib/guard/rules/crosswalk.ts'
import { bySeverity } from '../../lib/guard/report/severities.ts'
import { countFindings, lineWidth, renderFailure, renderReport } from '../../lib/guard/report/text.ts'
import { renderGithub } from '../../lib/guard/report/github.ts'
import { fill, wordsOf } from '../../lib/guard/report/fill.ts'
import { renderJson, stringify } from '../../lib/guard/report/json.ts'
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

t.test('a report lists what is fatal first, in every format', async (t) => {
  const mixed = checkConfig({ cookie: { path: '/app' } }, 'production').toReversed()
  const ranks = ['fatal', 'warning', 'info']
  const isSorted = (severities: (string | undefined)[]): boolean =>
    severities.every(
      (severity, index) => index === 0 || ranks.indexOf(severity ?? '') >= ranks.indexOf(severities[index - 1] ?? ''),
    )
  t.notOk(isSorted(mixed.map(({ severity }) => severity)), 'the report gets them in another order')
  const text = renderReport(mixed, { environment: '', spellOut: 'all' })
  t.ok(isSorted([...text.matchAll(/[✖⚠ℹ] (fatal|warning|info) {2}/g)].map(([, severity]) => severity)))
  const json = JSON.parse(renderJson(mixed, SOURCE)) as { findings: Finding[] }
  t.ok(isSorted(json.findings.map(({ severity }) => severity)))
  const github = renderGithub(mixed, SOURCE).replaceAll('::error', '::fatal').replaceAll('::notice', '::info')
  t.ok(isSorted([...github.matchAll(/^::(\w+) /gm)].map(([, severity]) => severity)))
})

t.test('lines follow the width of the terminal, and neither a command nor a snippet is broken', async (t) => {
  const commands = FINDINGS.map(({ rule }) => `npx fastify-session-guard explain ${rule.replace('session/', '')}`)
  for (const width of [20, 60, 72, 100, 400]) {
    const layout = { environment: SOURCE.environment, spellOut: 'all', showSilenced: true, width } as const
    const report = renderReport(FINDINGS, {
      ...layout,
      checkAgain: 'npx fastify-session-guard check ./a.js --env production',
    })
    for (const command of commands) t.match(report, command)
    for (const { fix } of FINDINGS) if (fix.snippet !== undefined) t.match(report, fix.snippet)
    t.match(report, 'npx fastify-session-guard check ./a.js --env production')
    const prose = report.split('\n').filter((line) => !/npx |[{}]|session\/|cookie\./.test(line))
    t.ok(
      prose.every((line) => line.length <= lineWidth(width)),
      `${width} columns`,
    )
  }
  t.equal(lineWidth(undefined), 100)
})

t.test('a failure names the line of the app and what to do', async (t) => {
  t.equal(renderFailure('app.js', { message: 'it fell over' }), 'Cannot check app.js: it fell over')
  const place = { file: 'lib/db.js', line: 3, column: 7 }
  t.equal(
    renderFailure('app.js', { message: 'Error: no', hint: 'start the database and then check again', place }, 40),
    [
      'Cannot check app.js: Error: no',
      '    at   lib/db.js:3:7',
      '    hint start the database and then',
      '         check again',
    ].join('\n'),
  )
})

t.test('a finding names the place and shows the line where its option is written', async (t) => {
  const [first] = FINDINGS as [Finding]
  const source = { file: 'src/app.mjs', line: 12, column: 5 }
  const located: Finding = { ...first, severity: 'fatal', at: first.at.map((one) => ({ ...one, source })) }
  const report = renderReport([located], { environment: '', frameOf: () => ['12 | x', '   | ^'] })
  t.match(report, '\n           src/app.mjs:12:5\n           12 | x\n              | ^\n    what')
  t.match(renderGithub([located], SOURCE), /^::error file=src\/app.mjs,line=12,col=5,/)
  t.match(JSON.parse(renderSarif([located], SOURCE)), {
    runs: [
      {
        results: [
          {
            locations: [
              {
                physicalLocation: {
                  artifactLocation: { uri: 'src/app.mjs' },
                  region: { startLine: 12, startColumn: 5 },
                },
              },
            ],
          },
        ],
      },
    ],
  })
})

t.test('a failure is in every format that machines read', async (t) => {
  const failure = { message: 'Error: no database', hint: 'start it', place: { file: 'db.js', line: 3, column: 7 } }
  const printed = JSON.parse(renderJson([], { ...SOURCE, failure })) as Record<string, unknown>
  t.strictSame({ failure: printed['failure'], findings: printed['findings'] }, { failure, findings: [] })
  t.match(JSON.parse(renderJson([], { ...SOURCE, failure: { message: 'no' }, patches: [{ rule: 'x' }] })), {
    failure: { message: 'no' },
    patches: [{ rule: 'x' }],
  })
  t.equal(
    renderGithub([], { target: 'app.js', failure }),
    '::error file=db.js,line=3,col=7,title=fastify-session-guard::Cannot check app.js: Error: no database%0Astart it',
  )
  t.match(
    renderGithub(FINDINGS, { target: 'app.js', failure: { message: 'no' } }),
    /\n::error file=app.js,title=[^\n]*: no$/,
  )
  const validate = new Ajv({ strict: false, allErrors: true }).compile(SARIF_SCHEMA)
  for (const shown of [failure, { message: 'no' }]) {
    const log: unknown = JSON.parse(renderSarif([], { ...SOURCE, failure: shown }))
    t.ok(validate(log), JSON.stringify(validate.errors))
    t.match(log, { runs: [{ invocations: [{ executionSuccessful: false }] }] })
  }
})

t.test('no character of a text can rewrite what a terminal shows of JSON', async (t) => {
  t.equal(stringify({ a: '\u009b2J\u202e\u001b' }), '{\n  "a": "\\u009b2J\\u202e\\u001b"\n}')
})

t.test('a finding needs neither a snippet nor references nor a place', async (t) => {
  const [first] = checkConfig(null, 'production') as [Finding]
  const bare: Finding = { ...first, references: [], fix: { text: 'Do this.' } }
  const report = renderReport([bare], { environment: '' })
  t.match(report, '    fix    Do this.\n    see    npx fastify-session-guard explain option-type')
  t.match(renderGithub([bare], SOURCE), /%0ADo this\.$/)
  t.match(renderGithub([{ ...bare, fix: { text: 'Do this.', snippet: 'a: 1' } }], SOURCE), /%0Aa: 1%0ADo this\.$/)
  t.match(renderSarif([bare], SOURCE), 'Fix: Do this.')
  const warning: Finding = { ...bare, severity: 'warning' }
  t.equal(countFindings([warning, warning]), '2 warnings')
})

t.test('words are filled into lines, commands and code as single words', async (t) => {
  const text = 'Run npx fastify-session-guard explain tls-unproven, or write `await app.register(x)`. Then go on.'
  t.strictSame(wordsOf(text), [
    'Run',
    'npx fastify-session-guard explain tls-unproven,',
    'or',
    'write',
    '`await app.register(x)`.',
    'Then',
    'go',
    'on.',
  ])
  t.strictSame(wordsOf(' \n'), [])
  t.strictSame(fill(['aa', 'bb', 'c'], 5), ['aa bb', 'c'])
  t.strictSame(fill([], 5), [''])
})

t.test('code scanning sorts rules by tags, a score and a page of help', async (t) => {
  const log = JSON.parse(renderSarif(FINDINGS, SOURCE)) as {
    runs: [{ tool: { driver: { rules: { id: string; helpUri: string; properties: Record<string, unknown> }[] } } }]
  }
  const rules = log.runs[0].tool.driver.rules
  const secure = rules.find(({ id }) => id === 'session/samesite-none-requires-secure')
  t.match(secure, {
    helpUri: 'https://cwe.mitre.org/data/definitions/614.html',
    properties: { tags: ['security', 'external/cwe/cwe-614'], 'security-severity': '8.0' },
  })
  t.strictSame(weaknessesOf('no-such-rule'), [693])
  for (const { helpUri } of rules) t.ok(URL.canParse(helpUri))
})

t.test('SARIF puts a finding of a scan at the address, and a file elsewhere at its URL', async (t) => {
  const uriFor = (target: string): string => {
    const log = JSON.parse(renderSarif(FINDINGS, { ...SOURCE, target })) as {
      runs: [{ results: [{ locations: [{ physicalLocation: { artifactLocation: { uri: string } } }] }] }]
    }
    return log.runs[0].results[0].locations[0].physicalLocation.artifactLocation.uri
  }
  t.equal(uriFor('https://app.example.com/login'), 'app.example.com/login')
  t.equal(uriFor('https://app.example.com/'), 'app.example.com')
  t.equal(uriFor('/srv/my app.js'), 'file:///srv/my%20app.js')
  t.equal(uriFor('C:\\srv\\app.js'), 'file:///C:/srv/app.js')
  t.match(
    renderSarif(FINDINGS, { ...SOURCE, target: 'https://a.example/' }),
    '"fullyQualifiedName": "https://a.example/"',
  )
})

t.test('a report can show all findings, the silenced ones with their reason', async (t) => {
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

t.test('an app without fatal findings starts, with its warnings', async (t) => {
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
  enforce([], 'there', { secret: 'x' })
  t.strictSame(heard, [
    { findings: FINDINGS, environment: 'here', options: undefined },
    { findings: [], environment: 'there', options: { secret: 'x' } },
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
  t.strictSame(report['findings'], bySeverity(FINDINGS), 'a finding is plain JSON')
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
    bySeverity(FINDINGS).map(({ silenced }) => silenced !== undefined),
  )
  for (const { ruleId, ruleIndex } of results) t.equal(tool.driver.rules[ruleIndex as number]?.id, ruleId)
  t.match(JSON.stringify(results[0]), '"uri":"dist/my%20app.js"')
})
