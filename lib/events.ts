import { channel } from 'node:diagnostics_channel'
import { captureRejectionSymbol, EventEmitter } from 'node:events'
import type { SessionEvent, SessionEventMap } from '../types/index.ts'

/** The name of the `node:diagnostics_channel` that carries the same events. */
export const CHANNEL = 'fastify-session-guard'

/** The Fastify logger that gets the audit lines. */
export interface AuditLog {
  debug(fields: object, message: string): void
  info(fields: object, message: string): void
  warn(fields: object, message: string): void
  error(fields: object, message: string): void
}

/** An event as its place of origin states it; the instant is added on the way. */
export type NewEvent = SessionEvent extends infer One ? (One extends SessionEvent ? Omit<One, 'at'> : never) : never

/** The log level of each event. Events without an entry are not logged, because they are common and harmless. */
const AUDITED: Partial<Record<SessionEvent['type'], 'debug' | 'info' | 'warn'>> = {
  login: 'info',
  logout: 'info',
  expire: 'info',
  revoke: 'info',
  'revoke-all': 'warn',
  act: 'info',
  'stop-acting': 'info',
  bound: 'info',
  refreshed: 'debug',
  'proof-failed': 'warn',
  'dropped-write': 'info',
  replay: 'warn',
  fork: 'info',
  migrate: 'info',
  'upkeep-skipped': 'warn',
  forged: 'warn',
  duplicate: 'warn',
  damaged: 'warn',
  'store-failure': 'warn',
}

/** Returns the log level of an event. Data that the app sets too late is a fault of the app. */
function levelOf(event: SessionEvent): (typeof AUDITED)[SessionEvent['type']] {
  return event.type === 'dropped-write' && event.reason === 'late' ? 'warn' : AUDITED[event.type]
}

/** One stream of what happens to sessions: listeners, diagnostics channel, audit log. */
export class SessionEvents {
  readonly emitter: EventEmitter<SessionEventMap> = new EventEmitter({ captureRejections: true })
  readonly #channel = channel(CHANNEL)
  readonly #log: AuditLog
  readonly #clock: () => number

  constructor(log: AuditLog, clock: () => number) {
    this.#log = log
    this.#clock = clock
    Object.assign(this.emitter, { [captureRejectionSymbol]: (error: unknown) => this.#reportListener(error) })
  }

  /** Takes the event over: it becomes the object that listeners get. */
  emit(event: NewEvent): void {
    const stamped = event as SessionEvent
    stamped.at = this.#clock()
    const level = levelOf(stamped)
    if (level !== undefined) this.#log[level]({ audit: stamped }, `session ${stamped.type}`)
    if (this.#isHeard(stamped.type)) this.#publish(Object.freeze(stamped))
  }

  #isHeard(type: SessionEvent['type']): boolean {
    const { emitter } = this
    return this.#channel.hasSubscribers || emitter.listenerCount(type) > 0 || emitter.listenerCount('event') > 0
  }

  #publish(event: SessionEvent): void {
    this.#channel.publish(event)
    this.#tell(event.type, event)
    this.#tell('event', event)
  }

  /** A listener that throws is its owner's bug; it must not decide whether somebody gets logged in. */
  #tell(name: keyof SessionEventMap, event: SessionEvent): void {
    // Each type's own tuple cannot be named here: the type and its event travel together in `event`.
    const emitter: EventEmitter = this.emitter
    if (emitter.listenerCount(name) === 0) return
    try {
      emitter.emit(name, event)
    } catch (error) {
      this.#reportListener(error)
    }
  }

  /** Logs a failure that has no caller any more. */
  reportUnseen(error: unknown): void {
    this.#log.error({ err: error }, 'session work failed, and nobody observed it')
  }

  #reportListener(error: unknown): void {
    this.#log.error({ err: error }, 'a listener of session events threw')
  }
}
