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

/** One line of a passage. */
export interface Line {
  readonly number: number
  readonly text: string
  /** Tells whether this line decides. */
  readonly isStop: boolean
  /** Tells whether lines before this one were left out. */
  readonly isAfterGap: boolean
}

/** A piece of this project's code. Lines far from the decisive ones are left out. */
export interface Passage {
  /** The path, such as `lib/http/refuse-cross-origin.ts`. */
  readonly file: string
  readonly lines: readonly Line[]
}

interface Source {
  readonly file: string
  readonly lines: readonly string[]
}

interface Declaration extends Source {
  readonly firstLine: number
  /** The number of comment lines before the code. */
  readonly head: number
}

/** The largest distance between a decisive line and a line that is shown. */
const MAX_DISTANCE = 3

/** The folders above this file, in the sources and in the build. */
const ABOVE = ['../../../', '../../../../'].map((path) => fileURLToPath(new URL(path, import.meta.url)))

const FUNCTION = /^()(?:export )?(?:async )?function (\w+)[(<]/

/** A call on a line of its own would end with a closing parenthesis. */
const METHOD = /^( {2})(?:static |override |async )*(#?\w+)\(.*[{(]$/

const COMMENT = /^ *(?:\/\*\*|\*)/

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
  const lines = excerptOf(passage, stop)
  if (lines === undefined) throw new Error(`no line of ${name} in ${passage.file} contains ${stop}`)
  return { file: passage.file, lines }
}

/**
 * Returns the head of a declaration, the decisive lines with those around them, and the end. `undefined` without a
 * decisive line.
 */
function excerptOf({ lines, firstLine, head }: Declaration, stop: string): readonly Line[] | undefined {
  const stops = lines.flatMap((text, place) => (place >= head && text.includes(stop) ? [place] : []))
  if (stops.length === 0) return undefined
  const isKept = (place: number): boolean =>
    place <= head || place === lines.length - 1 || stops.some((one) => Math.abs(one - place) <= MAX_DISTANCE)
  return lines.flatMap((text, place) => {
    const line = { number: firstLine + place, text, isStop: stops.includes(place), isAfterGap: !isKept(place - 1) }
    return isKept(place) ? [line] : []
  })
}

/** Reads all of `lib` except the bank itself. */
async function readSources(): Promise<readonly Source[]> {
  const root = String(ABOVE.find((folder) => existsSync(join(folder, 'package.json'))))
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
 * Finds declarations of a name. Goes by the formatting of this project: a declaration ends at the first closing brace
 * that stands under its first letter.
 */
function declarationsIn(source: Source, name: string): readonly Declaration[] {
  const { file, lines } = source
  return lines.flatMap((line, start) => {
    const indent = declares(line, name)
    if (indent === undefined) return []
    const end = lines.findIndex((other, place) => place > start && other === `${indent}}`)
    const first = commentAbove(lines, start)
    return [{ file, firstLine: first + 1, head: start - first, lines: lines.slice(first, end + 1) }]
  })
}

/** Returns the indentation of a line that begins the declaration of this function or method. */
function declares(line: string, name: string): string | undefined {
  const [, indent, declared] = FUNCTION.exec(line) ?? METHOD.exec(line) ?? []
  return declared === name ? indent : undefined
}

/** Returns the first line of the comment that stands right above a line, or that line. */
function commentAbove(lines: readonly string[], line: number): number {
  return lines.slice(0, line).findLastIndex((text) => !COMMENT.test(text)) + 1
}
