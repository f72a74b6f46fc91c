import { parseArgs } from 'node:util'
import type { SecureSessionOptions } from '../../types/index.ts'
import { STORE_NAMES } from './store.ts'
import type { StoreName } from './store.ts'

/** The wishes of the command line and the environment. */
export type Asked =
  | {
      readonly kind: 'serve'
      readonly port: number
      readonly store: StoreName
      readonly session: SecureSessionOptions
      readonly isHttps: boolean
    }
  | { readonly kind: 'help' }
  | { readonly kind: 'mistake'; readonly message: string }

const DEFAULT_PORT = '3000'

const SAME_SITE = ['lax', 'strict', 'none'] as const

export const USAGE = `Usage: npm start -- [--https] [--store memory|sqlite] [--insecure] [--samesite lax|strict|none]

  --https          serve https with a certificate made for this run, and bind sessions to devices
  --store sqlite   keep the logins in the folder .bank, so that they outlast a restart
  --insecure       ask for production with a cookie that travels over plain http; the guard refuses
  --samesite none  ask for production with a cookie for other sites that is not Secure; the guard refuses
  --samesite ...   use this SameSite attribute
  --help           print this text

PORT=3100 npm start   serves on another port.`

export function readArguments(argv: readonly string[], env: NodeJS.ProcessEnv): Asked {
  const flags = parseFlags(argv)
  if (flags instanceof Error) return { kind: 'mistake', message: flags.message }
  if (flags.help === true) return { kind: 'help' }
  const sameSite = SAME_SITE.find((name) => name === flags.samesite)
  if (flags.samesite !== undefined && sameSite === undefined) {
    return { kind: 'mistake', message: `--samesite is lax, strict or none, not ${JSON.stringify(flags.samesite)}` }
  }
  const store = STORE_NAMES.find((name) => name === (flags.store ?? 'memory'))
  if (store === undefined) {
    return { kind: 'mistake', message: `--store is memory or sqlite, not ${JSON.stringify(flags.store)}` }
  }
  const port = parsePort(env['PORT'] ?? DEFAULT_PORT)
  if (port === undefined) {
    return { kind: 'mistake', message: `PORT is a number from 0 to 65535, not ${JSON.stringify(env['PORT'])}` }
  }
  const { https: isHttps = false, insecure: isInsecure = false } = flags
  if (isHttps && isInsecure) return { kind: 'mistake', message: '--https and --insecure exclude each other' }
  const session = isHttps ? boundOptions(sameSite) : sessionOptions(isInsecure, sameSite)
  return { kind: 'serve', port, store, isHttps, session }
}

/** Returns the options of a bank for this computer that binds sessions to devices. */
function boundOptions(sameSite: (typeof SAME_SITE)[number] | undefined): SecureSessionOptions {
  return {
    environment: 'development',
    cookie: { name: '__Host-session', secure: true, ...(sameSite && { sameSite }) },
    deviceBound: true,
  }
}

/** Returns options that the guard refuses in production, or the options of a bank for this computer. */
function sessionOptions(isInsecure: boolean, sameSite: (typeof SAME_SITE)[number] | undefined): SecureSessionOptions {
  const isRisky = isInsecure || sameSite === 'none'
  return {
    environment: isRisky ? 'production' : 'development',
    cookie: { ...(sameSite && { sameSite }), ...(isRisky && { secure: isInsecure ? false : 'auto' }) },
  }
}

const FLAGS = {
  https: { type: 'boolean' },
  insecure: { type: 'boolean' },
  samesite: { type: 'string' },
  store: { type: 'string' },
  help: { type: 'boolean' },
} as const

type Flags = { https?: boolean; insecure?: boolean; samesite?: string; store?: string; help?: boolean }

function parseFlags(argv: readonly string[]): Flags | Error {
  try {
    return parseArgs({ args: [...argv], options: FLAGS }).values
  } catch (error) {
    return error as Error
  }
}

function parsePort(typed: string): number | undefined {
  return /^\d{1,5}$/.test(typed) && Number(typed) <= 65_535 ? Number(typed) : undefined
}
