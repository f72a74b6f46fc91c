import { once } from 'node:events'
import { run } from './run.ts'

process.exitCode = await run(process.argv.slice(2), process.env, {
  out: console.log,
  err: console.error,
  stopped: Promise.race([once(process, 'SIGINT'), once(process, 'SIGTERM')]),
})
