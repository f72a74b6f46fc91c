import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { readdirSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../../lib/demo/main.ts', import.meta.url))

/** Starts the command as a process of its own, with the loader of this test. */
function start(argv: string[], cwd?: string) {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...argv], {
    env: { ...process.env, PORT: '0' },
    cwd,
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, closed: once(child, 'close'), err: text(child.stderr) }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`the bank serves until ${signal}, and then ends with exit code 0`, async (t) => {
    const { child, closed } = start([])
    let said = ''
    for await (const chunk of child.stdout) {
      said += String(chunk)
      const [, url] = /Bank ready at (\S+) /.exec(said) ?? []
      if (url === undefined || child.killed) continue
      t.equal((await fetch(url)).status, 200)
      child.kill(signal)
    }
    t.strictSame(await closed, [0, null])
    t.match(said, /Closing the bank\.\n$/)
  })
}

t.test('a refused start is told on the error stream and in the exit code', async (t) => {
  const { closed, err } = start(['--insecure', '--samesite', 'none'])
  t.match(await err, 'session/samesite-none-requires-secure')
  t.strictSame(await closed, [1, null])
})

/** Runs the bank until a visit is over, then ends the process with `signal`. */
async function visit(argv: string[], cwd: string, signal: NodeJS.Signals, work: (url: string) => Promise<void>) {
  const { child, closed } = start(argv, cwd)
  let said = ''
  for await (const chunk of child.stdout) {
    said += String(chunk)
    const [, url] = /Bank ready at (\S+) /.exec(said) ?? []
    if (url === undefined || child.killed) continue
    await work(url)
    child.kill(signal)
  }
  await closed
  return said
}

for (const signal of ['SIGTERM', 'SIGKILL'] as const) {
  t.test(`with --store sqlite a login outlasts a bank that ends by ${signal}`, async (t) => {
    const cwd = t.testdir()
    let cookie = ''
    const body = new URLSearchParams({ name: 'alice', password: 'lantern-on-the-quay' })
    const said = await visit(['--store', 'sqlite'], cwd, signal, async (url) => {
      const { headers } = await fetch(`${url}/login`, { method: 'POST', body, redirect: 'manual' })
      cookie = headers.get('set-cookie')?.split(';')[0] ?? ''
    })
    t.match(cookie, /^session=./)
    const folder = join(cwd, '.bank')
    t.match(
      said,
      `Sessions are kept in ${join(folder, 'sessions.db')}, and the secret that signs them in ${join(folder, 'secret')}`,
    )
    t.equal(statSync(folder).mode & 0o777, 0o700, 'nobody else can look into the folder')
    t.equal(statSync(join(folder, 'secret')).mode & 0o777, 0o600, 'nobody else can read the secret')

    await visit(['--store', 'sqlite'], cwd, 'SIGTERM', async (url) => {
      const account = await fetch(`${url}/account`, { headers: { cookie }, redirect: 'manual' })
      t.equal(account.status, 200)
      t.match(await account.text(), 'Alice')
    })
    t.strictSame(
      readdirSync(folder).toSorted(),
      ['secret', 'sessions.db'],
      'a bank that is told to end leaves no other file',
    )
  })
}
