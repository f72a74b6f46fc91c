import type { FastifyBaseLogger } from 'fastify'

type Write = (line: string) => void
type Say = (fields: unknown, message?: unknown) => void

/**
 * Makes a logger for people at a terminal. It writes warnings, errors and session events, and leaves out Fastify's
 * lines about requests.
 */
export function terminalLog(out: Write, err: Write): FastifyBaseLogger {
  const sayEvent = say(out, '·')
  const log: FastifyBaseLogger = {
    level: 'info',
    fatal: say(err, '✖'),
    error: say(err, '✖'),
    warn: say(err, '⚠'),
    info: (fields: unknown, message?: unknown) => {
      if (eventOf(fields) !== undefined) sayEvent(fields, message)
    },
    debug: ignore,
    trace: ignore,
    silent: ignore,
    child: () => log,
  }
  return log
}

function say(write: Write, mark: string): Say {
  return (fields, message) => write([mark, ...words(fields, message)].join(' '))
}

function ignore(): void {
  // A terminal does not show these levels.
}

/** Puts a log line into words. Handles and names may be logged; ids and data never reach this function. */
function words(fields: unknown, message: unknown): string[] {
  if (typeof fields !== 'object' || fields === null) return [String(fields)]
  const event = eventOf(fields)
  const error: unknown = Reflect.get(fields, 'err')
  return [
    ...(typeof message === 'string' ? [message] : []),
    ...['userId', 'handle', 'reason'].flatMap((name) => event?.[name] ?? []).map(String),
    ...(error instanceof Error ? [`(${error.message})`] : []),
  ]
}

/** Returns the session event of an audit line. */
function eventOf(fields: unknown): Record<string, unknown> | undefined {
  return typeof fields === 'object' && fields !== null && 'audit' in fields
    ? (fields.audit as Record<string, unknown>)
    : undefined
}
