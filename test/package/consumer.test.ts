import { cp, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { ROOT } from '../support/imports.ts'
import type { Finished } from '../support/run.ts'
import { run } from '../support/run.ts'
import { packTarball } from '../support/tarball.ts'
import { typeCheck } from '../support/type-check.ts'

t.setTimeout(300_000)

/** An empty project in a folder far from this repository, so that nothing of it resolves by accident. */
const tarball = await packTarball()
t.teardown(tarball.remove)
const project = join(tarball.file, '..', 'consumer')
await cp(join(ROOT, 'test/package/fixtures'), project, { recursive: true })
await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))

const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
  name: string
  exports: Record<string, { default: string } | null>
}

/** The versions of this repository: what `npm ci` has fetched is not fetched again. */
const others = await Promise.all(
  ['fastify', 'typescript', '@types/node'].map(async (name) => {
    const { version } = JSON.parse(await readFile(join(ROOT, 'node_modules', name, 'package.json'), 'utf8')) as {
      version: string
    }
    return `${name}@${version}`
  }),
)
await run('npm', ['install', '--prefer-offline', '--no-audit', '--no-fund', tarball.file, ...others], { cwd: project })

/** A module that imports everything there is to import. */
const specifiers = exportsOf(tarball.paths)
const lines = specifiers.map((specifier, index) => `import * as m${index} from '${specifier}'`)
const modules = specifiers.map((_, index) => `m${index}`)
await writeFile(join(project, 'exports.ts'), [...lines, `export default [${modules.join(', ')}]`].join('\n'))

t.test(
  'a TypeScript app compiles against the installed package, the declarations of every export checked too',
  async (t) => {
    const tsc = join(project, 'node_modules/typescript/bin/tsc')
    t.equal(await typeCheck(project, tsc, { skipLibCheck: false }), '')
  },
)

t.test('every export loads, and needs nothing that is not installed', async (t) => {
  t.match(await run(process.execPath, ['exports.js'], { cwd: project, check: false }), { code: 0, stderr: '' })
})

t.test('the app boots, logs in, remembers, logs out, and a replayed cookie opens nothing', async (t) => {
  const { stdout } = await run(process.execPath, ['main.js'], { cwd: project })
  const { rules, ...rest } = JSON.parse(stdout) as { rules: string[] }
  t.ok(rules.includes('session/secret-short'), 'checkConfig judges', { rules })
  t.strictSame(rest, {
    isOneFunction: true,
    login: 200,
    me: { name: 'Ada', cart: ['tea', 'milk'], since: true, yes: true },
    devices: 1,
    logout: { user: null },
    replay: 401,
    refusal: 'SESSION_GUARD_REFUSED',
  })
})

t.test('the command line tool is installed and prints a secret that its check accepts', async (t) => {
  const cli = (...args: string[]): Promise<Finished> =>
    run('npx', ['--no-install', 'fastify-session-guard', ...args], { cwd: project, check: false })
  const { code, stdout } = await cli('secret')
  t.equal(code, 0)
  const secret = /[\w+/=-]{43,}/.exec(stdout)?.[0]
  t.ok(secret, 'there is something of 32 bytes in it')
  const check = async (options: object): Promise<Finished> => {
    await writeFile(join(project, 'options.mjs'), `export default ${JSON.stringify(options)}`)
    return cli('check', 'options.mjs', '--fail-level', 'fatal')
  }
  t.match(await check({ secret, environment: 'test' }), { code: 0 })
  t.match(await check({ secret: 'short', environment: 'production' }), { code: 1 })
})

/** Returns the paths that the manifest lets others import, with every `*` spelt out. */
function exportsOf(paths: readonly string[]): string[] {
  const doors = Object.entries(manifest.exports).filter(([door]) => door !== './package.json')
  const closed = new Set(doors.filter(([, target]) => target === null).map(([door]) => door))
  const open = doors.flatMap(([door, target]) => {
    const [before = '', after] = target?.default.replace(/^\.\//, '').split('*') ?? []
    if (target === null || after === undefined) return [door]
    const inside = paths.filter((path) => path.startsWith(before) && path.endsWith(after))
    return inside.map((path) => door.replace('*', path.slice(before.length, -after.length)))
  })
  return open.filter((door) => !closed.has(door)).map((door) => door.replace('.', manifest.name))
}
