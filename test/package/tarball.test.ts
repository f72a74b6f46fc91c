import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { publint } from 'publint'
import { formatMessage } from 'publint/utils'
import t from 'tap'
import { ROOT, sourceFiles } from '../support/imports.ts'
import { installedPackages } from '../support/packages.ts'
import { run } from '../support/run.ts'
import { packTarball } from '../support/tarball.ts'

t.setTimeout(180_000)
const tarball = await packTarball()
t.teardown(tarball.remove)

t.test(
  'the tarball holds every module of lib and types, compiled and typed, and the papers; nothing else',
  async (t) => {
    const modules = [...sourceFiles('lib'), ...sourceFiles('types')].filter((file) => !file.startsWith('lib/demo/'))
    const compiled = modules.flatMap((file) =>
      ['.js', '.d.ts'].map((ending) => `dist/${file.replace(/\.ts$/, ending)}`),
    )
    const papers = ['package.json', 'README.md', 'LICENSE', 'CHANGELOG.md']
    t.strictSame(tarball.paths.toSorted(), [...compiled, ...papers].toSorted())
  },
)

t.test('publint has nothing to say about the tarball, in strict mode', async (t) => {
  const packed = await readFile(tarball.file)
  const { buffer, byteOffset, byteLength } = packed
  const { messages, pkg } = await publint({
    strict: true,
    pack: { tarball: buffer.slice(byteOffset, byteOffset + byteLength) },
  })
  t.strictSame(
    messages.map((message) => formatMessage(message, pkg, { color: false })),
    [],
  )
})

t.test('the types of every export resolve for whoever imports it as an ES module', async (t) => {
  const attw = join(await installedPackages('types'), '@arethetypeswrong/cli/dist/index.js')
  const args = [attw, tarball.file, '--profile', 'esm-only', '--no-color', '--no-emoji']
  const { code, stdout } = await run(process.execPath, args, { cwd: ROOT, check: false })
  t.equal(code, 0, { stdout })
})
