import { login } from '../../lib/session/actions.ts'
import type { RequestSession } from '../../lib/session/request-session.ts'
import type { LoginOptions } from '../../types/index.ts'
import type { Act, DeviceAct, Performer } from './act.ts'
import type { Handler } from './server.ts'

/** The rest of an act, apart from what it does. */
type More = Omit<Act, 'name' | 'perform'>

/** An answer that is told of, because another request was first. */
export const SUPERSEDED = ['SESSION_SUPERSEDED']

/** Answers of the protocol of device-bound sessions that are no success. */
const DEVICE = ['REFUSED', 'CHALLENGE', 'LATER', 'ENDED']

/** Makes an act of a request of a browser. */
export function request(name: string, handler: Handler, more: More = {}, fails = false): Act {
  return { name, codes: SUPERSEDED, ...more, perform: (performer) => performer.send(handler, { fails }) }
}

/** Makes an act of the app. */
export function outside(name: string, work: (performer: Performer) => Promise<unknown>, more: More = {}): Act {
  return { name, isOutside: true, codes: SUPERSEDED, ...more, perform: (one) => one.work(() => work(one)) }
}

/** Makes an act of the protocol of device-bound sessions. */
export function proof(name: string, device: DeviceAct, more: More = {}): Act {
  return { name, device, codes: [...SUPERSEDED, ...DEVICE], ...more, perform: (performer) => performer.prove() }
}

/** Makes an act of a browser with the cookie of another library. */
export function move(name: string, handler: Handler, logsIn: string | undefined, more: More = {}): Act {
  const perform = (performer: Performer): Promise<void> => performer.send(handler, { old: 'old-session' })
  return { name, codes: SUPERSEDED, isElsewhere: true, isMove: true, ...(logsIn && { logsIn }), ...more, perform }
}

/** Returns the data of a session. */
export const objectOf = (session: RequestSession): Record<string, unknown> => session.object as Record<string, unknown>

/** Writes a key, whose value names who wrote it. */
export const put = (session: RequestSession, key: string): void =>
  void (objectOf(session)[key] = session.facts.userId ?? 'anonymous')

/** Returns a handler that logs a user in. */
export const logIn =
  (id: string, options: LoginOptions = {}): Handler =>
  (session) =>
    login(session, { id }, options)

/** Returns a handler that fails after the work of another one. */
export function failingAfter(handler: Handler): Handler {
  return async (session) => {
    await handler(session)
    throw new Error('the handler failed')
  }
}

/** Writes a key at once, whatever the response becomes. */
export function updateKey(session: RequestSession): Promise<unknown> {
  return session.update((data) => void Object.assign(data, { updated: session.facts.userId ?? 'anonymous' }))
}
