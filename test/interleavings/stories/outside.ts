import { getSession } from '../../../lib/session/one-session.ts'
import { endsWith, personOf } from './model/session.ts'
import { performOutside } from './perform-outside.ts'
import type { Scene } from './scene.ts'
import type { OutsideStep } from './story.ts'

/** The answer of a call of the app, and the one that is expected. */
interface Outcome {
  readonly is: unknown
  readonly was: unknown
}

/** Takes a step of the app itself. */
export async function takeOutside(scene: Scene, step: OutsideStep): Promise<Outcome> {
  const was = expectOutside(scene, step)
  const { accounts } = scene.model.database
  const is = await performOutside(
    { engine: scene.server.engine, accounts, now: scene.clock(), handleOf: (place) => scene.handleOf(place) },
    step,
  )
  if (step.name !== 'revoke the user') return { is, was }
  return { is, was: Number(was) + (await noteUnsure(scene, step)) }
}

/** Does what a step does to the sessions. Returns the answer. */
function expectOutside(scene: Scene, step: OutsideStep): unknown {
  const { model, clock } = scene
  switch (step.name) {
    case 'revoke': {
      const own = scene.sessionOf(step.session)
      const isEnded = own !== undefined && endsWith(own.session, step.user)
      if (isEnded) model.revoke(own, 'revoked', step.user)
      return isEnded
    }
    case 'revoke the user':
      return model.endUser(step.user, scene.sessionOf(step.except))
    case 'revoke all': {
      const { ago, except } = step
      return model.revokeAll(
        ago === undefined ? undefined : clock() - ago,
        scene.sessionOf(except),
        except !== undefined,
      )
    }
    case 'update everywhere':
      return model.updateEverywhere(step.user, step.called)
    case 'rename': {
      const own = scene.sessionOf(step.session)
      const isTheirs = own !== undefined && personOf(own.session) === step.user
      if (isTheirs) own.session = { ...own.session, label: step.label ?? undefined }
      return isTheirs
    }
    case 'update from outside': {
      const own = scene.sessionOf(step.session)
      if (own === undefined) return false
      const { data } = own.session
      own.session = { ...own.session, data: { ...data, [step.key]: (data[step.key] ?? 0) + 1 } }
      return true
    }
    case 'restart the process':
      return scene.restart()
    default:
      return undefined
  }
}

/** A session whose half login is over may end with its user, and may go on. Resolves to how many ended. */
async function noteUnsure(
  scene: Scene,
  { user, except }: Extract<OutsideStep, { name: 'revoke the user' }>,
): Promise<number> {
  const { model, server } = scene
  const spared = except === undefined ? undefined : scene.handleOf(except)
  let gone = 0
  for (const one of model.alive) {
    if (one.session.handle === spared || !endsWith(one.session, user)) continue
    if ((await getSession(server.engine, one.session.handle)) !== undefined) continue
    model.revoke(one, 'revoked', user)
    gone += 1
  }
  return gone
}
