import { check } from './check.ts'
import { evidence } from './evidence.ts'
import { explain } from './explain.ts'
import { fitHelp } from './help.ts'
import { CLEAN, plainWord, UNUSABLE, UsageError } from './io.ts'
import { policy } from './policy.ts'
import { revoke } from './revoke.ts'
import { rules } from './rules.ts'
import { scan } from './scan.ts'
import { schema } from './schema.ts'
import { secret } from './secret.ts'
import { sessions } from './sessions.ts'
import { sweep } from './sweep.ts'
import { packageVersion } from './version.ts'
import { closest } from '../guard/read/nearest-name.ts'
import type { Io } from './io.ts'

const HELP = `Usage: fastify-session-guard <command>

  check [file]     judges the options of an app, without letting it listen
  scan <url>       judges a running deployment from outside
  secret           prints a fresh secret, ready for an env file
  rules            lists what is checked
  explain <rule>   teaches one rule
  evidence [file]  prints which requirements of the standards an app meets, and how
  policy [file]    prints the session policy of an app as a document

  sweep            removes expired sessions from a store
  sessions         lists the sessions of a user
  revoke           ends sessions from outside the app
  schema           prints the tables of a store as SQL

  --help           more about a command: fastify-session-guard check --help
  --version

Exit codes: 0 clean, 1 findings at or above the level, 2 cannot load, or wrong usage.`

type Command = (argv: readonly string[], io: Io) => Promise<number>

const COMMANDS: Readonly<Record<string, Command>> = {
  check,
  scan,
  secret,
  rules,
  explain,
  evidence,
  policy,
  sweep,
  sessions,
  revoke,
  schema,
}

/**
 * Runs one command. Everything it says goes through `io`; the process is not touched.
 *
 * @returns The exit code: 0 clean, 1 findings at or above the level, 2 cannot load, or wrong usage.
 */
export async function run(argv: readonly string[], io: Io): Promise<number> {
  const [name = '--help', ...rest] = argv
  if (name === '--help' || name === '-h' || name === 'help') {
    io.out(fitHelp(HELP, io.columns))
    return CLEAN
  }
  if (name === '--version' || name === '-v') {
    io.out(packageVersion())
    return CLEAN
  }
  try {
    const isHelp = rest.includes('--help') || rest.includes('-h')
    return await commandNamed(name)(rest, isHelp ? { ...io, out: (text) => io.out(fitHelp(text, io.columns)) } : io)
  } catch (error) {
    const message = await usageMessage(error, name)
    if (message === undefined) throw error
    io.err(message)
    return UNUSABLE
  }
}

/** Returns the fault of the arguments, and where help is; `undefined` when something else failed. */
async function usageMessage(error: unknown, command: string): Promise<string | undefined> {
  if (error instanceof UsageError) return `${error.message}\nSee: fastify-session-guard --help`
  if (!isParseError(error)) return undefined
  // Without the advice about positional arguments that follows.
  const [whole = ''] = error.message.split(/[.\n] /, 1)
  const help = `See: fastify-session-guard ${command} --help`
  const wrong = /^Unknown option '(-[^']*)'/.exec(whole)?.[1]
  const suggestion = wrong === undefined ? undefined : closest(wrong, await optionsOf(command))
  if (suggestion !== undefined) return `Unknown option '${wrong}'. Did you mean ${suggestion}?\n${help}`
  // An option that resembles none may be a secret: a password that begins with two dashes.
  const isKnown = wrong === undefined && /^[\w\s'<>,=-]*$/.test(whole)
  return `${isKnown ? whole : 'There is an unknown option, or a value where none goes'}.\n${help}`
}

/** The options that the help of a command names. */
async function optionsOf(command: string): Promise<string[]> {
  let help = ''
  const out = (text: string): void => void (help = text)
  await commandNamed(command)(['--help'], { out, err: out, env: {}, cwd: '.', isTerminal: false })
  return help.match(/--[a-z-]+/g) ?? []
}

function commandNamed(name: string): Command {
  const command = Object.hasOwn(COMMANDS, name) ? COMMANDS[name] : undefined
  if (command !== undefined) return command
  const suggestion = closest(name, Object.keys(COMMANDS))
  const word = plainWord(name)
  if (word === undefined) throw new UsageError('There is no such command.')
  throw new UsageError(`There is no command ${word}.${suggestion === undefined ? '' : ` Did you mean ${suggestion}?`}`)
}

/** node:util's parseArgs says what is wrong with arguments in words of its own. */
function isParseError(error: unknown): error is Error {
  return error instanceof TypeError && String((error as NodeJS.ErrnoException).code).startsWith('ERR_PARSE_ARGS_')
}
