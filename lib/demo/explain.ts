import { SecureSessionConfigError } from '../index.ts'
import { KeepingError } from './store.ts'

/** The command of the guard that loads an app from a file. The bank's file is a command itself, and would only be confused by it. */
const CHECK_AGAIN = /check again: .*$/

const CHOOSE_ANOTHER = 'Choose another: PORT=3100 npm start'

/** Why the bank could not open. A refusal brings its report, a port or a folder that cannot be had is explained, and anything else keeps its stack. */
export function explain(error: unknown, port: number): string {
  if (error instanceof SecureSessionConfigError) {
    return `${error.name} [${error.code}]: ${error.message}\n${error.report.replace(CHECK_AGAIN, 'start it safely: npm start')}`
  }
  if (error instanceof KeepingError) return error.message
  const { code, stack } = error as NodeJS.ErrnoException
  if (code === 'EADDRINUSE') return `Port ${port} is taken. ${CHOOSE_ANOTHER}`
  if (code === 'EACCES') return `Port ${port} is not yours to use. ${CHOOSE_ANOTHER}`
  return String(stack)
}
