import { readFileSync, statSync } from 'node:fs'
import { dirname, resolve } from 'node:path'

/** A node of the syntax tree, in the shape of ESTree. Offsets are in UTF-16 code units. */
export interface Node {
  readonly type: string
  readonly start: number
  readonly end: number
  readonly [field: string]: unknown
}

/** A parsed file of the app. */
export interface SourceModule {
  readonly file: string
  readonly text: string
  readonly program: Node
  readonly comments: readonly Pick<Node, 'start' | 'end'>[]
}

type Parse = (file: string, text: string) => { program: Node; comments: Node[]; errors: unknown[] }

const MAX_BYTES = 1_000_000
const EXTENSIONS = ['', '.js', '.ts', '.mjs', '.cjs', '.mts', '.cts', '/index.js', '/index.ts']

/** The files of an app as they are, or as they would be after edits. Nothing is written. */
export class Project {
  readonly #parse: Parse | undefined
  readonly #modules = new Map<string, SourceModule | undefined>()
  readonly #edited = new Map<string, string>()
  readonly #originals = new Map<string, string>()

  private constructor(parse: Parse | undefined) {
    this.#parse = parse
  }

  /** Loads the parser. Without oxc-parser, which is an optional dependency, a project has no modules. */
  static async open(): Promise<Project> {
    const parser = await import('oxc-parser').catch(() => undefined)
    return new Project(parser?.parseSync as Parse | undefined)
  }

  /** Tells whether oxc-parser is installed. */
  get canParse(): boolean {
    return this.#parse !== undefined
  }

  /** A parsed file; nothing for what is no readable JavaScript or TypeScript. */
  module(file: string): SourceModule | undefined {
    if (!this.#modules.has(file)) this.#modules.set(file, this.#read(file))
    return this.#modules.get(file)
  }

  /** The file that a relative import leads to; nothing for a package, or a file that is not there. */
  resolve(specifier: string, { file }: SourceModule): string | undefined {
    if (!/^\.{0,2}\//.test(specifier)) return undefined
    const path = resolve(dirname(file), specifier)
    // TypeScript names the file that it will emit.
    const names = [...EXTENSIONS.map((extension) => path + extension), path.replace(/\.([cm]?)js$/, '.$1ts')]
    return names.find((name) => isFile(name))
  }

  /** The text of a file as it was read first. */
  original(file: string): string {
    const known = this.#originals.get(file) ?? readFileSync(file, 'utf8')
    this.#originals.set(file, known)
    return known
  }

  /** Gives a file another text. */
  edit(file: string, text: string): void {
    this.#edited.set(file, withEndingsOf(this.original(file), text))
    this.#modules.delete(file)
  }

  /** The texts that differ from the files. */
  edits(): Map<string, string> {
    return new Map(this.#edited)
  }

  /** Reads every file anew, because another hand has written it. */
  forget(): void {
    this.#modules.clear()
    this.#edited.clear()
    this.#originals.clear()
  }

  /** Takes back every edit but those given. */
  restore(edits: ReadonlyMap<string, string>): void {
    for (const file of this.#edited.keys()) this.#modules.delete(file)
    this.#edited.clear()
    for (const [file, text] of edits) this.#edited.set(file, text)
  }

  #read(file: string): SourceModule | undefined {
    try {
      const text = this.#edited.get(file) ?? this.original(file)
      if (this.#parse === undefined || text.length > MAX_BYTES) return undefined
      const { program, comments, errors } = this.#parse(file, text)
      return errors.length > 0 ? undefined : { file, text, program, comments }
    } catch {
      return undefined
    }
  }
}

/** A text in which lines end as in another: all by CR LF, or as they are. */
function withEndingsOf(original: string, text: string): string {
  return /^(?:[^\n]*\r\n)+[^\n]*$/.test(original) ? text.replaceAll(/\r?\n/g, '\r\n') : text
}

function isFile(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isFile() === true
}

/** Every node of a tree, parents before their children. */
export function* nodesOf(root: Node): Generator<Node> {
  const waiting: unknown[] = [root]
  while (waiting.length > 0) {
    const value = waiting.pop()
    if (Array.isArray(value)) waiting.push(...(value as unknown[]).toReversed())
    else if (isNode(value)) {
      yield value
      waiting.push(...Object.values(value).toReversed())
    }
  }
}

export function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && typeof Reflect.get(value, 'type') === 'string'
}
