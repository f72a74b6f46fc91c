import type { Grant } from '../../lib/session/device-bound/register.ts'
import { Device } from '../support/device.ts'
import type { Act } from './act.ts'
import type { Server } from './server.ts'

/** The signed text that an act sends to a route of device-bound sessions. */
export interface Signed {
  readonly jws: string
  /** The binding that a refresh is for; absent in a registration. */
  readonly bindingId?: string
}

/** The bound session of a scene. */
export interface BoundSession {
  readonly grant: Grant
  readonly device: Device
  /** A proof that has counted. */
  readonly oldProof: string
}

/** Binds a session. If the browser has shown the bound cookie, it has refreshed the session once, too. */
export async function bindSession(server: Server, cookie: string, isShown: boolean): Promise<BoundSession> {
  const device = new Device()
  const first = await server.prove({ cookie, jws: device.registration(await offerFor(server, cookie)) })
  if (first.grant !== undefined && !isShown) return { grant: first.grant, device, oldProof: '' }
  await server.request(() => undefined, { cookie, bound: first.grant?.cookieValue })
  const { bindingId = '', challenge = '' } = first.grant ?? {}
  const oldProof = device.proof(challenge)
  const { grant } = await server.prove({ cookie, bindingId, jws: oldProof })
  if (grant === undefined) throw new Error('the session of the scene could not be bound')
  return { grant, device, oldProof }
}

/** Signs what an act sends. An act is played many times, and sends the same each time. */
export async function signFor(
  server: Server,
  act: Pick<Act, 'device'>,
  cookie: string | undefined,
  bound: BoundSession | undefined,
): Promise<Signed | undefined> {
  if (act.device === undefined || cookie === undefined) return undefined
  if (act.device === 'bind') return { jws: new Device().registration(await offerFor(server, cookie)) }
  if (bound === undefined) return undefined
  const { bindingId, challenge } = bound.grant
  if (act.device === 'old proof') return { jws: bound.oldProof, bindingId }
  return { jws: (act.device === 'refresh' ? bound.device : new Device()).proof(challenge), bindingId }
}

/** Returns the challenge that the login of a session offered. */
async function offerFor({ engine }: Server, cookie: string): Promise<string> {
  const { handle, epoch } = (await engine.store.get(cookie.slice(0, 22))) ?? { handle: '', epoch: 0 }
  return engine.device?.offer(handle, epoch, engine.settings.clock()) ?? ''
}
