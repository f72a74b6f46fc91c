import { mkdir, writeFile } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { pathToFileURL } from 'node:url'
import t from 'tap'
import { installPackage } from '../support/installed-package.ts'
import type { Finished } from '../support/run.ts'
import { run } from '../support/run.ts'
import { SHAPES } from './shapes.ts'
import type { Shape } from './shapes.ts'

t.setTimeout(600_000)
t.jobs = 3

const installed = await installPackage()
t.teardown(installed.remove)

/** Checks one app as its author would. */
async function check({ files, args = [], target }: Shape, index: number): Promise<Finished> {
  const cwd = join(installed.folder, `app-${index}`)
  for (const [name, text] of Object.entries(files)) {
    await mkdir(dirname(join(cwd, name)), { recursive: true })
    await writeFile(join(cwd, name), text)
  }
  const [file = ''] = target === undefined ? Object.keys(files) : [target]
  const command = [installed.program, 'check', file, '--env', 'production', '--timeout', '10m', ...args]
  return run(process.execPath, command, { cwd, check: false, timeout: 600_000 })
}

for (const [index, shape] of SHAPES.entries()) {
  t.test(`check judges ${shape.name}`, { buffered: true }, async (t) => {
    const { code, stdout, stderr } = await check(shape, index)
    t.equal(code, shape.code, `${stdout}${stderr}`)
    if (shape.rule !== undefined) t.match(stdout, `session/${shape.rule}`)
    if (shape.err !== undefined) t.match(stderr, shape.err)
    if (shape.code === 1) t.notMatch(stdout, 'changeme', 'no secret is printed, not even with its source line')
  })
}

t.test('a failure is one JSON object, one workflow command or one SARIF log on standard output', async (t) => {
  const cwd = join(installed.folder, 'failing')
  await mkdir(cwd)
  await writeFile(join(cwd, 'app.mjs'), `\nthrow new Error('no database')`)
  const printed = async (format: string, file: string): Promise<string> => {
    const command = [installed.program, 'check', file, '--format', format]
    const { code, stdout } = await run(process.execPath, command, { cwd, check: false, timeout: 600_000 })
    t.equal(code, 2)
    return stdout
  }
  const { findings, failure } = JSON.parse(await printed('json', 'app.mjs')) as { findings: unknown; failure: unknown }
  t.match(failure, { message: 'Error: no database', place: { file: 'app.mjs', line: 2, column: 7 } })
  t.strictSame(findings, [])
  t.match(
    await printed('github', pathToFileURL(join(cwd, 'app.mjs')).href),
    /^::error file=app\.mjs,line=2,col=7,title=fastify-session-guard::Cannot check app\.mjs: Error: no database\n$/,
  )
  const sarif = JSON.parse(await printed('sarif', 'app.mjs')) as { runs: { results: unknown }[] }
  t.match(sarif, { runs: [{ invocations: [{ executionSuccessful: false }] }] })
  t.strictSame(sarif.runs[0]?.results, [])
})
