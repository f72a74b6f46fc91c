import { existsSync } from 'node:fs'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'

/** Names a piece of this project's code, so that its text need not be copied. */
export interface PassageName {
  /** A folder of `lib`. */
  readonly room: string
  /** A function or a method that is declared once in that folder. */
  readonly name: string
  /** A text that the decisive lines contain. */
  readonly stop: string
}

/** A piece of this project's code. */
export interface Passage {
  /** Such as `lib/http/cross-origin.ts`. */
  readonly file: string
  readonly firstLine: number
  readonly lines: readonly { readonly text: string; readonly isStop: boolean }[]
}

interface Source {
  readonly file: string
  readonly lines: readonly string[]
}

interface Declaration extends Source {
  readonly firstLine: number
}

/** The folders above this file, in the sources and in the build. */
const ABOVE = ['../../../', '../../../../'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

const FUNCTION = /^()(?:export )?(?:async )?function (\w+)[(<]/

/** A call on a line of its own would end with a closing parenthesis. */
const METHOD = /^( {2})(?:static |override |async )*(#?\w+)\(.*[{(]$/

let sources: Promise<readonly Source[]> | undefined

/**
 * Reads a function from the sources of this repository, with its comment.
 * @throws when the room declares no such function, or several, or when no line of it contains the decisive text
 */
export async function readPassage({ room, name, stop }: PassageName): Promise<Passage> {
  sources ??= readSources()
  const inRoom = (await sources).filter(({ file }) => file.startsWith(join('lib', room, '/')))
  const found = inRoom.flatMap((source) => declarationsIn(source, name))
  const [passage] = found
  if (passage === undefined || found.length > 1) throw new Error(`lib/${room} declares ${name} ${found.length} times`)
  const { file, firstLine } = passage
  const lines = passage.lines.map((text) => ({ text, isStop: text.includes(stop) }))
  if (!lines.some(({ isStop }) => isStop)) throw new Error(`no line of ${name} in ${file} contains ${stop}`)
  return { file, firstLine, lines }
}

/** Reads all of `lib` except the bank itself. */
async function readSources(): Promise<readonly Source[]> {
  const root = ABOVE.find((folder) => existsSync(join(folder, 'package.json'))) ?? ''
  const names = await readdir(join(root, 'lib'), { recursive: true })
  const files = names
    .filter((name) => name.endsWith('.ts') && !name.startsWith('demo'))
    .map((name) => join('lib', name))
  return Promise.all(
    files.map(async (file) => {
      const text = await readFile(join(root, file), 'utf8')
      return { file, lines: text.split('\n') }
    }),
  )
}

/**
 * Finds declarations of a name. Goes by the formatting of this project: a declaration ends at the first closing brace that
 * stands under its first letter.
 */
function declarationsIn(source: Source, name: string): readonly Declaration[] {
  const { file, lines } = source
  return lines.flatMap((line, start) => {
    const indent = declares(line, name)
    if (indent === undefined) return []
    const end = lines.findIndex((other, place) => place > start && other === `${indent}}`)
    const first = commentAbove(lines, start)
    return [{ file, firstLine: first + 1, lines: lines.slice(first, end + 1) }]
  })
}

/** Returns the indentation of a line that begins the declaration of this function or method. */
function declares(line: string, name: string): string | undefined {
  const [, indent, declared] = FUNCTION.exec(line) ?? METHOD.exec(line) ?? []
  return declared === name ? indent : undefined
}

/** Returns the first line of the comment that stands right above a line, or that line. */
function commentAbove(lines: readonly string[], line: number): number {
  let first = line
  while (/^ *(?:\/\*\*|\*)/.test(lines[first - 1] ?? '')) first -= 1
  return first
}
