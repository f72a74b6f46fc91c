import type { AddressInfo } from 'node:net'
import type { FastifyInstance } from 'fastify'
import type { SecureSessionOptions } from '../../types/index.ts'
import { SecureSessionConfigError } from '../index.ts'
import { CUSTOMERS } from './accounts.ts'
import { buildBank } from './app.ts'
import { readArguments, USAGE } from './arguments.ts'
import { terminalLog } from './terminal-log.ts'

/** Where the command talks to, and what ends it. */
export interface Terminal {
  readonly out: (line: string) => void
  readonly err: (line: string) => void
  /** Settles when the bank is to close. */
  readonly stopped: Promise<unknown>
}

const CHOOSE_ANOTHER = 'Choose another: PORT=3100 npm start'

/** Only this computer may bank here. */
const HOST = '127.0.0.1'

/** Serves the bank until `stopped`. Resolves to the exit code: 0 served, 1 refused or no port, 2 wrong usage. */
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
      return serve(asked.session, asked.port, terminal)
  }
}

async function serve(session: SecureSessionOptions, port: number, terminal: Terminal): Promise<number> {
  let app: FastifyInstance | undefined
  try {
    app = await buildBank({ session, logger: terminalLog(terminal.out, terminal.err) })
    await app.listen({ host: HOST, port, listenTextResolver: () => '' })
    const address = app.server.address() as AddressInfo
    terminal.out('Sessions are kept in memory: they end with this process.')
    terminal.out(
      'Environment: development, said by the bank itself. To see what production refuses: npm start -- --insecure',
    )
    terminal.out(`Log in as ${CUSTOMERS.map(({ id, password }) => `${id} (${password})`).join(' or ')}.`)
    terminal.out(`Bank ready at http://${HOST}:${address.port} (Ctrl+C closes it)`)
    await terminal.stopped
    terminal.out('Bank closed.')
    return 0
  } catch (error) {
    terminal.err(explain(error, port))
    return 1
  } finally {
    await app?.close()
  }
}

/** A refusal brings its report, a port that cannot be had is explained, and anything else keeps its stack. */
function explain(error: unknown, port: number): string {
  if (error instanceof SecureSessionConfigError) {
    return `${error.name} [${error.code}]: ${error.message}\n${error.report}`
  }
  const { code, stack } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `Port ${port} is taken. ${CHOOSE_ANOTHER}`
  if (code === 'EACCES') return `Port ${port} is not yours to use. ${CHOOSE_ANOTHER}`
  return String(stack)
}
