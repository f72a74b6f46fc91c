import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../../benchmarks/main.ts', import.meta.url))

/** Runs the benchmark as `npm run benchmark` does, but from source, and out of sight of the coverage of this suite. */
async function benchmark(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const loader = process.execArgv.filter((option) => !option.includes('processinfo'))
  const env = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !/^_?TAP/.test(name))
  const child = spawn(process.execPath, [...loader, MAIN, ...args], { env: Object.fromEntries(env) })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await exit, stdout, stderr }
}

/** The cells of the first Markdown table in a text, its rule left out. */
function cellsOf(markdown: string): string[][] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => line.startsWith('|'))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines
    .slice(start, end)
    .filter((line) => !line.startsWith('|-'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}

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

t.test('a misspelt peer ends the run with the names there are', async (t) => {
  const { code, stderr } = await benchmark('--peer', 'session-gard')
  t.equal(code, 1)
  t.match(stderr, /no peer is named session-gard/)
  t.match(stderr, /session-guard/)
})
