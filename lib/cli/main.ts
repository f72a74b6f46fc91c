#!/usr/bin/env node
import { run } from './run.ts'

for (const stream of [process.stdout, process.stderr]) {
  // A reader such as `head` may leave before the end. The command is completed anyway.
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error
  })
}

process.exitCode = await run(process.argv.slice(2), {
  out: (text) => process.stdout.write(`${text}\n`),
  err: (text) => process.stderr.write(`${text}\n`),
  env: process.env,
  cwd: process.cwd(),
  isTerminal: process.stdout.isTTY,
  columns: process.stdout.columns ?? (Number(process.env['COLUMNS']) || undefined),
})
