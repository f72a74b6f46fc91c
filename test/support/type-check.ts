import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { run } from './run.ts'

/** Compiler options of a careful user of this package. */
const COMPILER_OPTIONS = {
  target: 'es2023',
  lib: ['es2023'],
  types: ['node'],
  module: 'nodenext',
  strict: true,
  exactOptionalPropertyTypes: true,
  noUncheckedIndexedAccess: true,
  verbatimModuleSyntax: true,
}

/**
 * Compiles the TypeScript files of a folder in place. Resolves to the compiler's complaints, empty when there are none.
 */
export async function typeCheck(folder: string, tsc: string, options: { skipLibCheck: boolean }): Promise<string> {
  const compilerOptions = { ...COMPILER_OPTIONS, ...options }
  await writeFile(join(folder, 'tsconfig.json'), JSON.stringify({ compilerOptions, include: ['*.ts'] }))
  const args = [tsc, '-p', '.', '--pretty', 'false']
  const { stdout, stderr } = await run(process.execPath, args, { cwd: folder, check: false })
  return (stdout + stderr).trim()
}
