import { subscribe, unsubscribe } from 'node:diagnostics_channel'
import t from 'tap'
import { CHANNEL, SessionEvents } from '../lib/events.ts'
import type { SessionEvent } from '../types/index.ts'
import { testClock } from './support/clock.ts'

type Line = [level: string, fields: object, message: string]

function eventsWithLog(): { events: SessionEvents; lines: Line[]; clock: ReturnType<typeof testClock> } {
  const lines: Line[] = []
  const clock = testClock()
  const at =
    (level: string) =>
    (fields: object, message: string): void =>
      void lines.push([level, fields, message])
  return {
    events: new SessionEvents({ debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') }, clock),
    lines,
    clock,
  }
}

const LOGIN = Object.freeze({
  type: 'login',
  handle: 'h',
  previousHandle: null,
  userId: 'ann',
  remember: false,
  device: null,
  label: null,
  isNewDevice: null,
})

const DROPPED = Object.freeze({ type: 'dropped-write', handle: 'h' })

t.test(
  'an event reaches its own listeners, those of all events, and the diagnostics channel, as one frozen object',
  async (t) => {
    const { events, clock } = eventsWithLog()
    const heard: unknown[] = []
    const hear = (event: unknown): void => void heard.push(event)
    subscribe(CHANNEL, hear)
    t.teardown(() => unsubscribe(CHANNEL, hear))
    events.emitter.on('login', hear)
    events.emitter.on('event', hear)
    events.emitter.on('logout', hear)
    events.emit({ ...LOGIN })
    t.equal(heard.length, 3)
    t.same([...new Set(heard)], [{ ...LOGIN, at: clock() }])
    t.ok(Object.isFrozen(heard[0]))
  },
)

t.test('security events leave an audit line, common ones do not', async (t) => {
  const { events, lines, clock } = eventsWithLog()
  events.emit({ ...LOGIN })
  events.emit({ type: 'forged', reason: 'signature' })
  events.emit({ type: 'renew', handle: 'h' })
  events.emit({ ...DROPPED, reason: 'gone' })
  events.emit({ ...DROPPED, reason: 'late' })
  events.emit({ type: 'rotate', handle: 'h', reason: 'login' })
  t.same(lines, [
    ['info', { audit: { ...LOGIN, at: clock() } }, 'session login'],
    ['warn', { audit: { type: 'forged', reason: 'signature', at: clock() } }, 'session forged'],
    ['info', { audit: { ...DROPPED, reason: 'gone', at: clock() } }, 'session dropped-write'],
    ['warn', { audit: { ...DROPPED, reason: 'late', at: clock() } }, 'session dropped-write'],
  ])
})

t.test('a listener that throws harms neither the sender nor the other listeners of the stream', async (t) => {
  const { events, lines } = eventsWithLog()
  const heard: SessionEvent[] = []
  const error = new Error('my bug')
  events.emitter.on('login', () => {
    throw error
  })
  events.emitter.on('event', (event) => void heard.push(event))
  events.emit({ ...LOGIN })
  t.equal(heard.length, 1)
  t.same(lines.at(-1), ['error', { err: error }, 'a listener of session events threw'])
})

t.test('an async listener that rejects ends up in the log, not as an unhandled rejection', async (t) => {
  const { events, lines } = eventsWithLog()
  const error = new Error('the audit database is away')
  // oxlint-disable-next-line typescript/no-misused-promises -- an async listener is what people write all the same
  events.emitter.on('login', () => Promise.reject(error))
  events.emit({ ...LOGIN })
  await new Promise((resolve) => setImmediate(resolve))
  t.same(lines.at(-1), ['error', { err: error }, 'a listener of session events threw'])
})
