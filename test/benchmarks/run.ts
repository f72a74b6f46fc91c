import { spawn } from 'node:child_process'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'

const MAIN = fileURLToPath(new URL('../../benchmarks/main.ts', import.meta.url))

/** Runs the benchmark as `npm run benchmark` does, but from source, and out of sight of the coverage of this suite. */
export async function benchmark(...args: string[]): Promise<{ code: number | null; stdout: string; stderr: string }> {
  const loader = process.execArgv.filter((option) => !option.includes('processinfo'))
  const env = Object.entries(process.env).filter(([name]) => name !== 'NODE_OPTIONS' && !/^_?TAP/.test(name))
  const child = spawn(process.execPath, [...loader, MAIN, ...args], { env: Object.fromEntries(env) })
  const exit = new Promise<number | null>((resolve) => child.once('exit', resolve))
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)])
  return { code: await exit, stdout, stderr }
}

/** Returns the cells of the first Markdown table in a text, its rule left out. */
export function cellsOf(markdown: string): string[][] {
  const lines = markdown.split('\n')
  const start = lines.findIndex((line) => line.startsWith('|'))
  const end = lines.findIndex((line, index) => index > start && !line.startsWith('|'))
  return lines
    .slice(start, end)
    .filter((line) => !line.startsWith('|-'))
    .map((line) =>
      line
        .split('|')
        .slice(1, -1)
        .map((cell) => cell.trim()),
    )
}
