import { chmod, copyFile, mkdir, mkdtemp, readFile, realpath, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, dirname, join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { consumerProject } from '../support/consumer.ts'
import { ROOT } from '../support/imports.ts'
import { run } from '../support/run.ts'
import { temporaryFolder } from '../support/sqlite.ts'
import { packTarball } from '../support/tarball.ts'

t.setTimeout(600_000)
const tarball = await packTarball()
t.teardown(tarball.remove)
const project = await consumerProject(t, tarball, {
  packages: 'bundlers',
  fixtures: join(ROOT, 'test/package/bundles'),
})

/** All that a bundled app prints when it booted, logged in, logged out, and a replayed cookie opened nothing. */
const WORKS = { statuses: [200, 200, 200, 401], user: { id: 'ada' }, suffix: true }

/** CommonJS inside an ES module still calls `require`, which a bundle has to bring along. */
const REQUIRE = "import { createRequire } from 'node:module'; const require = createRequire(import.meta.url);"

const ROLLUP = `
  import commonjs from '@rollup/plugin-commonjs'
  import json from '@rollup/plugin-json'
  import resolve from '@rollup/plugin-node-resolve'
  export default {
    input: 'app.js',
    plugins: [resolve({ preferBuiltins: true, exportConditions: ['node'] }), commonjs(), json()],
    onwarn: (warning) => { if (warning.code === 'UNRESOLVED_IMPORT') throw new Error(warning.message) },
    output: [{ file: 'out/rollup.mjs', format: 'es', banner: ${JSON.stringify(REQUIRE)} }, { file: 'out/rollup.cjs', format: 'cjs' }],
  }
`

const ROLLDOWN = `
  export default {
    input: 'app.js',
    platform: 'node',
    output: [{ file: 'out/rolldown.cjs', format: 'cjs' }],
  }
`

const WEBPACK = `
  export default [
    { output: { filename: 'webpack.cjs' } },
    { output: { filename: 'webpack.mjs', module: true, chunkFormat: 'module' }, experiments: { outputModule: true } },
    { output: { filename: 'webpack-open.cjs' }, entry: './open.js' },
  ].map(({ output, ...rest }) => ({
    mode: 'production',
    optimization: { minimize: false },
    target: 'node20',
    entry: './app.js',
    ...rest,
    output: { path: import.meta.dirname + '/out', ...output },
  }))
`

async function bundle(command: string, args: readonly string[]): Promise<string> {
  const { stdout, stderr } = await run(join(project, 'node_modules/.bin', command), args, { cwd: project })
  return stdout + stderr
}

/** Makes the single executable `out/app` of a CommonJS bundle. */
async function executable(main: string): Promise<void> {
  const config = { main, output: 'out/sea.blob', disableExperimentalSEAWarning: true }
  await writeFile(join(project, 'sea.json'), JSON.stringify(config))
  await run(process.execPath, ['--experimental-sea-config', 'sea.json'], { cwd: project })
  await copyFile(process.execPath, join(project, 'out/app'))
  await chmod(join(project, 'out/app'), 0o755)
  const fuse = ['--sentinel-fuse', 'NODE_SEA_FUSE_fce680ab2cc467b6e072b8b5df1996b2']
  await bundle('postject', ['out/app', 'NODE_SEA_BLOB', 'out/sea.blob', ...fuse])
}

/** Runs a bundle in an otherwise empty folder, far from every node_modules. */
async function runAlone(file: string, command = process.execPath): Promise<unknown> {
  const folder = await mkdtemp(join(tmpdir(), 'session-guard-bundle-'))
  try {
    const copy = join(folder, file.replace(/^.*\//, ''))
    await copyFile(join(project, file), copy)
    const { stdout } = await run(command === '' ? copy : command, command === '' ? [] : [copy], { cwd: folder })
    return JSON.parse(stdout)
  } finally {
    await rm(folder, { recursive: true })
  }
}

/** All that a bundled app prints when it found its driver, and did not find a package that is nowhere. */
const OPENS = { isEmpty: true, told: /npm install iron-session/ }

/** The packages that better-sqlite3 is made of. */
const DRIVER = ['better-sqlite3', 'bindings', 'file-uri-to-path']

/** Runs a program beside which the driver is installed, as a service whose working directory is elsewhere. */
async function runElsewhere(t: Test, file: string, command = process.execPath): Promise<unknown> {
  const [folder, elsewhere] = [temporaryFolder(t), temporaryFolder(t)]
  const modules = dirname(await realpath(join(ROOT, 'node_modules/better-sqlite3')))
  await mkdir(join(folder, 'node_modules'))
  for (const name of DRIVER) await symlink(join(modules, name), join(folder, 'node_modules', name))
  const copy = join(folder, basename(file))
  await copyFile(join(project, file), copy)
  const { stdout } = await run(command === '' ? copy : command, command === '' ? [] : [copy], { cwd: elsewhere })
  return JSON.parse(stdout)
}

t.test('a CommonJS bundle of esbuild boots and logs in, minified too', async (t) => {
  const args = ['app.js', '--bundle', '--platform=node', '--format=cjs']
  t.notMatch(await bundle('esbuild', [...args, '--outfile=out/esbuild.cjs']), /warning/i)
  t.strictSame(await runAlone('out/esbuild.cjs'), WORKS)
  await bundle('esbuild', [...args, '--minify', '--outfile=out/minified.cjs'])
  t.strictSame(await runAlone('out/minified.cjs'), WORKS)
})

t.test('an ES module bundle of esbuild boots and logs in', async (t) => {
  const args = ['app.js', '--bundle', '--platform=node', '--format=esm', '--outfile=out/esbuild.mjs']
  await bundle('esbuild', [...args, `--banner:js=${REQUIRE}`])
  t.strictSame(await runAlone('out/esbuild.mjs'), WORKS)
})

t.test('bundles of rollup boot and log in', async (t) => {
  await writeFile(join(project, 'rollup.config.mjs'), ROLLUP)
  await bundle('rollup', ['-c', 'rollup.config.mjs', '--silent'])
  t.strictSame(await runAlone('out/rollup.mjs'), WORKS)
  t.strictSame(await runAlone('out/rollup.cjs'), WORKS)
})

t.test('a bundle of rolldown boots and logs in', async (t) => {
  await writeFile(join(project, 'rolldown.config.mjs'), ROLLDOWN)
  await bundle('rolldown', ['-c', 'rolldown.config.mjs'])
  t.strictSame(await runAlone('out/rolldown.cjs'), WORKS)
})

t.test('bundles of webpack boot and log in', async (t) => {
  await writeFile(join(project, 'webpack.config.mjs'), WEBPACK)
  const script = `
    const [{ default: webpack }, { default: config }] = await Promise.all([import('webpack'), import('./webpack.config.mjs')])
    webpack(config, (error, stats) => {
      if (error || stats.hasErrors()) throw error ?? new Error(stats.toString())
      const warnings = stats.toJson({ all: false, warnings: true }).children.flatMap((child) => child.warnings)
      console.log(warnings.map(({ moduleName }) => moduleName).join('\\n'))
    })
  `
  const { stdout } = await run(process.execPath, ['--input-type=module', '-e', script], { cwd: project })
  t.notMatch(stdout, /fastify-session-guard/, 'webpack can follow every import of this package')
  t.strictSame(await runAlone('out/webpack.cjs'), WORKS)
  t.strictSame(await runAlone('out/webpack.mjs'), WORKS)
})

t.test('a bundle of ncc boots and logs in', async (t) => {
  await bundle('ncc', ['build', 'app.js', '-o', 'out/ncc'])
  await copyFile(join(project, 'out/ncc/index.js'), join(project, 'out/ncc.mjs'))
  t.strictSame(await runAlone('out/ncc.mjs'), WORKS)
})

t.test('a single executable of Node boots and logs in', async (t) => {
  await executable('out/esbuild.cjs')
  t.strictSame(await runAlone('out/app', ''), WORKS)
})

t.test('a bundle opens a store with the driver beside the bundle, wherever it is started', async (t) => {
  const args = ['open.js', '--bundle', '--platform=node']
  await bundle('esbuild', [...args, '--format=cjs', '--outfile=out/open.cjs'])
  await bundle('esbuild', [...args, '--format=esm', '--outfile=out/open.mjs', `--banner:js=${REQUIRE}`])
  t.match(await runElsewhere(t, 'out/open.cjs'), OPENS)
  t.match(await runElsewhere(t, 'out/open.mjs'), OPENS)
  t.match(await runElsewhere(t, 'out/webpack-open.cjs'), OPENS, 'webpack leaves the loading of drivers as it is')
  await executable('out/open.cjs')
  t.match(await runElsewhere(t, 'out/app', ''), OPENS)
})

t.test('every export but the command line tool is bundled without a warning, and loads from the bundle', async (t) => {
  const { exports } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as { exports: object }
  const doors = Object.keys(exports).filter((door) => door !== './package.json')
  const lines = doors.map((door, index) => `import * as m${index} from '${door.replace('.', 'fastify-session-guard')}'`)
  const count = `console.log(JSON.stringify([${doors.map((_, index) => `Object.keys(m${index}).length > 0`).join()}]))`
  await writeFile(join(project, 'exports.js'), [...lines, count].join('\n'))
  const args = ['exports.js', '--bundle', '--platform=node', '--format=cjs', '--outfile=out/exports.cjs']
  t.notMatch(await bundle('esbuild', args), /warning/i)
  t.strictSame(
    await runAlone('out/exports.cjs'),
    doors.map(() => true),
  )
})
