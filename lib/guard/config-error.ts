import { countFindings } from './report/text.ts'
import type { Finding } from '../../types/index.ts'

/** The error with which `register`, `ready` or `listen` is rejected. */
export class SecureSessionConfigError extends Error {
  override readonly name = 'SecureSessionConfigError'
  /** Always `SESSION_GUARD_REFUSED`. */
  readonly code = 'SESSION_GUARD_REFUSED'
  /** Everything the guard found, warnings and silenced findings too. Holds no secret. */
  declare readonly findings: readonly Finding[]
  /** The findings as text for people. Holds no secret. */
  declare readonly report: string

  constructor(findings: readonly Finding[], report: string) {
    // One line: loggers repeat it, and print the stack besides.
    super(`refused to start: ${countFindings(findings.filter(({ severity }) => severity !== 'info'))}`)
    Object.defineProperty(this, 'name', { enumerable: false })
    // An uncaught error is printed with its enumerable members, and the report is in the stack already.
    Object.defineProperty(this, 'findings', { value: Object.freeze([...findings]) })
    Object.defineProperty(this, 'report', { value: report })
    Object.defineProperty(this, 'stack', {
      value: `${headline(this)}\n${report}\n\n${frameOf(this)}`,
      writable: true,
      configurable: true,
    })
  }
}

function headline({ name, code, message }: SecureSessionConfigError): string {
  return `${name} [${code}]: ${message}`
}

/** Node takes an error whose stack has no frame for a text, and prints it in brackets. */
function frameOf({ stack = '' }: Error): string {
  return stack.split('\n').find((line) => /^ {4}at /.test(line)) ?? '    at fastify-session-guard'
}
