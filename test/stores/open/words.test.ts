import t from 'tap'
import { firstLine } from '../../lib/stores/open/drivers.ts'
import { explainFailure, placeOf } from '../../lib/stores/open/words.ts'
import { SecureSessionError } from '../../lib/errors.ts'

t.test('an error is one line, whatever was thrown', async (t) => {
  t.equal(firstLine(new Error('one\ntwo')), 'one')
  t.equal(
    firstLine(new AggregateError([new Error('connect ECONNREFUSED ::1:1'), new Error('b')])),
    'connect ECONNREFUSED ::1:1; b',
  )
  t.equal(firstLine(new AggregateError([], 'all of them')), 'all of them')
  t.equal(firstLine(new AggregateError([])), 'unknown error')
  t.equal(firstLine(Object.assign(new Error(''), { code: 'ECONNRESET' })), 'ECONNRESET')
  for (const thrown of [undefined, null, 7, {}, { message: 7 }]) t.equal(firstLine(thrown), 'unknown error')
})

t.test('a password of the URL is taken out of what a driver says, as written and as meant', async (t) => {
  const url = 'postgres://ann:p%40ss%2Fword@db.example:5433/x?password=other%20one'
  const said = new Error('p%40ss%2Fword, p@ss/word and other one do not work for ann')
  t.equal(explainFailure(said, url), '***, *** and *** do not work for ann')
  t.equal(
    explainFailure(new SecureSessionError('SESSION_STORE_UNAVAILABLE', { cause: said }), url),
    '***, *** and *** do not work for ann',
  )
  t.equal(explainFailure(new Error('not a%zz'), 'postgres://ann:a%zz@db.example/x'), 'not ***')
  t.equal(
    explainFailure(new Error('password of app is not a'), 'postgres://app:a@db.example/x'),
    'password of app is not ***',
    'a short one is part of many words',
  )
  t.equal(explainFailure(new Error('not $a+'), 'postgres://app:$a+@db.example/x'), 'not ***')
  t.equal(
    explainFailure(new Error('passwordlong1 is wrong'), 'postgres://app:long1@db.example/x'),
    'password*** is wrong',
  )
  t.equal(explainFailure(said, 'sqlite:x'), said.message)
  t.equal(explainFailure(said, 'no url'), said.message)
  t.equal(placeOf(url), 'db.example:5433')
  t.equal(placeOf('sqlite:x.db'), 'sqlite:x.db')
})
