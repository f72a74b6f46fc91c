import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'
import { temporaryFolder } from './sqlite.ts'

const require = createRequire(import.meta.url)

/** Returns the folder of a package that this repository has installed. */
export function packageFolder(name: string): string {
  const folders = (require.resolve.paths(name) ?? []).map((path) => join(path, name))
  const found = folders.find((folder) => existsSync(folder))
  if (found === undefined) throw new Error(`${name} is not installed`)
  return found
}

/** Returns a project that has these packages only. A name stands for the real package, a record for source texts. */
export function projectWith(
  t: Parameters<typeof temporaryFolder>[0],
  ...packages: (string | Record<string, string>)[]
): string {
  const cwd = temporaryFolder(t)
  const modules = join(cwd, 'node_modules')
  mkdirSync(modules)
  for (const given of packages) {
    if (typeof given === 'string') symlinkSync(packageFolder(given), join(modules, given))
    else for (const [name, source] of Object.entries(given)) writePackage(join(modules, name), source)
  }
  return cwd
}

function writePackage(folder: string, source: string): void {
  mkdirSync(folder)
  writeFileSync(join(folder, 'index.js'), source)
}

/** The source of a package that is a real driver. It keeps in `exports.made` what the driver makes. */
const RECORDING = {
  pg: `exports.made = []
exports.Pool = class extends real.Pool {
  sockets = []
  constructor({ stream, ...options }) {
    const recorded = () => {
      this.sockets.push(stream())
      return this.sockets.at(-1)
    }
    super({ ...options, ...(stream && { stream: recorded }) })
    exports.made.push(this)
  }
}`,
  redis: `exports.made = []
exports.createClient = (options) => {
  exports.made.push({ options })
  return real.createClient(options)
}
exports.createCluster = (options) => {
  exports.made.push({ options })
  return real.createCluster(options)
}`,
  ioredis: `module.exports = class extends real {
  static made = []
  constructor(...given) {
    super(...given)
    module.exports.made.push(this)
  }
}`,
  'better-sqlite3': `module.exports = class extends real {
  static made = []
  constructor(name) {
    super(name)
    module.exports.made.push(this)
  }
}`,
}

/** Returns a project with one real driver, and a list that grows with everything that the driver makes. */
export function recordingProject<Made>(
  t: Parameters<typeof temporaryFolder>[0],
  driver: keyof typeof RECORDING,
): { cwd: string; made: readonly Made[] } {
  const real = `const real = require(${JSON.stringify(packageFolder(driver))})\n`
  const cwd = projectWith(t, { [driver]: real + RECORDING[driver] })
  const { made } = createRequire(join(cwd, 'package.json'))(driver) as { made: Made[] }
  return { cwd, made }
}
