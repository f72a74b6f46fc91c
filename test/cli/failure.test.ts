import { fileURLToPath } from 'node:url'
import t from 'tap'
import { failureOf } from '../../lib/cli/failure.ts'
import type { Ending, Failure } from '../../lib/cli/failure.ts'
import { checkConfig } from '../../lib/guard/check.ts'

const QUIET: Ending = {
  reports: [],
  settings: [],
  errors: [],
  output: '',
  forks: false,
  done: undefined,
  exitCode: 1,
  isLate: false,
}

const REFUSED = [{ findings: checkConfig({}, 'production'), environment: 'production' }]

function failure(ending: Partial<Ending>, file = '/srv/app.js'): Failure | undefined {
  return failureOf({ ...QUIET, ...ending }, file, '30s')
}

function failed(text: string, { stack = '', code = '' } = {}): Pick<Ending, 'errors'> {
  return { errors: [{ text, stack, code }] }
}

t.test('an examination that came to its end is no failure', async (t) => {
  t.equal(failure({ done: { nothing: null } }), undefined)
  t.match(failure({ done: { nothing: 'it exports nothing' } }), { message: 'it exports nothing', isConsequence: false })
})

t.test('the end of a process says why it came', async (t) => {
  t.match(failure({ exitCode: 13 }), { message: /a top-level await never settled/ })
  t.match(failure({ exitCode: 3 }), { message: 'its process ended with code 3 before it was ready' })
  t.match(failure({ exitCode: null }), { message: 'its process was killed before it was ready' })
  t.match(failure({ isLate: true, exitCode: null }), {
    message: 'it was not ready after 30s',
    hint: /a larger --timeout/,
  })
  t.match(failure(failed('Error: first')), { message: 'Error: first' })
})

t.test('a failure behind a refused registration is its consequence', async (t) => {
  t.equal(failure({ reports: REFUSED }), undefined, 'an app that ends its process does what it should')
  const after = failure({ reports: REFUSED, ...failed('TypeError: app.requireLogin is not a function') })
  t.match(after, { isConsequence: true, message: 'TypeError: app.requireLogin is not a function' })
  t.equal(after?.hint, undefined)
  t.match(failure({ reports: REFUSED, isLate: true }), { isConsequence: true })
  const findings = checkConfig({ environment: 'test' })
  t.match(failure({ reports: [{ findings, environment: 'test' }] }), { isConsequence: false })
})

t.test('known causes have a hint', async (t) => {
  const hints: [Partial<Ending>, string | undefined, string?][] = [
    [
      { ...failed('Error: Cannot find package pg imported from /srv/app.js', { code: 'ERR_MODULE_NOT_FOUND' }) },
      'npm install',
    ],
    [{ ...failed("Error: Cannot find module '/srv/dist/app.js'", { code: 'MODULE_NOT_FOUND' }) }, 'build the app'],
    [
      { errors: [{ text: 'TypeError: no db', stack: '', code: '', byCall: 'buildApp' }] },
      'check calls buildApp() without the values that it needs',
    ],
    [
      { errors: [{ text: 'TypeError: no db', stack: '', code: '', byCall: 'a name\nof many lines' }] },
      'check calls the exported function without the values that it needs',
    ],
    [{ output: "code: 'SESSION_GUARD_REFUSED'", exitCode: 1 }, 'in a worker thread or in another process'],
    [failed('TypeError: app.requireLogin is not a function'), 'await app.register(secureSession'],
    [
      failed("TypeError: Cannot read properties of undefined (reading 'revokeUser')"),
      'await app.register(secureSession',
    ],
    [
      failed("FastifyError: The decorator 'session' has already been added!", { code: 'FST_ERR_DEC_ALREADY_PRESENT' }),
      'another session plugin is registered beside secureSession',
    ],
    [
      failed("FastifyError: The decorator 'db' has already been added!", { code: 'FST_ERR_DEC_ALREADY_PRESENT' }),
      undefined,
    ],
    [failed('Error: connect ECONNREFUSED 127.0.0.1:6379'), '--offline'],
    [failed('AggregateError: ', { code: 'ECONNREFUSED' }), '--offline'],
    [{ isLate: true, output: '[ioredis] Error: connect ECONNREFUSED' }, '--offline'],
    [{ output: '[ioredis] Error: connect ECONNREFUSED' }, undefined],
    [
      failed('TypeError: Unknown file extension ".ts" for /srv/app.ts', { code: 'ERR_UNKNOWN_FILE_EXTENSION' }),
      '>= 22.18',
    ],
    [failed('TypeError: Unknown file extension ".css"', { code: 'ERR_UNKNOWN_FILE_EXTENSION' }), undefined],
    [failed('SyntaxError: enum', { code: 'ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX' }), 'without enums'],
    [failed('SyntaxError: Unexpected identifier'), '>= 22.18', '/srv/app.ts'],
    [{ ...failed('SyntaxError: Unexpected identifier'), output: '/srv/app.mts:3\nenum A' }, '>= 22.18'],
    [failed('SyntaxError: Unexpected identifier'), undefined],
    [{ done: { nothing: 'it made no Fastify app, and so on' } }, 'export the app'],
    [failed('RangeError: no'), undefined],
    [{ isLate: true, reports: [{ findings: [], environment: 'test' }] }, undefined],
  ]
  for (const [ending, hint, file] of hints) {
    const found = failure(ending, file)?.hint
    if (hint === undefined) t.equal(found, undefined, JSON.stringify(ending))
    else t.match(found, hint, JSON.stringify(ending))
  }
})

t.test('the line that threw is the first one of the app', async (t) => {
  const own = fileURLToPath(new URL('../../lib/cli/run.ts', import.meta.url))
  const stacks: [string, Failure['place']][] = [
    ['Error: x\n    at f (/srv/app.js:3:7)', { file: '/srv/app.js', line: 3, column: 7 }],
    ['Error: x\n    at file:///srv/my%20app.js:3:7', { file: '/srv/my app.js', line: 3, column: 7 }],
    ['Error: x\n    at async file:///srv/app.js:3:7', { file: '/srv/app.js', line: 3, column: 7 }],
    ['Error: x\n    at f (node:net:1:2)\n    at g (/srv/a.js:3:7)', { file: '/srv/a.js', line: 3, column: 7 }],
    ['Error: x\n    at f (node:internal/process/task_queues:95:5)', undefined],
    ['Error: x\n    at f (/srv/node_modules/pg/x.js:1:2)', undefined],
    [`Error: x\n    at f (${own}:1:2)`, undefined],
    ['Error: x\n    at file:///srv/a%2Fb.js:1:2', undefined],
    ['', undefined],
  ]
  for (const [stack, place] of stacks) t.strictSame(failure(failed('Error: x', { stack }))?.place, place, stack)
  const syntax = failed('SyntaxError: x', { stack: 'SyntaxError: x\n    at f (/srv/loader.js:1:2)' })
  t.strictSame(failure({ ...syntax, output: 'file:///srv/b.js:4\nconst = 1' })?.place, {
    file: '/srv/b.js',
    line: 4,
    column: 1,
  })
  t.equal(failure(syntax)?.place, undefined)
  t.strictSame(
    failure(failed('SyntaxError: x', { stack: '/srv/c.cjs:2\nconst = 1' }))?.place,
    { file: '/srv/c.cjs', line: 2, column: 1 },
    'CommonJS has it in the stack',
  )
})
