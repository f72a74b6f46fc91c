import { revokeAll } from '../../../lib/session/all-sessions.ts'
import { getSession, renameSession, updateSession } from '../../../lib/session/one-session.ts'
import { updateUserEverywhere } from '../../../lib/session/update-user.ts'
import { endsWith, personOf } from './model/session.ts'
import type { Scene } from './scene.ts'
import type { Step } from './story.ts'

/** The answer of a call of the app, and the one that is expected. */
interface Outcome {
  readonly is: unknown
  readonly was: unknown
}

const NOTHING: Outcome = { is: undefined, was: undefined }

type OutsideStep = Exclude<Step, { name: 'request' | 'wait' | 'set the clock back' }>

/** Takes a step of the app itself. */
export async function takeOutside(scene: Scene, step: OutsideStep): Promise<Outcome> {
  const { model, clock } = scene
  const { engine } = scene.server
  const { accounts } = model.database
  switch (step.name) {
    case 'revoke': {
      const own = scene.sessionOf(step.session)
      const was = own !== undefined && endsWith(own.session, step.user)
      if (was) model.revoke(own, 'revoked', step.user)
      return { is: await engine.users.revoke(scene.handleOf(step.session), step.user, 'revoked'), was }
    }
    case 'revoke the user':
      return revokeUser(scene, step)
    case 'revoke all': {
      const { ago, except } = step
      const before = ago === undefined ? undefined : clock() - ago
      model.revokeAll(before, scene.sessionOf(except), except !== undefined)
      const at = before === undefined ? undefined : new Date(before)
      const { ended } = await revokeAll(engine, {
        before: at,
        except: exceptIn(scene, except),
      })
      await ended
      return NOTHING
    }
    case 'update everywhere': {
      const { user, called } = step
      const was = model.updateEverywhere(user, called)
      return { is: await updateUserEverywhere(engine, user, { id: user, name: called } as never), was }
    }
    case 'rename': {
      const { user, label } = step
      const own = scene.sessionOf(step.session)
      const was = own !== undefined && personOf(own.session) === user
      if (was) own.session = { ...own.session, label: label ?? undefined }
      return { is: await renameSession(engine, scene.handleOf(step.session), user, label), was }
    }
    case 'update from outside': {
      const own = scene.sessionOf(step.session)
      const add = (data: Record<string, unknown>): void => void (data[step.key] = Number(data[step.key] ?? 0) + 1)
      if (own !== undefined) {
        const data = { ...own.session.data }
        add(data)
        own.session = { ...own.session, data }
      }
      const is = await updateSession(engine, scene.handleOf(step.session), add)
      return { is, was: own !== undefined }
    }
    case 'restart the process':
      scene.restart()
      return NOTHING
    case 'change the password':
      accounts[step.user].password += 1
      return NOTHING
    case 'change the name':
      accounts[step.user].called = step.called
      return NOTHING
    default:
      accounts[step.user].isThere = step.name === 'restore the user'
      return NOTHING
  }
}

async function revokeUser(
  scene: Scene,
  { user, except }: Extract<Step, { name: 'revoke the user' }>,
): Promise<Outcome> {
  const { model, server } = scene
  const ended = model.endUser(user, scene.sessionOf(except))
  const is = await server.engine.users.revokeUser(user, exceptIn(scene, except), 'revoked')
  // A session whose half login is over may end with its user, and may go on.
  const unsure = model.alive.filter(
    ({ session }) => session.handle !== exceptIn(scene, except) && endsWith(session, user),
  )
  let gone = 0
  for (const one of unsure) {
    if ((await getSession(server.engine, one.session.handle)) !== undefined) continue
    model.revoke(one, 'revoked', user)
    gone += 1
  }
  return { is, was: ended + gone }
}

function exceptIn(scene: Scene, except: number | undefined): string | undefined {
  return except === undefined ? undefined : scene.handleOf(except)
}
