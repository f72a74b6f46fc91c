import t from 'tap'
import type { OutputOptions } from '../../lib/cli/output.ts'
import { choiceOf, report } from '../../lib/cli/output.ts'
import { checkConfig } from '../../lib/guard/check.ts'
import { good } from '../guard/configs.ts'

const OPTIONS: OutputOptions = {
  format: 'pretty',
  failLevel: 'fatal',
  showSilenced: false,
  obeysSilence: true,
  target: 'app.js',
  environment: 'production (from NODE_ENV)',
}

const SILENCED = good({ cookie: { domain: 'example.com' }, silence: [{ rule: 'domain-wide', reason: 'one login' }] })

/** Exit code and text of a report. */
function write(config: unknown, options: Partial<OutputOptions>, env = {}): { code: number; out: string[] } {
  const out: string[] = []
  const io = {
    out: (text: string) => out.push(text),
    err: (text: string) => t.fail(text),
    env,
    cwd: '/',
    isTerminal: true,
  }
  const code = report(checkConfig(config, 'production'), io, { ...OPTIONS, ...options })
  return { code, out }
}

t.test('the level decides what is a failure', async (t) => {
  const levels = ['fatal', 'warning', 'info'] as const
  const codes = (config: object): number[] => levels.map((failLevel) => write(config, { failLevel }).code)
  t.strictSame(codes(good()), [0, 0, 0])
  t.strictSame(codes(good({ maxSessions: undefined })), [0, 0, 1])
  t.strictSame(codes(good({ cookie: { name: 'id' } })), [0, 1, 1])
  t.strictSame(codes({}), [1, 1, 1])
  t.strictSame(codes(SILENCED), [0, 0, 0])
})

t.test('silence can be shown, and disobeyed', async (t) => {
  t.match(write(SILENCED, {}).out[0], '1 silenced: session/domain-wide')
  t.match(write(SILENCED, { showSilenced: true }).out[0], 'silenced: one login')
  t.equal(write(SILENCED, { obeysSilence: false, failLevel: 'warning' }).code, 1)
})

t.test('each format is written as it is', async (t) => {
  t.match(
    write({}, {}, { NO_COLOR: '1' }).out[0],
    /^app.js: 2 fatal, 1 warning, 1 info\n {2}environment: production \(from NODE_ENV\)\n/,
  )
  t.match(write({}, {}).out[0], '\u001b[31;1m')
  t.match(JSON.parse(write({}, { format: 'json' }).out[0] ?? ''), { schemaVersion: 1, target: 'app.js' })
  t.match(JSON.parse(write({}, { format: 'sarif' }).out[0] ?? ''), { version: '2.1.0' })
  t.match(write({}, { format: 'github' }).out[0], /^::error file=app.js/)
  t.strictSame(write(good(), { format: 'github' }).out, [], 'nothing is better than an empty line')
})

t.test('a choice is one of its words', async (t) => {
  t.equal(choiceOf('--x', 'b', ['a', 'b']), 'b')
  t.throws(() => choiceOf('--x', 'c', ['a', 'b']), { message: '--x is one of a, b, not c.' })
})
