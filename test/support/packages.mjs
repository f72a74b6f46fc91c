#!/usr/bin/env node
// Installs what `npm ci` leaves out: node test/support/packages.mjs [set...]
// A set is a folder of test/packages, or `examples`. Each set is installed once into a folder of node_modules/.cache,
// and again when its lock file changes. The folders are printed.
// Called without a name: the sets that the tests import from node_modules, where their packages are linked.
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import {
  cpSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readlinkSync,
  renameSync,
  rmSync,
  symlinkSync,
} from 'node:fs'
import { dirname, join, relative } from 'node:path'
import { fileURLToPath } from 'node:url'

const ROOT = fileURLToPath(new URL('../../', import.meta.url))
const MODULES = join(ROOT, 'node_modules')
const CACHE = join(MODULES, '.cache/fastify-session-guard')

const NODE_MAJOR = Number(process.versions.node.split('.', 1)[0])

/** better-sqlite3 13 needs Node 22, and 12 aborts on Node 24. */
const LINKED = ['suite', NODE_MAJOR < 22 ? 'sqlite-12' : 'sqlite-13']

const sets = process.argv.slice(2)
if (sets.length === 0) LINKED.forEach(link)
for (const set of sets) console.log(install(set))

/** Installs a set unless it is installed, and returns the folder that has its `node_modules`. */
function install(set) {
  const folder = folderOf(set)
  if (existsSync(folder)) return folder
  const source = sourceOf(set)
  console.error(`Installing the packages of ${relative(ROOT, source)}, which is done once`)
  // Two test files may ask for one set at the same time: the first to finish gives its folder the name.
  const fresh = `${folder}.${process.pid}`
  mkdirSync(fresh, { recursive: true })
  try {
    for (const name of ['package.json', 'package-lock.json']) cpSync(join(source, name), join(fresh, name))
    const npm = ['ci', '--prefer-offline', '--no-audit', '--no-fund']
    const { status, stdout, stderr } = spawnSync('npm', npm, { cwd: fresh, encoding: 'utf8' })
    if (status !== 0) throw new Error(`npm ci in ${source} failed\n${stdout}${stderr}`)
    if (!existsSync(folder)) renameSync(fresh, folder)
  } finally {
    rmSync(fresh, { recursive: true, force: true })
  }
  return folder
}

/** Puts the packages of a set into `node_modules`, except those that npm put there. */
function link(set) {
  const names = Object.keys(JSON.parse(readFileSync(join(sourceOf(set), 'package.json'), 'utf8')).dependencies)
  const folder = folderOf(set)
  const missing = names.filter((name) => !isInstalled(name, folder))
  if (missing.length === 0) return
  install(set)
  for (const name of missing) {
    const path = join(MODULES, name)
    mkdirSync(dirname(path), { recursive: true })
    rmSync(path, { force: true })
    symlinkSync(relative(dirname(path), join(folder, 'node_modules', name)), path)
  }
}

function isInstalled(name, folder) {
  const path = join(MODULES, name)
  const stats = lstatSync(path, { throwIfNoEntry: false })
  if (stats === undefined || !stats.isSymbolicLink()) return stats !== undefined
  return existsSync(path) && join(dirname(path), readlinkSync(path)) === join(folder, 'node_modules', name)
}

function folderOf(set) {
  // A compiled package is for one ABI of Node.
  const abi = set === 'sqlite-12' ? process.versions.modules : ''
  const hash = createHash('sha256').update(`${process.platform} ${process.arch} ${abi}`)
  for (const name of ['package.json', 'package-lock.json']) hash.update(readFileSync(join(sourceOf(set), name)))
  return join(CACHE, `${set}-${hash.digest('hex').slice(0, 12)}`)
}

function sourceOf(set) {
  return join(ROOT, set === 'examples' ? 'test/examples' : `test/packages/${set}`)
}
