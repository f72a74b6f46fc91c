import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { Block } from './markdown.ts'
import { ROOT } from './imports.ts'
import type { Finished } from './run.ts'
import { plainEnvironment, run } from './run.ts'
import { typeCheck } from './type-check.ts'

/** Info strings that README.md may use; anything else is a mistake. */
const ATTRIBUTES = /^(file|fragment|options|serve|exit|output|[A-Z][A-Z0-9_]*)$/

/** Moves a server from the port of the README to a free one, and says which. */
const FREE_PORT = `
  import { Server } from 'node:net'
  const { listen } = Server.prototype
  Server.prototype.listen = function (options, ...rest) {
    this.once('listening', () => console.log('README_SERVES ' + this.address().port))
    return listen.call(this, { ...options, host: '127.0.0.1', port: 0 }, ...rest)
  }
`

/** What surrounds a fragment, so that it reads as the inside of a handler. */
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

/** A folder in which a reader of the README has typed everything it says into files. */
export class Reader {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
  }

  /** What is wrong with a block before anything is run. */
  static faultsOf({ attributes }: Block): string[] {
    return Object.keys(attributes).filter((name) => !ATTRIBUTES.test(name))
  }

  /** Writes a block to the file it names, or to one of its own. */
  async write(block: Block): Promise<string> {
    const name = block.attributes['file'] ?? `line-${block.line}.${block.language === 'ts' ? 'ts' : 'mjs'}`
    await writeFile(join(this.folder, name), block.code)
    return name
  }

  /** Writes a part of a file as the whole that it stands in. */
  async writePart(block: Block): Promise<void> {
    const isOptions = 'options' in block.attributes
    const whole = isOptions
      ? `import type { SecureSessionOptions } from 'fastify-session-guard'\nexport const options: SecureSessionOptions = {\n${block.code}\n}\n`
      : `${FRAGMENT}\nexport async function handler() {\n${block.code}\n}\nvoid [app, request, req, reply, user, options, secureSession]\n`
    await writeFile(join(this.folder, `line-${block.line}.ts`), whole)
  }

  /** The compiler's complaints about every TypeScript file of the folder. */
  async typeCheck(): Promise<string> {
    const tsc = join(ROOT, 'node_modules/typescript/bin/tsc')
    return typeCheck(this.folder, tsc, { skipLibCheck: true })
  }

  /** Runs a file to its end, with the environment that its block names. */
  async run(name: string, block: Block): Promise<Finished> {
    return run(process.execPath, [name], { cwd: this.folder, env: variablesOf(block), check: false, timeout: 20_000 })
  }

  /** Starts a file that serves, asks it for a path, and stops it. */
  async serve(name: string, block: Block): Promise<Response> {
    const preload = `data:text/javascript,${encodeURIComponent(FREE_PORT)}`
    const args = ['-u', 'NODE_OPTIONS', process.execPath, '--import', preload, name]
    const child = spawn('env', args, {
      cwd: this.folder,
      env: { ...plainEnvironment(), ...variablesOf(block) },
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const exited = once(child, 'exit')
    try {
      for await (const line of createInterface(child.stdout)) {
        const port = /^README_SERVES (\d+)$/.exec(line)?.[1]
        if (port !== undefined) return await fetch(`http://127.0.0.1:${port}${block.attributes['serve'] || '/'}`)
      }
      throw new Error('ended without listening')
    } finally {
      child.kill()
      await exited
    }
  }
}

/** A reader whose folder has this package installed, built from the sources as they are now. */
export async function readerIn(folder: string, build: (folder: string) => Promise<void>): Promise<Reader> {
  await mkdir(folder, { recursive: true })
  await writeFile(join(folder, 'package.json'), JSON.stringify({ type: 'module', private: true }))
  await build(join(folder, 'node_modules', 'fastify-session-guard'))
  return new Reader(folder)
}

/** Whether every line of `expected` is printed, in this order; `…` stands for anything. */
export function isPrinted(expected: string, printed: string): boolean {
  const lines = expected.split('\n').filter((line) => line.trim() !== '')
  const pattern = lines.map((line) => line.trimEnd().split('…').map(escaped).join('.*')).join('[^]*')
  return new RegExp(pattern).test(printed)
}

/** Commands of a shell block that a reader could not run. */
export async function unknownCommands(block: Block, files: readonly string[]): Promise<string[]> {
  const { scripts, bin } = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    scripts: Record<string, string>
    bin: Record<string, string>
  }
  const commands = block.code
    .replaceAll('\\\n', ' ')
    .split(/\n|&&|\||;/)
    .map((line) =>
      line
        .replace(/(^|\s)#.*$/, '')
        .replace(/^\s*\$ /, '')
        .trim(),
    )
    .filter((line) => line !== '')
  return commands.filter((command) => {
    const [program, ...args] = command.replace(/^([A-Z_][A-Z0-9_]*=\S* )+/, '').split(/\s+/)
    if (program === 'npm') return !isNpmCommand(args, scripts)
    if (program === 'npx') return !(args[0] !== undefined && Object.hasOwn(bin, args[0]))
    if (program === 'node') return !args.some((name) => files.includes(name.replace(/^\.\//, '')))
    return !['curl', 'cd', 'git', 'echo', 'export', 'docker'].includes(program ?? '')
  })
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
