import t from 'tap'
import { firstLine, loadDriver } from '../../../lib/stores/open/drivers.ts'
import { projectWith } from '../../support/projects.ts'
import { temporaryFolder } from '../../support/sqlite.ts'

t.test('a missing driver is named, with the command that installs it', async (t) => {
  const from = [temporaryFolder(t)]
  const needs: [names: [string, ...string[]], message: string][] = [
    [['pg'], 'This store needs the package pg, which this project does not have: npm install pg'],
    [
      ['redis', 'ioredis', 'a-third-one'],
      'This store needs the package redis (or ioredis, a-third-one), which this project does not have: npm install redis',
    ],
    [
      ['better-sqlite3', 'node:of-nobody'],
      'This store needs the package better-sqlite3, which this project does not have: npm install better-sqlite3',
    ],
    [['node:of-nobody'], 'This store needs better-sqlite3 13 or later: npm install better-sqlite3@latest'],
  ]
  for (const [names, message] of needs) t.throws(() => loadDriver(from, names), { message })
})

t.test('a driver that is there and does not load is not called missing', async (t) => {
  const broken = projectWith(t, { pg: 'throw new Error("built for another Node\\nsecond line")' })
  t.throws(() => loadDriver([broken], ['pg']), { message: 'The package pg does not load: built for another Node' })
  const incomplete = projectWith(t, { pg: 'require("pg-pool-of-nobody")' })
  t.throws(() => loadDriver([incomplete], ['pg']), { message: /^The package pg does not load: .*'pg-pool-of-nobody'/ })
  const itself = projectWith(t, { pg: `throw new Error("the binary of 'pg' is missing")` })
  t.throws(() => loadDriver([itself], ['pg']), { message: /^The package pg does not load: the binary of 'pg'/ })
})

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
