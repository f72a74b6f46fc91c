import t from 'tap'
import { SecureSessionError } from '../../../lib/errors.ts'
import { explainFailure, placeOf } from '../../../lib/stores/open/words.ts'

t.test('a password of the URL is taken out of what a driver says, as written and as meant', async (t) => {
  const url = 'postgres://ann:p%40ss%2Fword@db.example:5433/x?password=other%20one'
  const said = new Error('p%40ss%2Fword, p@ss/word and other one do not work for ann')
  t.equal(explainFailure(said, url), '***, *** and *** do not work for ann')
  t.equal(
    explainFailure(new SecureSessionError('SESSION_STORE_UNAVAILABLE', { cause: said }), url),
    '***, *** and *** do not work for ann',
  )
  t.equal(explainFailure(new Error('not a%zz'), 'postgres://ann:a%zz@db.example/x'), 'not ***')
  t.equal(explainFailure(said, 'sqlite:x'), said.message)
  t.equal(explainFailure(said, 'no url'), said.message)
})

t.test('a password of fewer than four characters is taken out only where it stands by itself', async (t) => {
  const said = (text: string, password: string): string =>
    explainFailure(new Error(text), `postgres://app:${password}@db.example/x`)
  t.equal(said('password of app is not a, and not a', 'a'), 'password of app is not ***, and not ***')
  t.equal(said('passwordabc is not abc', 'abc'), 'passwordabc is not ***')
  t.equal(said('passwordlong is wrong', 'long'), 'password*** is wrong')
  t.equal(said('passwordlong1 is wrong', 'long1'), 'password*** is wrong')
  t.equal(said('not $a+', '$a+'), 'not ***')
})

t.test('the place of a store is its host and port, or the path of a file', async (t) => {
  t.equal(placeOf('postgres://ann:secret@db.example:5433/x'), 'db.example:5433')
  t.equal(placeOf('postgres:///sessions'), 'its default address')
  t.equal(placeOf('sqlite:x.db'), 'sqlite:x.db')
  t.equal(placeOf('no url'), 'no url')
})
