import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import t from 'tap'
import { checkConfig } from '../lib/index.ts'
import { guide } from './support/guides.ts'
import { ROOT } from './support/imports.ts'

const migration = guide('lib/migrate/README.md')

/** Returns the options of a library, as its own documentation names them. */
async function optionsOf(file: string, ...patterns: RegExp[]): Promise<string[]> {
  const text = await readFile(join(ROOT, 'node_modules', file), 'utf8')
  return patterns.flatMap((pattern) => Array.from(text.matchAll(pattern), ([, name]) => name ?? ''))
}

const HEADING = /^##### ([\w.]+)/gm

const LIBRARIES: Record<string, readonly string[]> = {
  'express-session': await optionsOf('express-session/README.md', HEADING),
  '@fastify/session': [
    ...(await optionsOf('@fastify/session/README.md', HEADING)),
    ...(await optionsOf('@fastify/session/README.md', /^\* `(\w+)` ?- The/gm)).map((name) => `cookie.${name}`),
  ],
  '@fastify/secure-session': await optionsOf(
    '@fastify/secure-session/types/index.d.ts',
    /^ {4}(cookie|cookieName|sessionName|expiry)\?:/gm,
    /(key|secret|salt): (?=string \| Buffer)/g,
  ),
}

/** Returns the rows of the table of options: the names in each library's column, and what is here. */
function rows(): { theirs: string[][]; here: string }[] {
  const lines = migration.split('\n')
  const start = lines.indexOf('| express-session | @fastify/session | @fastify/secure-session | here |')
  const table = lines.slice(start + 2)
  return table.slice(0, table.indexOf('')).map((line) => {
    const cells = line.slice(1, -1).split('|')
    const theirs = cells.slice(0, 3).map((cell) => Array.from(cell.matchAll(/`([\w.]+)`/g), ([, name]) => name ?? ''))
    return { theirs, here: cells.slice(3).join('|').trim() }
  })
}

for (const [column, [library, options]] of Object.entries(LIBRARIES).entries()) {
  t.test(`the guide has every option of ${library}`, async (t) => {
    const named = rows().flatMap(({ theirs }) => theirs[column])
    t.ok(options.length > 5, { options })
    t.strictSame(
      options.filter((name) => !named.includes(name)),
      [],
    )
  })

  t.test(`the guard knows every option of ${library}, or it is one of ours`, async (t) => {
    for (const option of options) {
      const [name = '', inner] = option.split('.')
      const value = inner === undefined ? 'x' : { [inner]: 'x' }
      const rules = checkConfig({ [name]: value }, 'test').map(({ rule }) => rule)
      t.notOk(rules.includes('session/unknown-option'), option)
    }
  })
}

t.test('an option that the guide lists as unsupported is refused by the guard with advice', async (t) => {
  const nothing = rows().filter(({ here }) => here.startsWith('nothing'))
  t.ok(nothing.length > 4)
  for (const option of nothing.flatMap(({ theirs }) => theirs.flat())) {
    const findings = checkConfig({ [option]: 'x' }, 'test')
    t.match(
      findings.filter(({ rule }) => rule === 'session/foreign-option'),
      [{ severity: 'fatal', fix: { text: /./ } }],
      option,
    )
  }
})

t.test('every option that the guide names as ours is one', async (t) => {
  const names = rows().flatMap(({ here }) => Array.from(here.matchAll(/`([a-zA-Z.]+)`/g), ([, name]) => name ?? ''))
  const ours = names.filter((name) => !/^(true|trustProxy|req\.)|Store$/.test(name))
  t.ok(ours.includes('idleTimeout'))
  for (const option of ours) {
    const [name = '', inner] = option.split('.')
    const findings = checkConfig({ [name]: inner === undefined ? 'x' : { [inner]: 'x' } }, 'test')
    const rules = findings.map(({ rule }) => rule)
    for (const rule of ['unknown-option', 'foreign-option', 'option-wrong-level']) {
      t.notOk(rules.includes(`session/${rule}`), `${option}: ${rule}`)
    }
  }
})
