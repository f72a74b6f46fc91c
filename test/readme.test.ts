/**
 * README.md and every guide are run as their reader would run them: block after block, in order, each guide in an empty
 * folder. The words after the language of a block say how:
 *
 *   js                  a program: runs to its end, exit code 0, or the code of `exit=1`
 *   js serve            a server: started on a free port and asked for `/` (`serve=/login` for another path): 200
 *   js store            a module that exports a store: the store is asked for a record that it does not have
 *   … needs=redis       with a real server at REDIS_URL; `postgres` at DATABASE_URL
 *   ts                  a module: type-checked under strict
 *   ts alone            the same, by itself: what it declares is not for the others
 *   … fragment          the inside of a handler that knows `app`, `request`, `reply`, `user` and others: type-checked
 *   … options           properties of the options object: type-checked
 *   … file=app.mjs      kept under this name, for later blocks to import or run; the line above shows the name
 *   … NODE_ENV=test     an environment variable of the program
 *   text output         what the last program above it prints, line by line; `…` stands for anything
 *   json                must parse
 *   sh                  commands must exist: npm scripts, this package's commands, files of blocks above
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { brokenLinksOf, guide, GUIDES, PAPERS } from './support/guides.ts'
import { ROOT, sourceFiles } from './support/imports.ts'
import { lastingFolder } from './support/lasting-folder.ts'
import type { Block } from './support/markdown.ts'
import { blocksOf, examplesOf } from './support/markdown.ts'
import { installBelow, isPrinted, Reader, readerBelow } from './support/readme-runner.ts'
import { PICTURES, pictureOf, refusedBoot, savePictures } from './support/refused-boot.ts'
import type { Finished } from './support/run.ts'
import { startPostgres } from './support/servers/postgres.ts'
import { startRedis } from './support/servers/redis.ts'

t.setTimeout(900_000)

const SHELLS = ['sh', 'bash', 'shell', 'console']

const base = lastingFolder(t)
await installBelow(base)

const isPart = ({ attributes }: Block): boolean => 'fragment' in attributes || 'options' in attributes
const isAlone = ({ attributes }: Block): boolean => 'alone' in attributes
const isCode = ({ language }: Block): boolean => language === 'js' || language === 'ts'

/** Starts the server that a block needs, and names it as the block expects. */
async function serverOf({ attributes, line }: Block, t: Test): Promise<Record<string, string>> {
  switch (attributes['needs']) {
    case undefined:
      return {}
    case 'redis':
      return { REDIS_URL: (await startRedis(t)).url }
    case 'postgres':
      return { DATABASE_URL: (await startPostgres(t)).url }
    default:
      throw new Error(`line ${line}: nobody knows how to start ${attributes['needs']}`)
  }
}

/** Runs a JavaScript block in the way that its info string says. Resolves to what a program that ended has printed. */
async function runProgram(t: Test, reader: Reader, name: string, block: Block): Promise<Finished | undefined> {
  const at = `line ${block.line}`
  if ('store' in block.attributes) {
    const asked = await reader.ask(name, block, await serverOf(block, t))
    t.equal(asked.code, 0, `${at} exports a store that answers`, { ...asked })
  } else if ('serve' in block.attributes) {
    t.equal(await reader.serve(name, block), 200, `${at} serves`)
  } else {
    const ended = await reader.run(name, block)
    t.equal(ended.code, Number(block.attributes['exit'] ?? 0), `${at} ends as it says`, { ...ended })
    return ended
  }
  return undefined
}

for (const path of GUIDES) {
  t.test(`${path}: every block does what the guide says, pasted in order into an empty folder`, async (t) => {
    const reader = await readerBelow(base, path)
    const blocks = blocksOf(guide(path))
    let last: Finished | undefined
    for (const block of blocks) {
      const at = `line ${block.line}`
      t.strictSame(Reader.faultsOf(block), [], `${at} says in known words how it is meant`)
      if (isCode(block) && isPart(block)) await reader.writePart(block)
      else if (isCode(block) && !isAlone(block)) {
        const name = await reader.write(block)
        if (block.language === 'js') last = (await runProgram(t, reader, name, block)) ?? last
      } else if ('output' in block.attributes) {
        const printed = `${last?.stdout}${last?.stderr}`
        t.ok(isPrinted(block.code, printed), `${at} is what the last program above prints`, { printed })
      } else if (SHELLS.includes(block.language)) {
        t.strictSame(await reader.missingCommands(block), [], `${at} names commands that exist`)
      } else if (block.language === 'json') {
        t.doesNotThrow(() => JSON.parse(block.code) as unknown, `${at} parses`)
      }
    }
    if (blocks.some(({ language }) => language === 'ts')) t.equal(await reader.typeCheck(), '', 'TypeScript compiles')
    for (const block of blocks.filter(isAlone)) t.equal(await reader.typeCheckAlone(block), '', `line ${block.line}`)
  })
}

t.test('every @example of types/ compiles', async (t) => {
  const reader = await readerBelow(base, 'examples')
  const examples = sourceFiles('types').flatMap((file) => examplesOf(guide(file)))
  t.ok(examples.length >= 4)
  for (const [index, code] of examples.entries()) {
    const attributes = code.includes('import ') ? { file: `example-${index}.ts` } : { fragment: '' }
    const block = { language: 'ts', attributes, code, line: index, above: '' } as Block
    await (isPart(block) ? reader.writePart(block) : reader.write(block))
  }
  t.equal(await reader.typeCheck(), '')
})

t.test('the guides hold code to run', async (t) => {
  t.ok(GUIDES.flatMap((path) => blocksOf(guide(path))).filter(isCode).length > 20)
})

t.test('the pictures of a refused boot show what such a boot prints today', async (t) => {
  const lines = await refusedBoot(base)
  if (process.env['UPDATE_PICTURES'] === '1') await savePictures(ROOT, lines)
  for (const theme of ['light', 'dark'] as const) {
    const saved = await readFile(join(ROOT, PICTURES[theme]), 'utf8')
    t.equal(saved, pictureOf(lines, theme), 'draw it again: UPDATE_PICTURES=1 npx tap test/readme.test.ts')
  }
})

t.test('README.md has at most 1,800 words', async (t) => {
  t.ok(guide('README.md').split(/\s+/).length <= 1800)
})

t.test('README.md names the versions that package.json asks for', async (t) => {
  const manifest = JSON.parse(await readFile(join(ROOT, 'package.json'), 'utf8')) as {
    engines: Record<string, string>
    peerDependencies: Record<string, string>
  }
  const install =
    guide('README.md')
      .split('## ')
      .find((section) => section.startsWith('Install')) ?? ''
  for (const [name, range] of Object.entries({ ...manifest.peerDependencies, 'Node.js': manifest.engines['node'] })) {
    const version = /\d[\d.]*/.exec(range ?? '')?.[0].replace(/\.0$/, '') ?? 'no version'
    t.match(install, new RegExp(`${name}\\b.{0,10}\\b${version.replaceAll('.', '\\.')}\\b`), `${name} ${version}`)
  }
})

t.test('README.md links to every guide', async (t) => {
  const unlinked = GUIDES.filter((path) => path !== 'README.md' && !guide('README.md').includes(`(${path})`))
  t.strictSame(unlinked, [], 'README.md, Guides: each of these needs a link')
})

t.test('every relative link of a guide leads to a file, and to a heading in it', async (t) => {
  for (const path of [...GUIDES, ...PAPERS]) {
    t.strictSame(brokenLinksOf(path), [], path)
  }
})
