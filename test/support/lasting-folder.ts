import { mkdtempSync, rmSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import type { Test } from 'tap'
import { isTemporary } from '../../lib/guard/rules/store-upkeep.ts'
import { ROOT } from './imports.ts'

/**
 * Makes an empty folder for one test file, which is gone with it. The guard does not warn of a store in this folder,
 * wherever the checkout is.
 */
export function lastingFolder(t: Test): string {
  if (!isTemporary(ROOT)) return t.testdir()
  const folder = mkdtempSync(join(homedir(), '.session-guard-'))
  t.teardown(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
