import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import type { FastifyInstance } from 'fastify'
import type { SecureSessionOptions } from '../../types/index.ts'
import { CUSTOMERS } from './accounts.ts'
import { buildBank } from './app.ts'
import type { Certificate } from './certificate.ts'
import { makeCertificate } from './certificate.ts'
import { movableClock } from './clock.ts'
import { explain } from './explain.ts'
import { readArguments, USAGE } from './arguments.ts'
import type { Asked } from './arguments.ts'
import { newSecret, openStore } from './store.ts'
import type { Keeping } from './store.ts'
import { terminalLog } from './terminal-log.ts'

/** The surroundings of the command. */
export interface Terminal {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  /** The folder for files that outlast the process. */
  readonly folder: string
  /** Settles when the bank is to close. */
  readonly stopped: Promise<unknown>
}

/** The address that only this computer can reach. */
const HOST = '127.0.0.1'

/** Serves the bank until `stopped`. Resolves to the exit code: 0 served, 1 refused or without a port, 2 wrong usage. */
export async function run(argv: readonly string[], env: NodeJS.ProcessEnv, terminal: Terminal): Promise<number> {
  const asked = readArguments(argv, env)
  switch (asked.kind) {
    case 'help':
      terminal.out(USAGE)
      return 0
    case 'mistake':
      terminal.err(`${asked.message}\n\n${USAGE}`)
      return 2
    default:
      return serve(asked, terminal)
  }
}

async function serve(
  { session, port, store, isHttps }: Asked & { kind: 'serve' },
  terminal: Terminal,
): Promise<number> {
  let keeping: Keeping | undefined
  let app: FastifyInstance | undefined
  let code = 0
  const clock = movableClock(Date.now)
  const https = isHttps ? makeCertificate() : undefined
  try {
    keeping = await openStore(store, terminal.folder, clock)
    app = await buildBank({
      session: { ...ownSecret(session), ...session, ...keeping.session },
      clock,
      ...(https && { https }),
      logger: terminalLog(terminal.out, terminal.err),
    })
    await app.listen({ host: HOST, port, listenTextResolver: () => '' })
    const origin = originOf(app.server.address() as AddressInfo, isHttps)
    terminal.out(keeping.words)
    terminal.out('Environment: development. To see what the guard refuses in production: npm start -- --insecure')
    if (https !== undefined) for (const line of browserLines(https, terminal.folder, origin)) terminal.out(line)
    terminal.out(`Log in as ${CUSTOMERS.map(({ id, password }) => `${id} (${password})`).join(' or ')}.`)
    terminal.out(`Attack it at ${origin}/attacks`)
    terminal.out(`Bank ready at ${origin} (Ctrl+C closes it)`)
    await terminal.stopped
    terminal.out('Closing the bank.')
  } catch (error) {
    terminal.err(explain(error, port))
    code = 1
  }
  await app?.close()
  keeping?.close()
  return code
}

/**
 * Gives a bank for this computer a secret, so that it starts without a warning. In production the guard must see that
 * none is set.
 */
function ownSecret({ environment }: SecureSessionOptions): SecureSessionOptions {
  return environment === 'development' ? { secret: newSecret() } : {}
}

/** Browsers bind sessions of a host with a name. An address of numbers is none. */
function originOf({ port }: AddressInfo, isHttps: boolean): string {
  return isHttps ? `https://localhost:${port}` : `http://${HOST}:${port}`
}

/** Says how to start a browser that trusts the certificate, because other browsers bind no session here. */
function browserLines({ pin }: Certificate, folder: string, origin: string): readonly string[] {
  return [
    'Sessions are bound to devices by browsers that trust the certificate of this run. Start Chrome 145 or newer with:',
    `  --user-data-dir=${join(folder, 'browser')} --ignore-certificate-errors-spki-list=${pin} ${origin}`,
    'Where Chrome is not on Windows, its keys are in software. Add for this try:',
    '  --enable-features=DeviceBoundSessions,EnableBoundSessionCredentialsSoftwareKeysForManualTesting',
  ]
}
