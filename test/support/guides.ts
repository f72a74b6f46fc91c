import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { ROOT } from './imports.ts'

const ROOMS = ['lib', 'test', 'benchmarks']

/** The paths of README.md and of every guide: each README.md below lib, test and benchmarks. */
export const GUIDES: readonly string[] = [
  'README.md',
  ...ROOMS.flatMap((room) => {
    const files = readdirSync(join(ROOT, room), { recursive: true, encoding: 'utf8' })
    return files.filter((file) => /(^|\/)README\.md$/.test(file)).map((file) => `${room}/${file}`)
  }).toSorted(),
]

/** Returns the text of one guide. */
export function guide(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8')
}

/** The documents that are no guides: their blocks of code are not run. */
export const PAPERS = [
  '.github/SECURITY.md',
  '.github/CONTRIBUTING.md',
  'CHANGELOG.md',
  'lib/guard/RULES.md',
  'lib/guard/STANDARDS.md',
] as const

/** Returns the relative links of a document that lead to no file, or to no heading of it. */
export function brokenLinksOf(path: string): string[] {
  const links = Array.from(withoutCode(guide(path)).matchAll(/\]\(([^)\s]+)\)|(?:src|srcset)="([^"]+)"/g), (found) => {
    return found[1] ?? found[2] ?? ''
  })
  return links.filter((link) => !/^[a-z]+:/.test(link)).filter((link) => !isFound(path, link))
}

function isFound(path: string, link: string): boolean {
  const [file = '', anchor] = link.split('#')
  const target = file === '' ? path : join(dirname(path), file)
  if (!existsSync(join(ROOT, target))) return false
  return anchor === undefined || anchorsOf(guide(target)).has(anchor)
}

/** Returns the anchors that GitHub gives to headings. */
function anchorsOf(text: string): Set<string> {
  const headings = Array.from(withoutCode(text).matchAll(/^#+ (.+)$/gm), ([, title]) => title ?? '')
  return new Set(
    headings.map((title) =>
      title
        .replaceAll(/\[([^\]]*)\]\([^)]*\)/g, '$1')
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  )
}

function withoutCode(text: string): string {
  return text.replaceAll(/^(`{3,}|~{3,})[^]*?^\1\s*$/gm, '')
}
