import { execFileSync } from 'node:child_process'
import { mkdirSync, realpathSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import t from 'tap'
import { requireOf } from '../../lib/stores/package-folders.ts'
import { temporaryFolder } from '../support/sqlite.ts'

const MODULE = new URL('../../lib/stores/package-folders.ts', import.meta.url)

t.test('packages are looked for in the project, beside this package and beside the program', async (t) => {
  const folder = realpathSync(temporaryFolder(t))
  const [service, elsewhere] = [join(folder, 'service'), join(folder, 'elsewhere')]
  for (const path of [service, elsewhere]) mkdirSync(path)
  const program = join(service, 'server.mjs')
  writeFileSync(
    program,
    `import { packageFolders } from '${MODULE.href}'
     console.log(JSON.stringify([packageFolders(), packageFolders('/project')]))`,
  )
  const args = [...process.execArgv, program, '/an/argument']
  const found = JSON.parse(execFileSync(process.execPath, args, { cwd: elsewhere, encoding: 'utf8' })) as unknown
  const others = [fileURLToPath(new URL('.', MODULE)).replace(/\/$/, ''), service]
  t.strictSame(found, [
    [elsewhere, ...others],
    ['/project', ...others],
  ])
})

t.test('the require of a folder finds the packages of this folder', async (t) => {
  const folder = temporaryFolder(t)
  mkdirSync(join(folder, 'node_modules/fruit'), { recursive: true })
  writeFileSync(join(folder, 'node_modules/fruit/index.js'), "module.exports = 'apple'")
  t.equal(requireOf(folder)('fruit'), 'apple')
})
