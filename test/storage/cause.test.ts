import { inspect } from 'node:util'
import t from 'tap'
import { advise, adviceOf, causeOf } from '../../lib/storage/cause.ts'

t.test('a cause has the name, the code and the message of what a driver threw, and nothing else', async (t) => {
  const thrown = Object.assign(new TypeError('WRONGTYPE of this key', { cause: new Error('hunter2') }), {
    code: 'ERR_X',
    command: { name: 'evalsha', args: ['hunter2'] },
    detail: 'Key (handle)=(hunter2)',
  })
  const cause = causeOf(thrown)
  t.type(cause, Error)
  t.match(cause, { name: 'TypeError', code: 'ERR_X', message: 'WRONGTYPE of this key' })
  t.strictSame(Object.keys(cause), ['code'])
  t.equal(cause.cause, undefined)
  t.notMatch(inspect(cause, { depth: null, showHidden: true }), 'hunter2')
  t.match(causeOf(Object.assign(new Error('busy'), { code: 5 })), { code: 5 })
})

t.test('arguments that Redis repeats are cut from the message, and a long message is cut off', async (t) => {
  const message = 'ERR unknown command `evalsha`, with args beginning with: `abc` `{"data":"hunter2"}`'
  t.equal(causeOf(new Error(message)).message, 'ERR unknown command `evalsha`')
  t.equal(causeOf(new Error('x'.repeat(10_000))).message.length, 500)
  t.equal(causeOf('x'.repeat(10_000)).message.length, 500)
})

t.test('errors of several attempts to connect are all named, each message once', async (t) => {
  const attempts = ['connect ECONNREFUSED ::1:1', 'connect ECONNREFUSED 127.0.0.1:1', 'connect ECONNREFUSED ::1:1']
  const all = new AggregateError(attempts.map((message) => new Error(message)))
  t.equal(causeOf(all).message, 'connect ECONNREFUSED ::1:1; connect ECONNREFUSED 127.0.0.1:1')
  t.equal(causeOf(all).name, 'AggregateError')
  t.equal(causeOf(new AggregateError([], 'all of them')).message, 'all of them')
  t.equal(causeOf(new AggregateError([new Error('down')])).message, 'down')
  t.equal(causeOf(new AggregateError([])).message, 'unknown error')
  t.equal(causeOf(Object.assign(new Error(''), { code: '' })).message, 'unknown error')
  const circular = new AggregateError([])
  circular.errors.push(circular, new Error('the first of them'))
  t.equal(causeOf(circular).message, 'unknown error; the first of them')
})

t.test('names and codes are bounded too, and no more than four attempts are named', async (t) => {
  const long = 'X'.repeat(1_000)
  const cause = causeOf(Object.assign(new Error('down'), { name: long, code: long }))
  t.strictSame([cause.name.length, (cause as Error & { code: string }).code.length], [60, 60])
  t.equal(causeOf(Object.assign(new Error(''), { code: long })).message.length, 60)
  const attempts = Array.from({ length: 9 }, (_, index) => new Error(`attempt ${index}`))
  t.equal(causeOf(new AggregateError(attempts)).message, 'attempt 0; attempt 1; attempt 2; attempt 3')
})

t.test('an error of a class without a name of its own has the name of the class', async (t) => {
  class ConnectionError extends Error {}
  const cause = causeOf(new ConnectionError('down'))
  t.equal(cause.name, 'ConnectionError')
  cause.name = 'Renamed'
  t.equal(cause.name, 'Renamed', 'as of any error')
  t.equal(causeOf(Object.assign(Object.create(null), { name: 'Error', message: 'down' })).name, 'Error')
})

t.test('what this package said of an error stays with its cause', async (t) => {
  const error = new Error('NOPERM')
  advise(error, 'Let the user of the store run EVALSHA', 'Redis')
  const cause = causeOf(error)
  t.equal(cause.message, 'Let the user of the store run EVALSHA. Redis says: NOPERM')
  t.equal(adviceOf(cause), 'Let the user of the store run EVALSHA')
  t.equal(adviceOf(causeOf(new Error('down'))), undefined)
  t.equal(adviceOf(undefined), undefined)
})

t.test('a cause is an error whatever was thrown', async (t) => {
  t.equal(causeOf(Object.assign(new Error(''), { code: 'ECONNRESET' })).message, 'ECONNRESET')
  t.equal(causeOf('text').message, 'text')
  for (const thrown of [undefined, null, 7, '', {}, { message: 7, name: 7 }]) {
    t.match(causeOf(thrown), { name: 'Error', message: 'unknown error' })
  }
})
