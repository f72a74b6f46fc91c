import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import t from 'tap'

const MAIN = fileURLToPath(new URL('../../lib/demo/main.ts', import.meta.url))

/** The command as a process of its own, run the way this test is. */
function start(argv: string[]) {
  const child = spawn(process.execPath, [...process.execArgv, MAIN, ...argv], {
    env: { ...process.env, PORT: '0' },
    stdio: ['ignore', 'pipe', 'pipe'],
  })
  return { child, closed: once(child, 'close'), err: text(child.stderr) }
}

for (const signal of ['SIGINT', 'SIGTERM'] as const) {
  t.test(`the bank serves until ${signal}, and then ends well`, async (t) => {
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

t.test('a refusal is on the error stream, and in the exit code', async (t) => {
  const { closed, err } = start(['--insecure', '--samesite', 'none'])
  t.match(await err, 'session/samesite-none-requires-secure')
  t.strictSame(await closed, [1, null])
})
