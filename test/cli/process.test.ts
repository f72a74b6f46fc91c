import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { openSync } from 'node:fs'
import type { Readable } from 'node:stream'
import { text } from 'node:stream/consumers'
import { Client, Pool } from 'pg'
import t from 'tap'
import { postgresStore } from '../../lib/stores/postgres.ts'
import { PASSWORD, startPostgres } from '../support/servers/postgres.ts'
import { PROJECT } from './terminal.ts'

const server = await startPostgres(t)
const pool = new Pool({ connectionString: server.url })
t.teardown(() => pool.end())
await postgresStore({ pool, createTable: true }).get('x')

/** Starts the command as a process of its own, in the same way as this test runs. */
function start(argv: string[], out: 'pipe' | number = 'pipe') {
  const args = [...process.execArgv, 'lib/cli/main.ts', ...argv]
  const child = spawn(process.execPath, args, { cwd: PROJECT, stdio: ['ignore', out, 'pipe'] })
  return { child, closed: once(child, 'close'), err: text(child.stderr as Readable) }
}

t.test('a reader that leaves early does not disturb a command', async (t) => {
  const { child, closed, err } = start(['rules'])
  child.stdout?.destroy()
  t.strictSame(await closed, [0, null])
  t.equal(await err, '')
})

t.test('output that cannot be written is an error, because a reader must not take a part for the whole', async (t) => {
  const { closed } = start(['rules'], openSync('/dev/full', 'w'))
  const [code] = (await closed) as [number]
  t.not(code, 0)
})

t.test('a command that a server turned away ends at once', async (t) => {
  const admin = new Client(server.url)
  await admin.connect()
  t.teardown(() => admin.end())
  await admin.query(`CREATE ROLE shy LOGIN PASSWORD '${PASSWORD}'`)
  // The first line that fits counts, and the server's programs run where its files are.
  await admin.query(`COPY (SELECT 'host all shy 127.0.0.1/32 scram-sha-256') TO PROGRAM
    'cat - pg_hba.conf > pg_hba.new && mv pg_hba.new pg_hba.conf'`)
  await admin.query('SELECT pg_reload_conf()')
  const url = new URL(server.url)
  url.username = 'shy'
  // A password that is missing is found out on this side, and the server waits for it a whole minute.
  url.password = ''
  const began = performance.now()
  const { closed, err } = start(['sweep', '--store', url.href])
  t.strictSame(await closed, [2, null])
  t.match(await err, /cannot be used: .*password/)
  t.ok(performance.now() - began < 30_000)
})

t.test('a sweep that is interrupted has removed whole batches, and the next one the rest', async (t) => {
  await pool.query(`CREATE FUNCTION slow() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN PERFORM pg_sleep(0.3); RETURN NULL; END';
    CREATE TRIGGER slow AFTER DELETE ON sessions EXECUTE FUNCTION slow()`)
  await pool.query(`INSERT INTO sessions SELECT md5(i::text), 1, 0, i, '{}' FROM generate_series(1, 20000) i`)
  const left = async (): Promise<number> =>
    Number((await pool.query<{ count: string }>('SELECT count(*) FROM sessions')).rows[0]?.count)
  const { child, closed } = start(['sweep', '--store', server.url])
  while ((await left()) === 20_000) await new Promise((resolve) => setTimeout(resolve, 10))
  child.kill('SIGINT')
  t.strictSame(await closed, [null, 'SIGINT'])
  await pool.query('DROP TRIGGER slow ON sessions')
  const some = await left()
  t.ok(some > 0)
  t.equal(some % 500, 0)
  const rest = start(['sweep', '--store', server.url])
  t.match(rest.child.stdout && (await text(rest.child.stdout)), /^Removed [\d,]+ expired sessions in /)
  t.equal(await left(), 0)
})
