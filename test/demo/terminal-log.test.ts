import t from 'tap'
import { terminalLog } from '../../lib/demo/terminal-log.ts'

const said = (use: (log: ReturnType<typeof terminalLog>) => void): string[] => {
  const lines: string[] = []
  use(
    terminalLog(
      (line) => lines.push(`out ${line}`),
      (line) => lines.push(`err ${line}`),
    ),
  )
  return lines
}

t.test('the terminal log writes warnings and errors to the error stream, with their cause', async (t) => {
  t.strictSame(
    said((log) => {
      log.warn('careful')
      log.warn({ rule: 'session/x' }, 'session/x: careful')
      log.error({ err: new Error('no answer') }, 'a request failed')
      log.fatal({ err: 'odd' })
    }),
    ['err ⚠ careful', 'err ⚠ session/x: careful', 'err ✖ a request failed (no answer)', 'err ✖'],
  )
})

t.test('the terminal log writes a session event as a line with user and handle', async (t) => {
  t.strictSame(
    said((log) => {
      log.info({ audit: { type: 'login', userId: 'alice', handle: 'h', at: 1 } }, 'session login')
      log.info({ audit: { type: 'expire', userId: null, handle: 'h', reason: 'idle' } }, 'session expire')
      log.warn({ audit: { type: 'forged', reason: 'signature' } }, 'session forged')
    }),
    ['out · session login alice h', 'out · session expire h idle', 'err ⚠ session forged signature'],
  )
})

t.test('the terminal log leaves out requests and everything below info', async (t) => {
  t.strictSame(
    said((log) => {
      log.info('Server listening')
      log.info({ req: {} }, 'incoming request')
      log.info(null)
      log.debug('x')
      log.trace('x')
      log.silent('x')
    }),
    [],
  )
})

t.test('the terminal log uses the same logger for each request', async (t) => {
  t.strictSame(
    said((log) => log.child({ reqId: 1 }).warn('careful')),
    ['err ⚠ careful'],
  )
})
