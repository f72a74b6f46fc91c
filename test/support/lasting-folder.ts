import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { isTemporary } from '../../lib/guard/rules/store-upkeep.ts'
import { ROOT } from './imports.ts'

/**
 * Makes a folder for one test file, and removes the folder after the tests. Programs in the folder find the packages of
 * this project. The guard does not warn of a store in the folder, wherever the checkout is.
 */
export function lastingFolder(t: Test): string {
  if (!isTemporary(ROOT)) return t.testdir()
  const folder = mkdtempSync(join(homedir(), '.session-guard-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  const [packages, modules] = [join(ROOT, 'node_modules'), join(folder, 'node_modules')]
  mkdirSync(modules)
  for (const name of readdirSync(packages)) symlinkSync(join(packages, name), join(modules, name))
  return folder
}
