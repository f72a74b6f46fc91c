import type { FastifyBaseLogger } from 'fastify'

type Write = (line: string) => void
type Say = (fields: unknown, message?: unknown) => void

/**
 * A logger for people at a terminal: warnings, errors, and what happened to sessions. Fastify's line per request is left out.
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
  // Too quiet for a terminal.
}

/** Handles and names are fit for a log; ids and data never come here. */
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

/** The session event of an audit line. */
function eventOf(fields: unknown): Record<string, unknown> | undefined {
  return typeof fields === 'object' && fields !== null && 'audit' in fields
    ? (fields.audit as Record<string, unknown>)
    : undefined
}
