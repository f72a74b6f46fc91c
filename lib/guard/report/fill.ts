/** Commands, members of options and code in backticks. No line break may cut them, because they are to be pasted. */
const WHOLE =
  /npx fastify-session-guard(?: explain (?:[\w-]+|<\w+>)| [a-z]+)?(?: \.\/\S+)?(?: --[\w-]+(?: [\w./-]+)?)*(?: >> \.env)?|\w+: \[?\{[^{}\n]{1,80}\}\]?|`[^`\n]{1,80}`|\S+/g

/** The words of a text; a command and code in backticks are one word. */
export function wordsOf(text: string): string[] {
  const words = text.match(WHOLE) ?? []
  // Text that follows a command without a space, like a full stop, belongs to the command.
  let end = 0
  const joined: string[] = []
  for (const word of words) {
    const begin = text.indexOf(word, end)
    if (begin === end && joined.length > 0) joined.push((joined.pop() as string) + word)
    else joined.push(word)
    end = begin + word.length
  }
  return joined
}

/** Lines of words that are at most `width` wide, as far as the words themselves are. At least one line. */
export function fill(words: readonly string[], width: number): string[] {
  const lines: string[] = []
  let line = ''
  for (const word of words) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line)
      line = word
    } else {
      line = line === '' ? word : `${line} ${word}`
    }
  }
  return [...lines, line]
}
