/** A fenced block of code, with what its info string says after the language. */
export interface Block {
  language: string
  /** `file=app.mjs run` is `{ file: 'app.mjs', run: '' }`. */
  attributes: Record<string, string>
  code: string
  /** Line of the opening fence, counted from 1. */
  line: number
  /** The last line above the fence that is not blank. */
  above: string
}

const FENCE = /^(?<fence>`{3,}|~{3,})(?<info>[^`]*)$/

/** Returns every fenced block of a Markdown text, in order. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = []
  let open: (Block & { fence: string; lines: string[] }) | undefined
  let above = ''
  for (const [index, line] of markdown.split('\n').entries()) {
    if (open === undefined) {
      const { fence, info } = FENCE.exec(line)?.groups ?? {}
      if (fence !== undefined) open = { ...parseInfo(info ?? ''), fence, lines: [], code: '', line: index + 1, above }
      else if (line.trim() !== '') above = line
    } else if (line.startsWith(open.fence) && line.trim() === open.fence) {
      const { language, attributes, lines } = open
      blocks.push({ language, attributes, code: lines.join('\n') + '\n', line: open.line, above: open.above })
      above = ''
      open = undefined
    } else {
      open.lines.push(line)
    }
  }
  if (open !== undefined) throw new Error(`line ${open.line}: this block is never closed`)
  return blocks
}

function parseInfo(info: string): Pick<Block, 'language' | 'attributes'> {
  const [language = '', ...words] = info.trim().split(/\s+/)
  const pairs = words.map((word) => {
    const at = word.indexOf('=')
    return at === -1 ? [word, ''] : [word.slice(0, at), word.slice(at + 1)]
  })
  return { language, attributes: Object.fromEntries(pairs) as Record<string, string> }
}

/** Returns the code of every `@example` in the doc comments of a TypeScript source. */
export function examplesOf(source: string): string[] {
  const comments = source.match(/\/\*\*[^]*?\*\//g) ?? []
  return comments.flatMap((comment) => {
    const text = comment.slice(3, -2).replaceAll(/^ *\* ?/gm, '')
    return Array.from(text.matchAll(/^@example\n([^]*?)(?=^@|$(?![^]))/gm), ([, code = '']) =>
      code.replaceAll(/^```.*$/gm, ''),
    )
  })
}
