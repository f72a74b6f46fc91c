import { spawnSync } from 'node:child_process'
import { readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
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

t.test('fixes that are written make the app better, or are taken back', async (t) => {
  const examination = (findings: Finding[], failure?: string): Examination => ({
    findings,
    environment: 'production',
    settings: null,
    output: '',
    ...(failure === undefined ? {} : { failure: { message: failure, isConsequence: false } }),
  })
  const [first] = FINDINGS as [Finding]
  const later = { ...finding('new', {}), phase: 'ready' } as Finding
  const cases: [Finding[], Examination, string, RegExp][] = [
    [[first], examination([]), `'proxy'`, /^Wrote app\.js\.\nFixed session\/first\.$/],
    [[first], examination([later]), `'proxy'`, /^Wrote/],
    [[first], examination([later], 'no database'), `'proxy'`, /^Wrote/],
    [[first], examination([], 'SyntaxError'), `'x'`, /^Nothing was written: with/],
    [[first], examination([{ ...later, phase: 'register' }]), `'x'`, /^Nothing was written: with/],
    [[finding('words', {})], examination([]), `'x'`, /^Nothing was written: no finding/],
  ]
  for (const [before, after, tls, said] of cases) {
    const cwd = t.testdir({ 'app.js': TEXT })
    const file = join(cwd, 'app.js')
    const project = await Project.open()
    const err: string[] = []
    const io = { cwd, err: (text: string) => void err.push(text) }
    const found = await writeFixes(project, { file }, examination(before), async () => after, io)
    t.match(err.join('\n'), said)
    t.equal(readFileSync(file, 'utf8'), TEXT.replace(`'x'`, tls))
    t.strictSame(found.findings, tls === `'x'` ? before : after.findings)
    t.equal(project.original(file), readFileSync(file, 'utf8'))
  }
})

t.test('check --fix prints patches, and --write says what was written', async (t) => {
  const fixed = await cli(['check', 'sound.ts', '--fix', '--env', 'test'])
  t.match(fixed, { code: 0, out: /\n\n# Nothing to fix\.$/ })
  const byHand = await cli(['check', 'options.ts', '--fix', '--env', 'test'])
  t.match(byHand, { code: 0, out: /\n\n# by hand: session\/secret-in-source$/ })
  t.match(JSON.parse((await cli(['check', 'options.ts', '--fix', '--format', 'json'])).out), { patches: [] })
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
