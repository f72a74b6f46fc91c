import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { planFixes, renderPatches, writeTexts } from '../../lib/cli/fixes.ts'
import { Project } from '../../lib/cli/source/project.ts'
import { unifiedDiff } from '../../lib/cli/source/unified-diff.ts'
import { writeFixes } from '../../lib/cli/write-fixes.ts'
import type { Examination } from '../../lib/cli/examine.ts'
import { ROOT } from '../support/imports.ts'
import { cli, FIXTURES } from './harness.ts'
import { run } from '../support/run.ts'
import type { Finding, FindingFix } from '../../types/index.ts'

function finding(rule: string, fix: Omit<FindingFix, 'text'>, silenced?: Finding['silenced']): Finding {
  return { rule: `session/${rule}`, fix: { text: '', ...fix }, ...(silenced && { silenced }) } as Finding
}

const FINDINGS = [
  finding('first', { confidence: 'safe', patch: [{ op: 'set', pointer: '/tls', source: `'proxy'` }] }),
  finding('again', { confidence: 'safe', patch: [{ op: 'set', pointer: '/tls', source: `'proxy'` }] }),
  finding('second', { patch: [{ op: 'remove', pointer: '/maxAge' }] }),
  finding('nowhere', { confidence: 'safe', patch: [{ op: 'remove', pointer: '/none' }] }),
  finding('words', {}),
  finding('silent', { confidence: 'safe', patch: [{ op: 'remove', pointer: '/tls' }] }, { reason: 'x', expires: null }),
]

const TEXT = `export default {\n  tls: 'x',\n  maxAge: 5,\n}\n`

t.setTimeout(600_000)

t.test('a file keeps its line endings', async (t) => {
  const lines = `const { x } = require('x')\nexport default {\n  tls: 'x',\n  maxAge: 5\n}\n`
  const added = finding('store', {
    patch: [
      { op: 'set', pointer: '/maxSessions', source: '5' },
      { op: 'set', pointer: '/store', source: 'sqliteStore({ database })' },
    ],
  })
  const fixed = async (name: string, text: string): Promise<string> => {
    const file = join(t.testdir({ [name]: text }), name)
    const plan = planFixes(await Project.open(), file, [added], { isSafeOnly: false, nameOf: () => name })
    return String(plan.texts.get(file))
  }
  const unix = await fixed('unix.js', lines)
  t.match(unix, /import \{ sqliteStore \}[\s\S]*maxAge: 5,\n {2}maxSessions: 5,\n {2}store: sqliteStore/)
  t.equal(await fixed('windows.js', lines.replaceAll('\n', '\r\n')), unix.replaceAll('\n', '\r\n'))
})

t.test('fixes are patches, one after the other, each with its confidence', async (t) => {
  const folder = t.testdir({ 'app.js': TEXT })
  const file = join(folder, 'app.js')
  const project = await Project.open()
  const plan = planFixes(project, file, FINDINGS, { isSafeOnly: false, nameOf: () => 'app.js' })
  t.equal(
    renderPatches(plan),
    `# session/first (safe)
--- a/app.js
+++ b/app.js
@@ -1,4 +1,4 @@
 export default {
-  tls: 'x',
+  tls: 'proxy',
   maxAge: 5,
 }
# session/second (review)
--- a/app.js
+++ b/app.js
@@ -1,4 +1,3 @@
 export default {
   tls: 'proxy',
-  maxAge: 5,
 }
# by hand: session/nowhere, session/words`,
  )
  const after = plan.texts.get(file)
  t.equal(after, `export default {\n  tls: 'proxy',\n}\n`)
  writeFileSync(join(folder, 'fix.patch'), `${renderPatches(plan)}\n`)
  await run('git', ['apply', 'fix.patch'], { cwd: folder })
  t.equal(readFileSync(file, 'utf8'), after, 'git takes them')
})

t.test('safe fixes can be written without the others, and taken back', async (t) => {
  const file = join(t.testdir({ 'app.js': TEXT }), 'app.js')
  const project = await Project.open()
  const plan = planFixes(project, file, FINDINGS, { isSafeOnly: true, nameOf: () => 'app.js' })
  t.strictSame(
    plan.patches.map(({ rule }) => rule),
    ['session/first'],
  )
  const takeBack = writeTexts(project, plan.texts)
  t.equal(readFileSync(file, 'utf8'), `export default {\n  tls: 'proxy',\n  maxAge: 5,\n}\n`)
  takeBack()
  t.equal(readFileSync(file, 'utf8'), TEXT)
  t.equal(renderPatches({ patches: [], byHand: [], texts: new Map() }), '# Nothing to fix.')
})

const examination = (findings: Finding[], failure?: string): Examination => ({
  findings,
  environment: 'production',
  settings: null,
  output: '',
  ...(failure === undefined ? {} : { failure: { message: failure, isConsequence: false } }),
})

/** Writes the fixes of findings; what is found then depends on the text of the file. */
async function written(
  t: Test,
  before: Finding[],
  found: (text: string) => Examination,
): Promise<{ said: string; text: string; findings: Finding[] }> {
  const cwd = t.testdir({ 'app.js': TEXT })
  const file = join(cwd, 'app.js')
  const project = await Project.open()
  const err: string[] = []
  const io = { cwd, err: (text: string) => void err.push(text) }
  const again = async (): Promise<Examination> => found(readFileSync(file, 'utf8'))
  const { findings } = await writeFixes(project, { file }, examination(before), again, io)
  const text = readFileSync(file, 'utf8')
  t.equal(project.original(file), text)
  return { said: err.join('\n'), text, findings }
}

t.test('fixes that are written make the app better, or are taken back', async (t) => {
  const [first] = FINDINGS as [Finding]
  const fatal = { ...first, severity: 'fatal', phase: 'register' } as Finding
  const later = { ...finding('new', {}), phase: 'ready' } as Finding
  const warning = { ...later, phase: 'register', severity: 'warning' } as Finding
  const cases: [Finding[], Examination, string, RegExp][] = [
    [[first], examination([]), `'proxy'`, /^Wrote app\.js\.\nFixed session\/first\.$/],
    [[first], examination([later]), `'proxy'`, /^Wrote/],
    [[first], examination([later], 'no database'), `'proxy'`, /^Wrote/],
    [[first], examination([], 'SyntaxError'), `'x'`, /^Left session\/first as it is: with its fix/],
    [[first], examination([{ ...warning, severity: 'fatal' }]), `'x'`, /^Left session\/first/],
    [[first], examination([warning]), `'x'`, /^Left session\/first/],
    [[fatal], examination([warning]), `'proxy'`, /^Wrote/],
    [[fatal, warning], examination([fatal, warning]), `'proxy'`, /^Wrote/],
    [[finding('words', {})], examination([]), `'x'`, /^Nothing was written: no finding/],
  ]
  for (const [before, after, tls, said] of cases) {
    const result = await written(t, before, () => after)
    t.match(result.said, said)
    t.equal(result.text, TEXT.replace(`'x'`, tls))
    t.strictSame(result.findings, tls === `'x'` ? before : after.findings)
  }
})

t.test('a fix that makes the app worse is left out, and the others are written', async (t) => {
  const safe = (rule: string, patch: FindingFix['patch']): Finding => ({
    ...finding(rule, { confidence: 'safe', patch: patch ?? [] }),
    phase: 'register',
    severity: 'fatal',
  })
  const before = [
    safe('tls', [{ op: 'set', pointer: '/tls', source: `'proxy'` }]),
    finding('words', {}),
    safe('bad', [{ op: 'set', pointer: '/bad', source: 'true' }]),
    safe('age', [{ op: 'remove', pointer: '/maxAge' }]),
  ]
  const found = (text: string): Examination => {
    const left = before.filter(({ rule }) => {
      if (rule === 'session/tls') return text.includes(`'x'`)
      if (rule === 'session/age') return text.includes('maxAge')
      return true
    })
    return examination(text.includes('bad') ? [...left, safe('worse', [])] : left)
  }
  const { said, text, findings } = await written(t, before, found)
  t.equal(text, `export default {\n  tls: 'proxy',\n}\n`)
  t.match(said, /^Fixed session\/tls\.\nFixed session\/age\.\nWrote app\.js\.\nLeft session\/bad as it is/)
  t.strictSame(
    findings.map(({ rule }) => rule),
    ['session/words', 'session/bad'],
  )
})

t.test('an expression is the decision of its author: a fix of it is printed, and not written', async (t) => {
  const cases: [string, 'safe' | 'review'][] = [
    [`'x'`, 'safe'],
    ['`x`', 'safe'],
    ['-5', 'safe'],
    [`['a', { b: 1 }]`, 'safe'],
    ['`x${y}`', 'review'],
    [`process.env.DEV ? 'x' : 'y'`, 'review'],
    ['process.env.TLS', 'review'],
    [`tlsOf('x')`, 'review'],
    ['tls', 'review'],
    [`process.env.TLS ?? 'x'`, 'review'],
    ['[, 1]', 'review'],
    ['[...all]', 'review'],
  ]
  for (const [expression, confidence] of cases) {
    const file = join(t.testdir({ 'app.js': `export default { tls: ${expression}, store }\n` }), 'app.js')
    for (const patch of [FINDINGS[0]?.fix.patch, [{ op: 'remove', pointer: '/tls' }]] as FindingFix['patch'][]) {
      const project = await Project.open()
      const one = [finding('x', { confidence: 'safe', patch: patch ?? [] })]
      const all = planFixes(project, file, one, { isSafeOnly: false, nameOf: () => 'app.js' })
      t.strictSame(
        all.patches.map((each) => each.confidence),
        [confidence],
        expression,
      )
      project.restore(new Map())
      const safe = planFixes(project, file, one, { isSafeOnly: true, nameOf: () => 'app.js' })
      t.equal(safe.patches.length, confidence === 'safe' ? 1 : 0)
      t.equal(safe.texts.size, safe.patches.length)
    }
  }
  const spread = join(t.testdir({ 'app.js': 'export default { store, ...(dev ? { tls: 1 } : {}) }\n' }), 'app.js')
  const plan = planFixes(await Project.open(), spread, FINDINGS.slice(0, 1), { isSafeOnly: false, nameOf: () => 'a' })
  t.equal(plan.patches[0]?.confidence, 'review', 'the option may stand in what is spread')
})

t.test('check --fix prints patches, and --write says what was written', async (t) => {
  const fixed = await cli(['check', 'sound.ts', '--fix', '--env', 'test'])
  t.match(fixed, { code: 0, out: /\n\n# Nothing to fix\.$/ })
  const byHand = await cli(['check', 'options.ts', '--fix', '--env', 'test'])
  t.match(byHand, { code: 0, out: /\n\n# by hand: session\/secret-in-source$/ })
  const { out } = await cli(['check', 'options.ts', '--fix', '--format', 'json'])
  t.strictSame((JSON.parse(out) as { patches: unknown }).patches, [])
  t.match(await cli(['check', 'options.ts', '--write']), { code: 0, err: /Nothing was written: no finding/ })
})

t.test('without the parser check finds the same, and refuses to fix', async (t) => {
  const hooks = `export const resolve = (specifier, context, next) => {
    if (specifier === 'oxc-parser') throw new Error('not installed')
    return next(specifier, context)
  }`
  const text = (code: string): string => `data:text/javascript,${encodeURIComponent(code)}`
  const hide = text(`import { register } from 'node:module'; register(${JSON.stringify(text(hooks))})`)
  const start = (...argv: string[]): { status: number | null; stdout: string; stderr: string } =>
    spawnSync(
      process.execPath,
      [...process.execArgv, '--import', hide, `${ROOT}lib/cli/main.ts`, ...argv, '--timeout', '10m'],
      {
        cwd: FIXTURES,
        encoding: 'utf8',
      },
    )
  t.match(start('check', 'options.ts', '--fix'), { status: 2, stdout: '', stderr: /need the package oxc-parser/ })
  const found = start('check', 'builder.ts', '--env', 'production')
  t.equal(found.status, 1)
  t.match(found.stdout, 'session/memory-store')
  t.notMatch(found.stdout, /builder\.ts:\d/)
})

t.test('a diff is one that patch programs take, whatever changed', async (t) => {
  const lines = Array.from({ length: 40 }, (_, index) => `line ${index}`)
  const changed = (...edits: [number, string[]][]): string => {
    const copy = lines.map((line, index) => edits.find(([at]) => at === index)?.[1] ?? [line])
    return copy.flat().join('\n')
  }
  const pairs: [string, string][] = [
    [changed(), changed([3, ['new']], [5, []], [30, ['a', 'b', 'c']])],
    [`${changed()}\n`, changed()],
    ['a\n', 'a\nb\n'],
    ['a\nb\nc\n', 'c\nb\na\n'],
    ['x\n', ''],
    ['one', 'two'],
    ['a\nb\nc\nd\n', 'a\nx\nb\nd\ny\n'],
  ]
  for (const [before, after] of pairs) {
    const folder = t.testdir({ 'a.txt': before, 'x.patch': `${unifiedDiff('a.txt', before, after)}\n` })
    await run('git', ['apply', '--unidiff-zero', 'x.patch'], { cwd: folder })
    t.equal(readFileSync(join(folder, 'a.txt'), 'utf8'), after)
  }
  t.equal(unifiedDiff('a', 'same\n', 'same\n'), '')
  const [many, others] = ['a\n'.repeat(2_100), 'b\n'.repeat(2_100)]
  t.match(unifiedDiff('a', many, others), '@@ -1,2100 +1,2100 @@')
})
