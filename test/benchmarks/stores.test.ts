import t from 'tap'
import { benchmark, cellsOf } from './run.ts'

const TINY = ['--rounds', '1', '--duration', '0.1', '--warmup', '0.1', '--connections', '1']

const PEERS = ['guard-redis', 'guard-postgres', 'fastify-connect-redis'].flatMap((name) => ['--peer', name])

t.setTimeout(240_000)

t.test('a tiny run measures each store beside its peers, counts round trips and judges the targets', async (t) => {
  const { code, stdout, stderr } = await benchmark('stores', ...TINY, '--scenario', 'user', ...PEERS)
  t.equal(code, 0, stderr)
  const [head, ...rows] = cellsOf(stdout)
  const column = (title: string): (string | undefined)[] => rows.map((row) => row[head?.indexOf(title) ?? -1])
  t.strictSame(column('round trips'), ['1 get', '1 get', '1 select'])
  for (const rate of column('per second')) t.ok(Number(rate?.replaceAll(',', '')) > 0)
  const targets = cellsOf(stdout.slice(stdout.indexOf('| scenario')))
  t.strictSame(
    targets.map((row) => row[3]),
    ['target', '1.30'],
  )
})

t.test('a small sweep is timed on SQLite and PostgreSQL', async (t) => {
  const { code, stdout, stderr } = await benchmark('stores', '--sweep', '--rows', '1200')
  t.equal(code, 0, stderr)
  const [head, ...rows] = cellsOf(stdout)
  t.strictSame(head?.slice(0, 3), ['store', 'expired', 'per second'])
  t.strictSame(
    rows.map((row) => row[1]),
    ['1,200', '1,200'],
  )
})

t.test('a misspelt server ends the run with the names there are', async (t) => {
  const { code, stderr } = await benchmark('stores', '--server', 'mysql')
  t.equal(code, 1)
  t.match(stderr, /no server is named mysql[^]*only this server \(repeatable\): redis, postgres/)
})
