import { cp, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import t from 'tap'
import ts from 'typescript'
import { ROOT } from '../support/imports.ts'
import { buildPackage } from '../support/tarball.ts'

t.setTimeout(300_000)

/** A project of somebody else: this package as it is published, and everything else beside it. */
const project = await mkdtemp(join(tmpdir(), 'session-guard-types-'))
t.teardown(() => rm(project, { recursive: true }))
const installed = join(project, 'node_modules/fastify-session-guard')
await mkdir(join(project, 'node_modules'))
await buildPackage(installed)
for (const name of await readdir(join(ROOT, 'node_modules'))) {
  if (!name.startsWith('.')) await symlink(join(ROOT, 'node_modules', name), join(project, 'node_modules', name))
}
await cp(join(ROOT, 'test/types/fixtures'), project, { recursive: true })
await writeFile(join(project, 'package.json'), JSON.stringify({ name: 'consumer', private: true, type: 'module' }))

const OPTIONS: ts.CompilerOptions = {
  target: ts.ScriptTarget.ES2023,
  lib: ['lib.es2023.d.ts'],
  types: ['node'],
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
  allowImportingTsExtensions: true,
  noEmit: true,
  skipLibCheck: true,
}

async function programOf(folder: string, options: ts.CompilerOptions = {}): Promise<ts.Program> {
  const files = (await readdir(join(project, folder))).map((name) => join(project, folder, name))
  return ts.createProgram(files, { ...OPTIONS, ...options })
}

interface Complaint {
  file: string
  line: number
  code: number
  text: string
}

function complaintsOf(program: ts.Program): Complaint[] {
  return ts.getPreEmitDiagnostics(program).map(({ file, start, code, messageText }) => ({
    file: file?.fileName ?? '',
    line: file === undefined ? 0 : file.getLineAndCharacterOfPosition(start ?? 0).line + 1,
    code,
    text: ts.flattenDiagnosticMessageText(messageText, '\n'),
  }))
}

const FOLDERS = ['plain', 'passport', 'jwt', 'unnamed']

for (const folder of FOLDERS) {
  t.test(`a strict project compiles, and what is wrong in it is refused (${folder})`, async (t) => {
    t.strictSame(complaintsOf(await programOf(folder)), [])
  })
}

t.test('the declarations of this package hold by themselves, checked with all the libraries', async (t) => {
  const complaints = complaintsOf(await programOf('plain', { skipLibCheck: false, noEmit: true }))
  t.strictSame(complaints.filter(isOurs), [])
})

for (const folder of ['passport', 'jwt']) {
  t.test(
    `renamed, nothing of ours is at odds with ${folder}, not even for a compiler that checks the libraries`,
    async (t) => {
      const complaints = complaintsOf(await programOf(folder, { skipLibCheck: false }))
      t.strictSame(complaints.filter(isAboutMembers), [])
    },
  )
}

t.test('without the renaming, only a compiler that checks the libraries says so', async (t) => {
  const complaints = complaintsOf(await programOf('unnamed', { skipLibCheck: false }))
  t.match(complaints.filter(isAboutMembers), [{ code: 2430, text: /RequestMembers/ }])
})

t.test('every public name is used by the project', async (t) => {
  const program = await programOf('plain')
  const used = await Promise.all(
    (await readdir(join(project, 'plain'))).map((name) => readFile(join(project, 'plain', name), 'utf8')),
  )
  const words = new Set(used.join('\n').match(/\w+/g))
  const manifest = JSON.parse(await readFile(join(installed, 'package.json'), 'utf8')) as {
    exports: Record<string, { types?: string }>
  }
  const doors = Object.values(manifest.exports).flatMap(({ types }) =>
    types === undefined ? [] : [join(installed, types)],
  )
  t.ok(doors.length >= 7)
  for (const door of doors) {
    const source = program.getSourceFile(door)
    const symbol = source && program.getTypeChecker().getSymbolAtLocation(source)
    t.ok(symbol, `${door.slice(installed.length)} is imported`)
    if (symbol === undefined) continue
    const names = program
      .getTypeChecker()
      .getExportsOfModule(symbol)
      .map(({ name }) => name)
    t.strictSame(
      names.filter((name) => name !== 'default' && !words.has(name)),
      [],
    )
  }
})

function isOurs({ file, text }: Pick<Complaint, 'file' | 'text'>): boolean {
  return file.includes('fastify-session-guard') || isAboutMembers({ file, text })
}

/** Tells whether a complaint is about members of two packages: duplicates, types, or conflicts with inherited ones. */
function isAboutMembers({ file, text }: Pick<Complaint, 'file' | 'text'>): boolean {
  return (
    file.includes('fastify-session-guard') ||
    /RequestMembers|AppMembers|'(login|logout|user|isAuthenticated)'/.test(text)
  )
}
