import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { benchmark, cellsOf } from './run.ts'

t.test('a tiny run checks each server, measures it, and gives a table and a chart', async (t) => {
  const out = t.testdir()
  const chosen = ['--scenario', 'user', '--peer', 'fastify-cookie', '--peer', 'session-guard']
  const size = ['--rounds', '1', '--amount', '100', '--connections', '2', '--out', out]
  const { code, stdout, stderr } = await benchmark(...chosen, ...size)
  t.equal(code, 0, stderr)

  const [head, ...rows] = cellsOf(stdout)
  t.strictSame(head?.slice(0, 3), ['scenario', 'server', 'per second'])
  t.strictSame(
    rows.map((row) => row[1]),
    ['Fastify + @fastify/cookie', '**fastify-session-guard**'],
  )
  for (const row of rows) {
    t.equal(row.length, head?.length)
    t.equal(row[0], 'logged in, reads the user')
    t.ok(Number(row[2]?.replaceAll(',', '')) > 0, 'a rate')
    t.ok(Number(row[4]) > 0, 'a ratio to Fastify + @fastify/cookie')
    t.equal(row[5], '–', 'no ratio to a peer that was not measured')
  }
  t.equal(await readFile(join(out, 'results.md'), 'utf8'), stdout)
  t.match(await readFile(join(out, 'results.svg'), 'utf8'), /^<svg .*<\/svg>\n$/s)
})

t.test('a bound session is measured beside one that is not bound, as a ratio and in microseconds', async (t) => {
  const size = ['--rounds', '1', '--amount', '100', '--connections', '2', '--warmup', '0.1']
  const { code, stdout, stderr } = await benchmark('--scenario', 'bound', ...size)
  t.equal(code, 0, stderr)
  const [, ...rows] = cellsOf(stdout)
  t.strictSame(
    rows.map((row) => row[1]),
    ['Fastify + @fastify/cookie', '**fastify-session-guard**', 'fastify-session-guard, bound'],
  )
  const [head, ...targets] = cellsOf(stdout.slice(stdout.lastIndexOf('| scenario')))
  t.strictSame(head, ['scenario', 'against', 'target', 'measured', 'by CPU', '+ CPU µs', 'reached'])
  t.equal(targets.length, 1)
  t.strictSame(targets[0]?.slice(0, 3), ['bound to a device, reads the user', 'fastify-session-guard', '+5 µs'])
  t.ok(Number(targets[0]?.[3]) > 0, 'a ratio')
  t.match(targets[0]?.[5], /^-?\d+\.\d$/)
})

t.test('a misspelt peer ends the run with the names there are', async (t) => {
  const { code, stderr } = await benchmark('--peer', 'session-gard')
  t.equal(code, 1)
  t.match(stderr, /no peer is named session-gard/)
  t.match(stderr, /session-guard/)
})
