import t from 'tap'
import { postgresSchema } from '../../lib/stores/postgres.ts'
import { sqliteSchema } from '../../lib/stores/sqlite.ts'
import { type } from './terminal.ts'

t.test('the tables of a store are printed as the store makes them', async (t) => {
  t.strictSame(await type(['schema', '--store', 'postgres']), { code: 0, out: postgresSchema(), err: '' })
  t.strictSame(await type(['schema', '--store', 'sqlite']), { code: 0, out: sqliteSchema(), err: '' })
  t.equal((await type(['schema', '--store', 'postgres', '--table', 'auth.mine'])).out, postgresSchema('auth.mine'))
  t.equal((await type(['schema', '--store', 'sqlite', '--table', 'mine'])).out, sqliteSchema('mine'))
})

t.test('a store without tables, a table without a name and a URL are refused without being repeated', async (t) => {
  for (const argv of [
    [],
    ['--store', 'redis'],
    ['--store', 'postgres://u:hunter2@x'],
    ['--store', 'postgres', '--table', 'hunter2;'],
    ['--store', 'sqlite', '--table', 'hunter2;'],
    ['--store', 'sqlite', 'hunter2'],
  ]) {
    const { code, out, err } = await type(['schema', ...argv])
    t.equal(code, 2)
    t.equal(out, '')
    t.match(err, /--store|--table/)
    t.notMatch(err, 'hunter2')
  }
})
