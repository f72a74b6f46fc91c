import { SecureSessionConfigError } from '../index.ts'
import { KeepingError } from './store.ts'

/** The hint of the guard to check an app in a file. The bank's file is a command and cannot be checked like that. */
const CHECK_AGAIN = /check again: .*$/

const CHOOSE_ANOTHER = 'Choose another: PORT=3100 npm start'

/**
 * Says why the bank could not open. A refusal brings the guard's report. An error without words of its own keeps its
 * stack.
 */
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
