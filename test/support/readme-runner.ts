import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Block } from './markdown.ts'
import { ROOT } from './imports.ts'
import type { Finished } from './run.ts'
import { plainEnvironment, run } from './run.ts'
import { packTarball } from './tarball.ts'
import { typeCheck } from './type-check.ts'

/** The words that an info string may have; any other word is a mistake. */
const ATTRIBUTES = /^(file|alone|fragment|options|serve|store|needs|exit|output|[A-Z][A-Z0-9_]*)$/

const TSC = join(ROOT, 'node_modules/typescript/bin/tsc')

/** Moves a server from the port of the guide to a free port, and prints that port. */
const FREE_PORT = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (options, ...rest) {
    this.once('listening', () => console.log('README_SERVES ' + this.address().port))
    return listen.call(this, { ...options, host: '127.0.0.1', port: 0 }, ...rest)
  }
`

/** The declarations around a fragment, which make the fragment the inside of a handler. */
const FRAGMENT = `
  import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
  import secureSession from 'fastify-session-guard'
  import type { SecureSessionOptions } from 'fastify-session-guard'
  declare const app: FastifyInstance
  declare const request: FastifyRequest
  declare const req: FastifyRequest
  declare const reply: FastifyReply
  declare const user: { id: string; name: string }
  declare const options: SecureSessionOptions
`

/** Asks the store that a file exports one question, and ends the process with all open connections. */
const ASK = `
  const { store } = await import(process.argv[1])
  if ((await store.get('nobody')) !== undefined) throw new Error('found nobody')
  process.exit(0)
`

/** A folder in which a reader of one guide types its blocks into files, one after the other. */
export class Reader {
  readonly folder: string
  readonly #files = new Set<string>()

  constructor(folder: string) {
    this.folder = folder
  }

  /** Returns the faults that a block has before anything is run. */
  static faultsOf({ attributes, above }: Block): string[] {
    const { file } = attributes
    const unknown = Object.keys(attributes).filter((name) => !ATTRIBUTES.test(name))
    const isNamed = file === undefined || above.includes(`\`${file}\``)
    return [
      ...unknown.map((name) => `unknown word in the info string: ${name}`),
      ...(isNamed ? [] : [`the line above the block does not show the file name \`${file}\``]),
    ]
  }

  /** Writes a block to the file that it names, or to a file with the line in its name. */
  async write(block: Block): Promise<string> {
    const name = block.attributes['file'] ?? `line-${block.line}.${block.language === 'ts' ? 'ts' : 'mjs'}`
    await writeFile(join(this.folder, name), block.code)
    this.#files.add(name)
    return name
  }

  /** Writes a fragment, or a part of the options, with the declarations around it. */
  async writePart(block: Block): Promise<void> {
    const isOptions = 'options' in block.attributes
    const whole = isOptions
      ? `import type { SecureSessionOptions } from 'fastify-session-guard'\nexport const options: SecureSessionOptions = {\n${block.code}\n}\n`
      : `${FRAGMENT}\nexport async function handler() {\n${block.code}\n}\nvoid [app, request, req, reply, user, options, secureSession]\n`
    await writeFile(join(this.folder, `line-${block.line}.ts`), whole)
  }

  /** Returns the compiler's complaints about a block whose declarations the other blocks must not see. */
  async typeCheckAlone(block: Block): Promise<string> {
    const folder = join(this.folder, `line-${block.line}`)
    await mkdir(folder)
    await writeFile(join(folder, 'module.ts'), block.code)
    return typeCheck(folder, TSC, { skipLibCheck: true })
  }

  /** Returns the compiler's complaints about every TypeScript file of the folder. */
  async typeCheck(): Promise<string> {
    return typeCheck(this.folder, TSC, { skipLibCheck: true })
  }

  /** Runs a file to its end, with the environment variables that its block names. */
  async run(name: string, block: Block): Promise<Finished> {
    return run(process.execPath, [name], { cwd: this.folder, env: variablesOf(block), check: false, timeout: 120_000 })
  }

  /** Imports a file that exports a store, and asks that store for a record. */
  async ask(name: string, block: Block, env: Record<string, string>): Promise<Finished> {
    const args = ['--input-type=module', '-e', ASK, `./${name}`]
    return run(process.execPath, args, {
      cwd: this.folder,
      env: { ...env, ...variablesOf(block) },
      check: false,
      timeout: 120_000,
    })
  }

  /**
   * Starts a server, asks it for a path, and stops it. Resolves to the status, or to the errors of a server that did
   * not start.
   */
  async serve(name: string, block: Block): Promise<number | string> {
    const preload = `data:text/javascript,${encodeURIComponent(FREE_PORT)}`
    const child = spawn('env', ['-u', 'NODE_OPTIONS', process.execPath, '--import', preload, name], {
      cwd: this.folder,
      env: { ...plainEnvironment(), ...variablesOf(block) },
      stdio: ['ignore', 'pipe', 'pipe'],
      timeout: 120_000,
    })
    const closed = once(child, 'close')
    let errors = ''
    child.stderr.setEncoding('utf8').on('data', (text: string) => (errors += text))
    for await (const line of createInterface(child.stdout)) {
      const port = /^README_SERVES (\d+)$/.exec(line)?.[1]
      if (port === undefined) continue
      const { status } = await fetch(`http://127.0.0.1:${port}${block.attributes['serve'] || '/'}`)
      child.kill()
      await closed
      return status
    }
    await closed
    return `ended without listening\n${errors}`
  }

  /** Returns the commands of a shell block that do not exist. */
  async missingCommands(block: Block): Promise<string[]> {
    const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as Manifest
    const missing: string[] = []
    for (const command of commandsOf(block.code)) {
      const [program = '', ...args] = command.replace(/^([A-Z_][A-Z0-9_]*=\S* )+/, '').split(/\s+/)
      const exists =
        SHELL.includes(program) ||
        (program === 'npm' && isNpmCommand(args, manifest.scripts)) ||
        (program === 'npx' && (await this.#hasCommand(args))) ||
        (program === 'node' && args.some((name) => this.#files.has(name.replace(/^\.\//, ''))))
      if (!exists) missing.push(command)
    }
    return missing
  }

  /** Returns whether the installed package has this command. */
  async #hasCommand([name, command]: string[]): Promise<boolean> {
    if (name !== 'fastify-session-guard') return false
    const args = [
      join(this.folder, '../node_modules', name, 'dist/lib/cli/main.js'),
      ...(command === undefined || command.startsWith('-') ? [] : [command]),
      '--help',
    ]
    return (await run(process.execPath, args, { cwd: this.folder, check: false })).code === 0
  }
}

/** The programs that a guide may use without installing them. */
const SHELL = ['cd', 'curl', 'echo', 'export', 'git']

type Manifest = Record<'scripts' | 'bin', Record<string, string>>

/** Installs this package, packed from the sources as they are now, where every folder below `base` finds it. */
export async function installBelow(base: string): Promise<void> {
  const { file, remove } = await packTarball()
  const target = join(base, 'node_modules', 'fastify-session-guard')
  await mkdir(target, { recursive: true })
  await run('tar', ['-xzf', file, '--strip-components=1', '-C', target], { cwd: base })
  await remove()
}

/** Makes a new, empty folder below `base` for the reader of one guide. */
export async function readerBelow(base: string, guide: string): Promise<Reader> {
  const folder = join(base, guide.replaceAll('/', '_'))
  await mkdir(folder)
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  return new Reader(folder)
}

/** Returns whether every line of `expected` is printed, in this order. `…` stands for any text. */
export function isPrinted(expected: string, printed: string): boolean {
  const lines = expected.split('\n').filter((line) => line.trim() !== '')
  const pattern = lines.map((line) => line.trimEnd().split('…').map(escaped).join('.*')).join('[^]*')
  return new RegExp(pattern).test(printed)
}

/** Returns the commands of a shell block, without comments, prompts and operators. */
function commandsOf(code: string): string[] {
  const lines = code.replaceAll('\\\n', ' ').split(/\n|&&|\||;/)
  return lines
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .replace(/^\s*\$ /, '')
        .trim(),
    )
    .filter((line) => line !== '')
}

function isNpmCommand([command, name]: string[], scripts: Record<string, string>): boolean {
  if (command === 'run') return name !== undefined && Object.hasOwn(scripts, name)
  if (command === 'start' || command === 'test') return Object.hasOwn(scripts, command)
  return ['ci', 'i', 'install'].includes(command ?? '')
}

function variablesOf({ attributes }: Block): Record<string, string> {
  return Object.fromEntries(Object.entries(attributes).filter(([name]) => /^[A-Z]/.test(name)))
}

function escaped(text: string): string {
  return text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&')
}
