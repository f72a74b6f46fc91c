import { spawn } from 'node:child_process'
import { mkdirSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { mutate } from '../../benchmarks/mutants/mutate.ts'
import { draw } from '../../benchmarks/mutants/plan.ts'
import { outdated } from '../../benchmarks/mutants/report.ts'

const MAIN = fileURLToPath(new URL('../../benchmarks/mutants/main.ts', import.meta.url))

t.setTimeout(480_000)

function changes(source: string): string[] {
  return mutate(source, 'lib/session/x.ts', 1, './switches.js').all.map(({ before, after }) => `${before} → ${after}`)
}

/** Runs the command on another project, from source. */
async function run(root: string, ...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const loader = process.execArgv.filter((option) => !option.includes('processinfo'))
  const env = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !/^_?TAP/.test(name))
  const TMPDIR = join(root, 'temporary')
  mkdirSync(TMPDIR, { recursive: true })
  const options = { env: { ...Object.fromEntries(env), TMPDIR } }
  const child = spawn(process.execPath, [...loader, MAIN, '--root', root, ...args], options)
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await exit, stdout, stderr }
}

t.test('each operator, condition, literal, call and result of a file is changed once at a time', async (t) => {
  t.strictSame(changes('if (a < b) c()'), ['a < b → a <= b', 'a < b → true', 'a < b → false', 'c() → (removed)'])
  t.strictSame(changes('export const x = a && b'), ['a && b → a || b'])
  t.strictSame(changes('export const x = a ?? b'), ['a ?? b → a && b'])
  t.strictSame(changes('export const x = a + 1'), ['1 → 2', '1 → 0', 'a + 1 → a - 1'])
  t.strictSame(changes('export const x = a?.b?.c'), ['a?.b?.c → a?.b.c', 'a?.b?.c → a.b?.c'])
  t.strictSame(changes('await a()'), ['await a() → a();', 'await a() → (removed)'])
  t.strictSame(changes("export const x = { y: 'z' }"), [`'z' → ""`, "{ y: 'z' } → {}"])
  t.strictSame(changes('export const x = 0.5'), ['0.5 → 1', '0.5 → 0.25'])
  t.strictSame(changes('export const x = [60_000]'), ['60_000 → 120000', '60_000 → 30000', '[60_000] → []'])
  t.strictSame(changes('export function x() { return a }'), ['a → void 0'])
  t.strictSame(changes('function x() { a(); b() }').at(-1), '{ a(); b() } → {}')
  t.strictSame(changes("import a from 'b'\ninterface C { d: 'e' }\nexport const x: 'f' = a as 'g'"), [])
})

t.test('a mutant that is not chosen leaves the code as it was written', async (t) => {
  const { code } = mutate(
    'export const x = (a: number, b?: { c: number }) => a < 2 && !b?.c',
    'lib/session/x.ts',
    1,
    's',
  )
  const body = code.replace(/^import .*\n/, '').replace('export const x =', 'return')
  // eslint-disable-next-line typescript/no-implied-eval -- the code of the test itself
  const x = new Function('isMutant', body)(() => false) as (a: number, b?: { c: number }) => boolean
  t.equal(x(1), true)
  t.equal(x(2), false)
  t.equal(x(1, { c: 1 }), false)
})

t.test('an explanation is outdated if its file was mutated, and has no such mutant', async (t) => {
  const { all } = mutate('export const isOld = (age) => age > 1', 'lib/session/x.ts', 1, './switches.js')
  const [{ around, before, after } = { around: '', before: '', after: '' }] = all
  const known = `lib/session/x.ts | ${around} | ${before} → ${after}`
  const gone = `lib/session/x.ts | ${around} | age → youth`
  const explanations = { [known]: 'equivalent', [gone]: 'equivalent', 'lib/other.ts | f | 1 → 2': 'equivalent' }
  t.strictSame(outdated(all, explanations), [gone])
})

t.test('the same seed draws the same sample', async (t) => {
  const all = Array.from({ length: 100 }, (_, index) => index)
  t.strictSame(draw(all, 10, 7), draw(all, 10, 7))
  t.notSame(draw(all, 10, 7), draw(all, 10, 8))
  t.equal(new Set(draw(all, 100, 7)).size, 100)
})

t.test('a change that a test notices is killed, and a change that no test notices is reported', async (t) => {
  const root = t.testdir({
    'package.json': '{ "type": "module" }',
    lib: {
      session: {
        'age.ts': [
          'export function isOld(age: number): boolean {',
          '  return age > 9',
          '}',
          'export function unused(): string {',
          "  return 'never run'",
          '}',
          'export async function wait(isDone: boolean): Promise<void> {',
          '  while (!isDone) await new Promise(setImmediate)',
          '}',
          '',
        ].join('\n'),
      },
    },
    test: {
      session: {
        'age.test.ts': [
          "import { mkdtempSync } from 'node:fs'",
          "import { tmpdir } from 'node:os'",
          "import { join } from 'node:path'",
          "import t from 'tap'",
          "import { isOld, wait } from '../../lib/session/age.ts'",
          "t.test('ten is old', async (t) => t.equal(isOld(10), true))",
          "t.test('one is not old', async (t) => t.equal(isOld(1), false))",
          "t.test('what is done is not waited for', async () => {",
          "  mkdtempSync(join(tmpdir(), 'of-a-server-'))",
          '  await wait(true)',
          '})',
          '',
        ].join('\n'),
      },
    },
  })
  const { code, stdout, stderr } = await run(root, '--out', '.')
  t.equal(code, 0, stderr)
  t.match(stdout, /^9 mutants$/m)
  const survivors = stdout.slice(stdout.indexOf('## Survivors')).split('\n').slice(4).join('\n')
  t.match(survivors, 'lib/session/age.ts:2 | `age > 9` | `age >= 9`')
  t.match(survivors, 'lib/session/age.ts:5 | `\'never run\'` | `""` | no test reaches it |')
  t.notMatch(survivors, '`age > 9` | `age <= 9`', 'killed')
  t.match(stdout, /\| lib\/session +\| +9 \|/)

  t.strictSame(readdirSync(join(root, 'temporary')), [], 'a process that is ended leaves nothing behind')

  const again = await run(root, '--out', '.')
  t.notMatch(again.stdout, 'tests of', 'known results are not measured again')
  t.equal(again.stdout.slice(again.stdout.indexOf('## Survivors')), stdout.slice(stdout.indexOf('## Survivors')))

  t.equal((await run(root, '--report', '--room', 'http')).code, 0)
  const mutated = readFileSync(join(root, 'dist/mutants/lib/session/age.js'), 'utf8')
  t.match(mutated, 'isMutant', 'a report of another room leaves alone what a search may be running')
})

t.test('what the first tests let pass meets the others in groups, and each mutant is judged by itself', async (t) => {
  const root = t.testdir({
    'package.json': '{ "type": "module" }',
    lib: {
      session: {
        'age.ts': [
          "export const KIND = typeof globalThis === 'object' ? 'live' : ''",
          'const OLD = 9',
          'const GRACE = 3',
          'export function isOld(age: number): boolean {',
          '  return age > OLD',
          '}',
          'export function isDue(age: number): boolean {',
          '  return age >= OLD + GRACE',
          '}',
          '',
        ].join('\n'),
        'tag.ts': "export function tagOf(kind: string): string {\n  return kind === 'live' ? 'open' : ''\n}\n",
        'name.ts': "export function nameOf(first: string): string {\n  return first === '' ? 'nobody' : first\n}\n",
      },
    },
    test: {
      session: {
        'first.test.ts': [
          "import t from 'tap'",
          "import { isDue, isOld } from '../../lib/session/age.ts'",
          "import { tagOf } from '../../lib/session/tag.ts'",
          'export const TAG = tagOf("live")',
          "for (let nth = 0; nth < 40; nth += 1) t.test('it answers', async (t) => {",
          "  t.type(isOld(nth % 2 === 0 ? 0 : 100), 'boolean')",
          "  t.type(isDue(nth % 2 === 0 ? 0 : 100), 'boolean')",
          "  t.type(tagOf('live'), 'string')",
          '})',
          '',
        ].join('\n'),
        'last.test.ts': [
          "import t from 'tap'",
          "import { KIND, isDue, isOld } from '../../lib/session/age.ts'",
          "import { nameOf } from '../../lib/session/name.ts'",
          "import { tagOf } from '../../lib/session/tag.ts'",
          "t.test('the edges are where they were', async (t) => {",
          '  t.strictSame([isOld(9), isOld(10), isDue(11), isDue(12)], [false, true, false, true])',
          "  t.equal(KIND, 'live')",
          "  t.equal(nameOf('Ann'), 'Ann')",
          "  t.equal(tagOf('live'), 'open')",
          '})',
          '',
        ].join('\n'),
      },
    },
  })
  const { code, stdout, stderr } = await run(root, '--out', '.')
  t.equal(code, 0, stderr)
  t.match(stdout, /groups meet the other tests/)
  const survivors = stdout.slice(stdout.indexOf('## Survivors')).split('\n').slice(4).join('\n')
  t.strictSame(
    survivors.match(/age.ts:.* [|] `.*`/g),
    ["age.ts:1 | `typeof globalThis === 'object'` | `true`", 'age.ts:1 | `\'\'` | `"mutant"`'],
    'the others are killed, at the load too',
  )
  t.match(survivors, "lib/session/tag.ts:2 | `kind === 'live'` | `true`", 'no test asks for another kind')
  t.notMatch(survivors, "lib/session/tag.ts:2 | `'live'`", 'killed, though the change around it keeps it from running')
  t.match(survivors, 'lib/session/name.ts:2 | `\'nobody\'` | `""`', 'no test asks for a nobody')
})

t.test('a mutant that runs at the load and is alone in its group meets the other tests too', async (t) => {
  const root = t.testdir({
    'package.json': '{ "type": "module" }',
    lib: {
      session: { 'tag.ts': "export const tagOf = (kind: string): string => (kind === 'live' ? 'open' : 'shut')\n" },
    },
    test: {
      session: {
        'tag.test.ts': [
          "import t from 'tap'",
          "import { tagOf } from '../../lib/session/tag.ts'",
          "export const TAG = tagOf('live')",
          "for (let nth = 0; nth < 12; nth += 1) t.test('it is open', async (t) => t.equal(tagOf('live'), 'open'))",
          '',
        ].join('\n'),
      },
    },
  })
  const { code, stdout, stderr } = await run(root, '--out', '.')
  t.equal(code, 0, stderr)
  t.match(stdout, '1 groups meet the other tests')
  t.match(stdout, "lib/session/tag.ts:1 | `kind === 'live'` | `true`")
})

t.test('a value meets the tests that look at it without running the code beside it', async (t) => {
  const root = t.testdir({
    'package.json': '{ "type": "module" }',
    lib: {
      session: {
        'kinds.ts':
          "export const KINDS = ['live']\nexport function isKind(kind: string): boolean {\n  return kind !== ''\n}\n",
        'index.ts': "export { KINDS } from './kinds.ts'\n",
      },
    },
    test: {
      session: {
        'code.test.ts': [
          "import t from 'tap'",
          "import { isKind } from '../../lib/session/kinds.ts'",
          "t.test('it answers', async (t) => t.strictSame([isKind('x'), isKind('')], [true, false]))",
          '',
        ].join('\n'),
        'values.test.ts': [
          "import t from 'tap'",
          "import { KINDS } from '../../lib/session/index.ts'",
          "t.test('there is one kind', async (t) => t.strictSame(KINDS, ['live']))",
          '',
        ].join('\n'),
      },
    },
  })
  const { code, stdout, stderr } = await run(root, '--out', '.')
  t.equal(code, 0, stderr)
  t.match(stdout, /\| lib\/session\/kinds\.ts .*\| 100\.0 % \| +100\.0 % \|/)
})

t.test('a misspelt room ends the run with the rooms there are', async (t) => {
  const { code, stderr } = await run(t.testdir({}), '--room', 'sessions')
  t.equal(code, 1)
  t.match(stderr, /no room is named sessions[^]*session, connections, http, storage, stores, guard/)
})
