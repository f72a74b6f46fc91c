/**
 * lib/README.md has an entry for each option, error code, event and command, and no entry for anything else. A failing
 * test names what is missing and the table in which the entry belongs.
 */
import t from 'tap'
import type { Test } from 'tap'
import ts from 'typescript'
import { ERRORS } from '../lib/errors.ts'
import { SessionEvents } from '../lib/events.ts'
import { OPTIONS_SCHEMA } from '../lib/guard/read/schema.ts'
import type { SchemaNode } from '../lib/guard/read/schema-node.ts'
import { DEFAULTS, LIFETIMES } from '../lib/options.ts'
import { cli } from './cli/harness.ts'
import { guide } from './support/guides.ts'
import { ROOT } from './support/imports.ts'

const REFERENCE = guide('lib/README.md')

/** Returns the rows of the table between two markers, by their first cell without backticks. */
function table(marker: string): Map<string, string[]> {
  const [, text = ''] = REFERENCE.split(new RegExp(`<!-- /?${marker} -->`))
  const rows = text.trim().split('\n').slice(2)
  return new Map(
    rows.map((row) => {
      const cells = row
        .slice(1, -1)
        .split(/(?<!\\)\|/)
        .map((cell) => cell.trim())
      return [(cells[0] ?? '').replaceAll('`', ''), cells]
    }),
  )
}

function wordsOf(text: string): string[] {
  return Array.from(text.matchAll(/`([^`]+)`/g), ([, word = '']) => word.replaceAll(/^'|'$/g, ''))
}

/** Fails with the names that lack an entry, and with the entries that name nothing. */
function compare(t: Test, real: Iterable<string>, entries: Iterable<string>, where: string): void {
  const [names, rows] = [new Set(real), new Set(entries)]
  const missing = [...names].filter((name) => !rows.has(name))
  const extra = [...rows].filter((name) => !names.has(name))
  t.strictSame(missing, [], `lib/README.md, ${where}: each of these needs an entry`)
  t.strictSame(extra, [], `lib/README.md, ${where}: each of these entries names nothing that exists`)
}

/** Lists the options below a node of the schema, as paths: `cookie.name`. */
function* optionsBelow(node: SchemaNode, path = ''): Generator<string> {
  const object = [node, node.items, ...(node.anyOf ?? [])].find((one) => one?.properties !== undefined)
  for (const [name, inner] of Object.entries(object?.properties ?? {})) {
    yield path + name
    yield* optionsBelow(inner, `${path}${name}.`)
  }
}

/** Tells whether an option has a row of its own, or is named in the row of the option around it. */
function isDocumented(path: string, rows: Map<string, string[]>): boolean {
  const [root = '', ...rest] = path.split('.')
  return rows.has(path) || wordsOf(rows.get(root)?.join(' ') ?? '').includes(rest.join('.'))
}

t.test('every option of register has an entry in the reference', async (t) => {
  const rows = table('options')
  const options = [...optionsBelow(OPTIONS_SCHEMA)]
  t.ok(options.length > 30)
  const undocumented = options.filter((path) => !isDocumented(path, rows))
  t.strictSame(undocumented, [], 'lib/README.md, Options of register: each of these needs an entry')
  t.strictSame(
    [...rows.keys()].filter((path) => !options.includes(path)),
    [],
    'lib/README.md, Options of register: each of these entries names no option',
  )
})

t.test('the reference gives the defaults that the code has', async (t) => {
  const rows = table('options')
  for (const [name, value] of Object.entries({ ...DEFAULTS, ...LIFETIMES.standard })) {
    t.equal(rows.get(name)?.[1], `\`${value}\``, `lib/README.md, default of ${name}`)
  }
})

t.test('every error code has an entry in the reference, with its status', async (t) => {
  const rows = table('codes')
  compare(t, ['SESSION_GUARD_REFUSED', ...Object.keys(ERRORS)], rows.keys(), 'Error codes')
  for (const [code, [status]] of Object.entries(ERRORS)) {
    t.equal(rows.get(code)?.[1], String(status), `lib/README.md, status of ${code}`)
  }
})

const program = ts.createProgram([`${ROOT}types/index.ts`], {
  module: ts.ModuleKind.NodeNext,
  moduleResolution: ts.ModuleResolutionKind.NodeNext,
  strict: true,
  noEmit: true,
})
const checker = program.getTypeChecker()

/** Returns a type that types/ exports. */
function typeNamed(name: string): ts.Type {
  const file = program.getSourceFile(`${ROOT}types/index.ts`)
  const module = file && checker.getSymbolAtLocation(file)
  const symbol = module && checker.getExportsOfModule(module).find((one) => one.name === name)
  if (symbol === undefined) throw new Error(`types/ exports no ${name}`)
  return checker.getDeclaredTypeOfSymbol(symbol)
}

/** Returns the texts that a type allows, when it is a text or a union with texts. */
function textsOf(type: ts.Type): string[] {
  const parts = type.isUnion() ? type.types : [type]
  return parts.flatMap((part) => (part.isStringLiteral() ? [part.value] : []))
}

/** Returns each type of event with its fields, and the texts that a field allows. */
function declaredEvents(): Map<string, Map<string, string[]>> {
  const union = typeNamed('SessionEvent')
  const members = union.isUnion() ? union.types : []
  return new Map(
    members.flatMap((member) => {
      // A session that acts as another user adds members to each event. The text before the table says so.
      const own = member.getProperties().filter(({ flags }) => (flags & ts.SymbolFlags.Optional) === 0)
      const fields = new Map(own.map((field) => [field.name, textsOf(checker.getTypeOfSymbol(field))] as const))
      const types = fields.get('type') ?? []
      return types.map((type) => [type, fields] as const)
    }),
  )
}

t.test(
  'every event has an entry in the reference, with its fields, its reasons and its level in the log',
  async (t) => {
    const rows = table('events')
    const real = declaredEvents()
    t.ok(real.size > 10)
    compare(t, real.keys(), rows.keys(), 'Events')
    for (const [type, fields] of real) {
      const [, level, named = '', when = '', action = ''] = rows.get(type) ?? []
      const others = [...fields].filter(([name]) => name !== 'type' && name !== 'at')
      compare(
        t,
        others.map(([name]) => name),
        wordsOf(named),
        `Events, fields of ${type}`,
      )
      const unexplained = others.flatMap(([, texts]) => texts).filter((text) => !wordsOf(when).includes(text))
      t.strictSame(unexplained, [], `lib/README.md, Events: the row of ${type} explains each of these reasons`)
      t.equal(level, levelOf(type), `lib/README.md, Events: level of ${type}`)
      t.ok(action.length > 3, `lib/README.md, Events: the row of ${type} says what an operator does`)
    }
  },
)

/** Returns the level at which an event is logged; an empty text when it is not. */
function levelOf(type: string): string {
  let level = ''
  const at = (name: string) => (): void => void (level = name)
  const events = new SessionEvents(
    { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    Date.now,
  )
  events.emit({ type } as Parameters<SessionEvents['emit']>[0])
  return level
}

t.test('every option of a call or a route has an entry in the reference', async (t) => {
  const calls = {
    'req.login(user, options)': 'LoginOptions',
    'req.logout(options)': 'LogoutOptions',
    'req.actAs(user, options)': 'ActAsOptions',
    'app.requireLogin(options)': 'RequireLoginOptions',
    'route config': 'SessionRouteConfig',
  }
  const [, text = ''] = REFERENCE.split(/<!-- \/?calls -->/)
  const rows = text
    .split('\n')
    .map((row) => row.split('|').map((cell) => cell.trim().replaceAll('`', '')))
    .map(([, call, option]) => `${call}: ${option}`)
  for (const [call, name] of Object.entries(calls)) {
    const options = typeNamed(name)
      .getProperties()
      .map((property) => `${call}: ${property.name}`)
    compare(
      t,
      options,
      rows.filter((row) => row.startsWith(`${call}: `)),
      'Options of calls and routes',
    )
  }
})

/** Returns the text of the section below a heading of the third level. */
function section(title: string): string {
  const start = REFERENCE.indexOf(`\n### ${title}\n`)
  if (start === -1) return ''
  const text = REFERENCE.slice(start + 5)
  const end = text.search(/\n##/)
  return end === -1 ? text : text.slice(0, end)
}

t.test('every command has an entry in the reference, with its options and its exit codes', async (t) => {
  const { out } = await cli(['--help'])
  const commands = Array.from(out.matchAll(/^ {2}([a-z]+)\b/gm), ([, name]) => name ?? '')
  t.ok(commands.length > 8)
  const sections = Array.from(REFERENCE.matchAll(/^### `([a-z-]+)`$/gm), ([, name]) => name ?? '')
  compare(t, commands, sections, 'Commands')
  for (const command of commands) {
    const { out: help } = await cli([command, '--help'])
    const text = section(`\`${command}\``)
    const whole = text.includes('#options-of-the-store') ? text + section('Options of the store') : text
    const options = new Set(help.match(/--[a-z][a-z-]*/g))
    const entries = Array.from(whole.matchAll(/^\| `(--[a-z-]+)/gm), ([, name]) => name ?? '')
    compare(t, options, entries, `Commands, options of ${command}`)
    const [, codes = '0'] = help.split('Exit codes:')
    const missing = (codes.match(/\b\d\b/g) ?? []).filter((code) => !wordsOf(text).includes(code))
    t.strictSame(missing, [], `lib/README.md, Commands: each of these exit codes of ${command} needs an entry`)
  }
})
