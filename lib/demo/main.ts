import { once } from 'node:events'
import { resolve } from 'node:path'
import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), process.env, {
  out: console.log,
  err: console.error,
  folder: resolve('.bank'),
  stopped: Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]),
})
