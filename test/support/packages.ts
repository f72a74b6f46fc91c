import { join } from 'node:path'
import { ROOT } from './imports.ts'
import { run } from './run.ts'

/**
 * Installs a set of test/packages, or the packages of test/examples, unless it is there. Returns its `node_modules`.
 */
export async function installedPackages(set: string): Promise<string> {
  const script = join(ROOT, 'test/support/packages.mjs')
  const { stdout } = await run(process.execPath, [script, set], { cwd: ROOT, timeout: 600_000 })
  return join(stdout.trim(), 'node_modules')
}
