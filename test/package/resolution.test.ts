import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { consumerProject } from '../support/consumer.ts'
import { ROOT } from '../support/imports.ts'
import { run } from '../support/run.ts'
import { packTarball } from '../support/tarball.ts'

t.setTimeout(300_000)
const tarball = await packTarball()
t.teardown(tarball.remove)
const fixtures = join(ROOT, 'test/package/resolution')
const project = await consumerProject(t, tarball, { packages: 'types', fixtures })
const tsc = join(project, 'node_modules/typescript/bin/tsc')

/** Compiles and returns the complaints of the compiler, without line breaks at the end. */
async function compile(files: string[], options: string): Promise<string> {
  const strict = '--strict --target es2023 --lib es2023 --types node --skipLibCheck'.split(' ')
  const args = [tsc, ...strict, ...options.split(' '), ...files]
  return (await run(process.execPath, args, { cwd: project, check: false })).stdout.trim()
}

async function setType(type: 'module' | 'commonjs'): Promise<void> {
  await writeFile(join(project, 'package.json'), JSON.stringify({ private: true, type }))
}

for (const options of [
  '--module node16 --moduleResolution node16',
  '--module nodenext --moduleResolution nodenext',
  '--module esnext --moduleResolution bundler',
]) {
  t.test(`an ES module resolves the types of every kind of export (${options})`, async (t) => {
    await setType('module')
    t.equal(await compile(['app.ts'], `${options} --noEmit`), '')
  })
}

t.test('a CommonJS module of a bundler resolves the types (--module preserve)', async (t) => {
  await setType('commonjs')
  t.equal(await compile(['app.ts'], '--module preserve --noEmit'), '')
})

t.test('a CommonJS module resolves the types, and its require() loads the package (--module nodenext)', async (t) => {
  await setType('commonjs')
  t.equal(await compile(['app.ts'], '--module nodenext --outDir commonjs'), '')
  const args = ['--no-warnings', '-p', "Object.keys(require('./commonjs/app.js')).join()"]
  t.match(await run(process.execPath, args, { cwd: project }), { stdout: /options,routes|routes,options/ })
})

t.test('node16 from CommonJS needs an import with a resolution mode for types, and import() for values', async (t) => {
  await setType('commonjs')
  t.match(
    await compile(['app.ts'], '--module node16 --noEmit'),
    /TS1479/,
    'the compiler does not know require(esm) here',
  )
  const source = `
    import type { SecureSessionOptions } from 'fastify-session-guard' with { 'resolution-mode': 'import' }
    export const options: SecureSessionOptions = { idleTimeout: '20m' }
    export async function load() {
      const { secureSession } = await import('fastify-session-guard')
      return secureSession
    }
  `
  await writeFile(join(project, 'old.ts'), source)
  t.equal(await compile(['old.ts'], '--module node16 --noEmit'), '')
})

t.test('moduleResolution node10 finds the types by one line of paths', async (t) => {
  await setType('commonjs')
  const node10 = { module: 'commonjs', moduleResolution: 'node10', ignoreDeprecations: '6.0', noEmit: true }
  const common = { strict: true, target: 'es2023', lib: ['es2023'], types: ['node'], skipLibCheck: true }
  const write = (compilerOptions: object): Promise<void> =>
    writeFile(join(project, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['app.ts'] }))
  const check = async (): Promise<string> =>
    (await run(process.execPath, [tsc, '-p', '.'], { cwd: project, check: false })).stdout
  await write({ ...common, ...node10 })
  t.match(await check(), /TS2307|TS2792/)
  const paths = {
    'fastify-session-guard': ['./node_modules/fastify-session-guard/dist/lib/index.d.ts'],
    'fastify-session-guard/testing': ['./node_modules/fastify-session-guard/dist/lib/testing/index.d.ts'],
    'fastify-session-guard/*': ['./node_modules/fastify-session-guard/dist/lib/*.d.ts'],
  }
  await write({ ...common, ...node10, paths })
  t.equal(await check(), '')
})

t.test('routes typed by @fastify/type-provider-typebox and fastify-type-provider-zod know the user', async (t) => {
  await setType('module')
  await writeFile(join(project, 'tsconfig.json'), '{}')
  t.equal(await compile(['print.ts'], '--ignoreConfig --module nodenext --exactOptionalPropertyTypes'), '')
  const { stdout } = await run(process.execPath, ['print.js'], { cwd: project })
  t.equal(stdout, '200 {"name":"Ada"}\n200 {"name":"Ada"}\n')
})
