/**
 * README.md is run as its reader would run it. What stands after the language of a block says how:
 *
 *   js                  a program: runs to its end, exit code 0, or the code of `exit=1`
 *   js serve            a server: started on a free port and asked for `/` (`serve=/login` for another path): 200
 *   js store            a module that exports a store: the store is asked for a record that it does not have
 *   … needs=redis       with a real server at REDIS_URL; `postgres` at DATABASE_URL
 *   ts                  a module: type-checked under strict
 *   ts alone            the same, by itself: what it declares is not for the others
 *   … fragment          the inside of a handler that knows `app`, `request`, `req`, `reply`, `user`, `options`: type-checked
 *   … options           properties of the options object: type-checked
 *   … file=app.mjs      kept under this name, for other blocks to import or run
 *   … NODE_ENV=test     an environment variable of the program
 *   text output         what the program before it prints, line by line; `…` stands for anything
 *   json                must parse
 *   sh                  commands must exist: npm scripts, this package's commands, files of other blocks
 */
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import type { Test } from 'tap'
import { ROOT } from './support/imports.ts'
import type { Block } from './support/markdown.ts'
import { blocksOf } from './support/markdown.ts'
import { isPrinted, Reader, readerIn } from './support/readme-runner.ts'
import type { Finished } from './support/run.ts'
import { startPostgres } from './support/servers/postgres.ts'
import { startRedis } from './support/servers/redis.ts'
import { buildPackage } from './support/tarball.ts'

t.setTimeout(180_000)

const blocks = blocksOf(await readFile(join(ROOT, 'README.md'), 'utf8'))
const reader = await readerIn(t.testdir(), buildPackage)
const isPart = ({ attributes }: Block): boolean => 'fragment' in attributes || 'options' in attributes
const isCode = ({ language }: Block): boolean => language === 'js' || language === 'ts'
const names = new Map<Block, string>()
const isAlone = ({ attributes }: Block): boolean => 'alone' in attributes
for (const block of blocks.filter((one) => isCode(one) && !isAlone(one))) {
  if (isPart(block)) await reader.writePart(block)
  else names.set(block, await reader.write(block))
}

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

t.test('every block says in known words how it is meant', async (t) => {
  for (const block of blocks) t.strictSame(Reader.faultsOf(block), [], `line ${block.line}`)
  t.ok(blocks.some(isCode), 'there is code to run')
})

t.test('every TypeScript module and every fragment of the README is well typed', async (t) => {
  t.equal(await reader.typeCheck(), '')
  for (const block of blocks.filter(isAlone)) t.equal(await reader.typeCheckAlone(block), '', `line ${block.line}`)
})

t.test('every program of the README does what the README says', async (t) => {
  let last: Finished | undefined
  for (const block of blocks) {
    const name = names.get(block)
    const at = `line ${block.line}`
    if (name !== undefined && 'store' in block.attributes) {
      const asked = await reader.ask(name, block, await serverOf(block, t))
      t.equal(asked.code, 0, `${at} exports a store that answers`, { ...asked })
    } else if (name !== undefined && 'serve' in block.attributes) {
      t.equal(await reader.serve(name, block), 200, `${at} serves`)
    } else if (name !== undefined && block.language === 'js') {
      last = await reader.run(name, block)
      t.equal(last.code, Number(block.attributes['exit'] ?? 0), `${at} ends as it says`, { ...last })
    } else if ('output' in block.attributes) {
      const printed = `${last?.stdout}${last?.stderr}`
      t.ok(isPrinted(block.code, printed), `${at} is what the program before it prints`, { printed })
    }
  }
})

t.test('every command of the README exists', async (t) => {
  for (const block of blocks.filter(({ language }) => ['sh', 'bash', 'shell', 'console'].includes(language))) {
    t.strictSame(await reader.missingCommands(block, [...names.values()]), [], `line ${block.line}`)
  }
})

t.test('every JSON block of the README parses', async (t) => {
  for (const block of blocks.filter(({ language }) => language === 'json')) {
    t.doesNotThrow(() => JSON.parse(block.code) as unknown, `line ${block.line}`)
  }
})
