import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import * as fc from 'fast-check'
import t from 'tap'
import { evidenceJson, evidenceMarkdown, evidenceText } from '../../lib/guard/evidence/render.ts'
import type { EvidenceLine, EvidenceSource } from '../../lib/guard/evidence/render.ts'
import { policyMarkdown } from '../../lib/guard/evidence/policy.ts'
import { settingsOf } from '../../lib/guard/evidence/settings.ts'
import type { ShownSettings } from '../../lib/guard/evidence/settings.ts'
import { STANDARDS } from '../../lib/guard/evidence/standards.ts'
import { memoryStore } from '../../lib/stores/memory.ts'
import type { SecureSessionOptions } from '../../types/index.ts'
import { WRONG_OPTIONS } from '../guard/wrong-options.ts'
import { ROOT } from '../support/imports.ts'
import { cli } from './harness.ts'

t.setTimeout(600_000)

/** Returns the numbers of the requirements, from `first` to `last` in a section. */
function numbers(section: string, last: number): string[] {
  return Array.from({ length: last }, (_, index) => `${section}.${index + 1}`)
}

t.test('every requirement of the standards has one line', async (t) => {
  const [sessions, frontend, nist, sheet] = STANDARDS.map(({ requirements }) => requirements.map(({ id }) => id))
  t.strictSame(sessions, [
    ...numbers('7.1', 3),
    ...numbers('7.2', 4),
    ...numbers('7.3', 2),
    ...numbers('7.4', 5),
    ...numbers('7.5', 3),
    ...numbers('7.6', 2),
  ])
  t.strictSame(frontend, [...numbers('3.3', 5), ...numbers('3.4', 8), ...numbers('3.5', 8)])
  const places = nist?.map((id) => id.split(',')[0])
  for (const section of ['5.1', ...numbers('5.1', 6).map((id) => `5.1 (${id.slice(4)})`), '5.1.2', '5.2', '5.3']) {
    t.ok(places?.includes(section), section)
  }
  for (const count of numbers('', 7)) t.ok(nist?.includes(`5.1.1 (${count.slice(1)})`), `cookies, ${count.slice(1)}`)
  t.equal(sheet?.length, 31)
  for (const ids of [sessions, frontend, nist, sheet]) t.equal(new Set(ids).size, ids?.length, 'none is there twice')
})

t.test('every test that a line names is there', async (t) => {
  for (const { requirements } of STANDARDS) {
    for (const { id, tests, status } of requirements) {
      if (status !== 'yours') t.ok(tests.length > 0, `${id} names a test`)
      for (const name of tests) {
        const [file = '', title] = name.split('#')
        t.ok(existsSync(join(ROOT, file)), `${id}: ${file}`)
        if (title !== undefined) t.match(readFileSync(join(ROOT, file), 'utf8'), title, `${id}: ${title}`)
      }
    }
  }
})

function sourceFor(options: SecureSessionOptions): EvidenceSource {
  const settings = settingsOf({ environment: 'production', secret: 'x'.repeat(43), ...options }) as ShownSettings
  return { version: '1.2.3', target: 'app.js', environment: 'production', summary: '1 warning', settings }
}

t.test('the settings of any options are told or absent, and never thrown', async (t) => {
  let told = 0
  fc.assert(
    fc.property(WRONG_OPTIONS, (options) => {
      if (settingsOf(options) !== null) told += 1
    }),
    { numRuns: 300 },
  )
  t.ok(told > 0)
  for (const nothing of [5, 'options', [], new Map()]) t.equal(settingsOf(nothing), null)
})

function lines(options: SecureSessionOptions): Map<string, EvidenceLine> {
  const { standards } = JSON.parse(evidenceJson(sourceFor(options))) as {
    standards: { requirements: EvidenceLine[] }[]
  }
  return new Map(standards.flatMap(({ requirements }) => requirements.map((line) => [line.id, line])))
}

t.test('a line that an option decides says its value and whether that is enough', async (t) => {
  const store = memoryStore()
  const good = lines({
    store,
    tls: 'proxy',
    maxSessions: 5,
    assurance: 'aal3',
    loadUser: async () => null,
    authHash: () => 'x',
  })
  const bad = lines({
    cookie: {
      name: 'connect.sid',
      domain: 'example.com',
      sameSite: 'none',
      secure: false,
      httpOnly: false,
      path: '/app',
    },
    crossOriginProtection: false,
    trustedOrigins: ['https://a.example'],
    renewalTimeout: '0s',
    idleTimeout: '48h',
    absoluteTimeout: '90d',
  })
  const decided = [...good.values()].filter(({ status }) => status === 'option')
  t.ok(decided.length > 20)
  for (const { id, value, isMet } of decided) {
    t.type(value, 'string', id)
    t.equal(isMet, true, `${id} is met`)
  }
  for (const id of [
    '3.3.1',
    '3.3.2',
    '3.3.4',
    '3.5.1',
    '7.4.3',
    '5.1 (4)',
    '5.1 (5)',
    '5.1.1 (1)',
    '5.1.1 (2)',
    '5.1.1 (5)',
  ]) {
    t.equal(bad.get(id)?.isMet, false, `${id} is not met`)
  }
  for (const id of ['Session ID name', 'Renewal timeout', 'Simultaneous sessions', 'Session storage']) {
    t.equal(bad.get(id)?.isMet, false, `${id} is not met`)
  }
  t.match(lines({ trustedOrigins: () => true }).get('3.5.1')?.value, 'decided by a function')
  t.match(good.get('5.1 (5)')?.value, 'within the limits of AAL1, AAL2, AAL3')
  t.match(bad.get('5.1 (5)')?.value, 'within no level')
  t.match(lines({ maxSessions: () => 3 }).get('Simultaneous sessions')?.value, 'decided for each user, then evict')
  t.match(lines({ cookie: { name: 'sid' } }).get('3.3.1'), { isMet: false })
  t.match(lines({}).get('3.5.1'), { value: 'true, trustedOrigins none' })
  t.match(lines({}).get('Transport'), { value: 'not set', isMet: false })
  t.match(lines({ cookie: { domain: 'example.com' } }).get('3.3.3'), {
    value: '__Secure-session, domain example.com',
    isMet: true,
  })
})

t.test('evidence in Markdown is a table for each standard', async (t) => {
  const text = evidenceMarkdown({ ...sourceFor({ crossOriginProtection: false }), target: 'a|b\u001b.js' })
  t.match(text, '# Session evidence for a\\|b .js')
  for (const { name, url } of STANDARDS) t.match(text, `## [${name}](${url})`)
  const rows = text.split('\n').filter((line) => line.startsWith('| '))
  t.ok(rows.every((row) => row.replaceAll(String.raw`\|`, '').split('|').length === 6))
  t.match(text, '| 7.2.3 (L1) | ')
  t.match(text, '**not met**: `crossOriginProtection` is false')
  t.match(text, 'kept by the plugin')
  t.match(text, 'yours to do')
})

t.test('options that are not valid are named, and the others are judged', async (t) => {
  const source = sourceFor({
    idleTimeout: 5,
    cookie: { secure: 'no', httpOnly: false },
    trustedOrigins: ['https://a.example', 5],
    silence: [5, { rule: 'path-narrow', reason: 'x' }],
    maxSessions: { limit: 0 },
    hunter2: 1,
  } as unknown as SecureSessionOptions)
  t.strictSame(source.settings.invalid.toSorted(), [
    'cookie.secure',
    'hunter2',
    'idleTimeout',
    'maxSessions.limit',
    'silence[0]',
    'trustedOrigins[1]',
  ])
  t.match(source.settings, { idleTimeout: '30m', cookie: { httpOnly: false }, trustedOrigins: ['https://a.example'] })
  t.match(evidenceMarkdown(source), /\*\*Not valid: .*cookie\.secure.*\*\* The app does not start/)
  t.match(evidenceMarkdown(source), '**not met**: `cookie.httpOnly` is false')
  t.match(policyMarkdown(source), '**Not valid: ')
  t.match(evidenceText(source, 60), /Not valid: [^]*The app\s+does not start/)
  t.notMatch(evidenceMarkdown(sourceFor({})), 'Not valid')
})

t.test('a lifetime that is a function of the user is shown as one, with its longest answer', async (t) => {
  const lifetimes: SecureSessionOptions = {
    idleTimeout: () => '5m',
    absoluteTimeout: () => '1h',
    rememberTimeout: () => '2h',
  }
  const bound = sourceFor({ ...lifetimes, assurance: 'aal3' })
  t.match(bound.settings.idleTimeout, /^a function of the user, at most \d+m$/)
  t.match(policyMarkdown(bound), /\| inactivity \| a function of the user, at most \d+m \|/)
  t.match(lines({ ...lifetimes, assurance: 'aal3' }).get('5.1 (5)'), { isMet: true, value: /AAL3$/ })
  t.equal(sourceFor(lifetimes).settings.absoluteTimeout, 'a function of the user')
  t.match(lines(lifetimes).get('5.1 (5)'), { isMet: false, value: /within no level$/ })
})

t.test('a lifetime beyond the limits that the guard names meets no requirement', async (t) => {
  const long = lines({ idleTimeout: '20d', absoluteTimeout: '60d' })
  t.match(long.get('7.3.1'), { isMet: false, value: '20d, longer than 24h' })
  t.match(long.get('7.3.2'), { isMet: false, value: '60d, longer than 30d' })
  t.match(long.get('Idle timeout'), { isMet: false })
  t.match(lines({ assurance: 'aal2', idleTimeout: '2h' }).get('7.3.1'), { isMet: false, value: '2h, longer than 1h' })
  t.match(lines({ idleTimeout: '24h', absoluteTimeout: '30d' }).get('7.3.1'), { isMet: true, value: '1d' })
  t.match(lines({ assurance: 'aal3', idleTimeout: () => '5m' }).get('7.3.1'), { isMet: true })
  t.match(lines({ idleTimeout: () => '5m' }).get('7.3.1'), { isMet: false, value: /without a longest answer$/ })
})

t.test('evidence at a terminal has no line that is wider, except for what cannot be cut', async (t) => {
  for (const width of [60, 80]) {
    const shown = evidenceText(sourceFor({ crossOriginProtection: false }), width).split('\n')
    const wide = shown.filter((line) => line.length > width && /\S\s+\S/.test(line.trim()))
    t.strictSame(
      wide.filter((line) => !line.startsWith('    test/')),
      [],
    )
    t.match(shown.join('\n'), '7.2.3 (L1) kept by the plugin')
    t.match(shown.join('\n').replaceAll(/\s+/g, ' '), 'not met: crossOriginProtection is false')
  }
})

t.test('the policy says what the options say, and what is left to fill in', async (t) => {
  const text = policyMarkdown(sourceFor({ idleTimeout: '20m', absoluteTimeout: '8h', maxSessions: 5 }))
  for (const part of [
    '(ASVS 7.1.1)',
    '(ASVS 7.1.2)',
    '(ASVS 7.1.3)',
    '| inactivity | 20m |',
    '| longest lifetime | 8h |',
    'Assurance level asked for: none',
    'keep: AAL1.',
    'Limit for one account: 5, then evict. One login too many ends the session that was used least recently.',
    'not checked',
    'None.',
  ]) {
    t.match(text, part)
  }
  t.equal(text.match(/\*\*To fill in\*\*/g)?.length, 4)
  const other = policyMarkdown(
    sourceFor({
      assurance: 'aal2',
      absoluteTimeout: '90d',
      maxSessions: { limit: 2, onLimit: 'refuse' },
      loadUser: async () => null,
      authHash: () => 'x',
      silence: [
        { rule: 'domain-wide', reason: 'one login\nfor all | two', expires: '2999-01-01' },
        { rule: 'path-narrow', reason: 'x' },
      ],
    }),
  )
  for (const part of [
    'Assurance level asked for: AAL2.',
    'keep: none.',
    'One login too many is refused with an error.',
    'Older sessions of the user end within this time.',
    String.raw`| domain-wide | one login for all \| two | 2999-01-01 |`,
    '| path-narrow | x | never |',
  ]) {
    t.match(other, part)
  }
  t.match(policyMarkdown(sourceFor({})), 'Limit for one account: no limit. A user may have any number of sessions.')
})

t.test('headings, tables and paragraphs of the policy stand apart, as Markdown needs it', async (t) => {
  const rows = policyMarkdown(sourceFor({})).split('\n')
  for (const [index, line] of rows.entries()) {
    const isBlock = line.startsWith('#') || line.startsWith('**To fill in**') || line.startsWith('Limit for')
    if (isBlock && index > 0) t.equal(rows[index - 1], '', line)
    if (line.startsWith('#')) t.equal(rows[index + 1], '', line)
  }
  t.strictSame(
    rows.filter((line) => line.trim() === '' && line !== ''),
    [],
  )
})

t.test('evidence in JSON says what made it, and of what', async (t) => {
  const { settings, standards, ...rest } = JSON.parse(evidenceJson(sourceFor({}))) as Record<string, unknown>
  t.strictSame(rest, {
    schemaVersion: 1,
    tool: { name: 'fastify-session-guard', version: '1.2.3' },
    target: 'app.js',
    environment: 'production',
    summary: '1 warning',
  })
  t.match(settings, { environment: 'production', idleTimeout: '30m' })
  t.strictSame((settings as { invalid: unknown }).invalid, [])
  t.equal((standards as unknown[]).length, STANDARDS.length)
})

t.test('settings hold no secret, and options that cannot be read have none', async (t) => {
  t.notMatch(JSON.stringify(settingsOf({ secret: 'hunter2' })), 'hunter2')
  t.equal(settingsOf(null), null)
  t.equal(settingsOf('options'), null)
})

t.test('the commands evidence and policy run an app and describe it', async (t) => {
  const evidence = await cli(['evidence', 'options.ts'])
  t.match(evidence, { code: 0, err: '', out: /^# Session evidence for options\.ts\n/ })
  t.match(JSON.parse((await cli(['evidence', 'options.ts', '--format', 'json'])).out), {
    schemaVersion: 1,
    target: 'options.ts',
  })
  t.match(await cli(['policy', 'options.ts']), { code: 0, out: /^# Session policy of options\.ts\n/ })
  t.match(await cli(['policy', 'throws.ts']), {
    code: 2,
    out: '',
    err: /before it fails[^]*Cannot check throws\.ts: RangeError/,
  })
  t.match(await cli(['evidence', 'nothing.ts']), {
    code: 2,
    out: '',
    err: /^Cannot check nothing\.ts: it made no Fastify app/,
  })
  t.match(await cli(['evidence', 'unreadable.ts']), { code: 2, out: '', err: /its options cannot be read/ })
  t.match(await cli(['evidence', 'invalid.ts']), { code: 0, out: /\*\*Not valid: idleTimeout\.\*\*/ })
  t.match(await cli(['evidence', 'options.ts', '--format', 'xml']), { code: 2, err: 'markdown, json, pretty, not xml' })
  t.match(await cli(['policy', 'options.ts', '--format', 'json']), { code: 2, err: 'one of markdown, not json' })
  const terminal = await cli(['evidence', 'options.ts'], { isTerminal: true, columns: 60 })
  t.match(terminal, { code: 0, out: /^Session evidence for options\.ts/ })
})
