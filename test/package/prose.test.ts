import { readdir, readFile } from 'node:fs/promises'
import t from 'tap'

const root = new URL('../../', import.meta.url)

const COMMENT = /^\s*(?:\/\*\*|\*|\/\/)\s?(.*)$/

/** A doc comment begins with a verb or a noun phrase. */
const WEAK_START = /^\s*\/\*\* (?:What|How|Of|Whether|Had|Nobody|Who|Where|When|As|Is|Are|Which)\b/

/** Words that a reader with English as a second language stumbles over. */
const HARD =
  /\b(?:mend|mended|but for|at hand|lately|of before|worth nothing|is no more|one of its own|as far as it goes)\b/i

async function filesOf(folder: string, ending: RegExp): Promise<string[]> {
  const entries = await readdir(new URL(`${folder}/`, root), { recursive: true, withFileTypes: true })
  return entries
    .filter((entry) => entry.isFile() && ending.test(entry.name) && !entry.parentPath.includes('node_modules'))
    .map((entry) => `${entry.parentPath}/${entry.name}`)
}

/** Returns the lines of files that a test refuses, as `file:line: text`. */
async function linesOf(
  files: readonly string[],
  isRefused: (line: string, next: string) => boolean,
): Promise<string[]> {
  const found: string[] = []
  for (const file of files) {
    const lines = (await readFile(file, 'utf8')).split('\n')
    for (const [index, line] of lines.entries()) {
      if (isRefused(line, lines[index + 1] ?? '')) found.push(`${file}:${index + 1}: ${line.trim()}`)
    }
  }
  return found
}

t.test('comments are no wider than 120 columns', async (t) => {
  const files = await Promise.all(['lib', 'types', 'test', 'benchmarks'].map((folder) => filesOf(folder, /\.ts$/)))
  t.strictSame(await linesOf(files.flat(), (line) => line.length > 120 && /^\s*(?:\/\*\*|\*|\/\/) /.test(line)), [])
})

t.test('doc comments begin with a verb or a noun phrase', async (t) => {
  const files = await Promise.all(['lib', 'types', 'test', 'benchmarks'].map((folder) => filesOf(folder, /\.ts$/)))
  const isRefused = (line: string, next: string): boolean =>
    WEAK_START.test(line) || (/^\s*\/\*\*$/.test(line) && WEAK_START.test(`/** ${COMMENT.exec(next)?.[1] ?? ''}`))
  t.strictSame(await linesOf(files.flat(), isRefused), [])
})

t.test('code and guides avoid words with an uncommon meaning', async (t) => {
  const files = await Promise.all(['lib', 'types', '.github'].map((folder) => filesOf(folder, /\.(?:ts|md)$/)))
  t.strictSame(await linesOf([...files.flat(), new URL('README.md', root).pathname], (line) => HARD.test(line)), [])
})
